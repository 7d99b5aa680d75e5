package handlers

import (
	"latchkey/internal/auth"
	"latchkey/views/components"
)

// signInEvents is the group of what signs somebody in: what the overview
// counts, and where its number leads.
const signInEvents = "sign-ins"

// actionGroup is a part of the list of actions to filter by.
type actionGroup struct {
	label   string
	actions []string
	// wholes are the choices of more than one action.
	wholes []actionWhole
}

// actionWhole are actions that can be asked for together. Its name stands in
// URLs, and is no action's.
type actionWhole struct {
	name, label string
	actions     []string
}

// actionGroups has every action of the audit log, in the order of the list.
func actionGroups() []actionGroup {
	signingIn := []string{
		auth.ActionLogin, auth.ActionLoginFailed, auth.ActionLoginDisabled, auth.ActionLogout, auth.ActionSessionEnd,
		auth.ActionSessionsEnd, auth.ActionReplay, auth.ActionRestored, auth.ActionAPILogin, auth.ActionAPILogout,
		auth.ActionScopeRefused,
	}
	ownAccount := []string{
		auth.ActionSignUp, auth.ActionSetup, auth.ActionProfile, auth.ActionPassword, auth.ActionPasswordFailed,
		auth.ActionPasswordReset, auth.ActionEmail, auth.ActionTokenCreate, auth.ActionTokenEnd,
	}
	admins := []string{
		auth.ActionUserCreate, auth.ActionUserDisable, auth.ActionUserEnable, auth.ActionUserSignOut, auth.ActionUserRole,
		auth.ActionUserProfile, auth.ActionUserResetLink, auth.ActionUserUnlock, auth.ActionUserTokenEnd, auth.ActionUserDelete,
	}
	return []actionGroup{
		{"Signing in", signingIn, []actionWhole{
			{"signing-in", "All sign-in events", signingIn},
			{signInEvents, "Signed in, new accounts too", []string{auth.ActionLogin, auth.ActionSignUp, auth.ActionSetup}},
		}},
		{"Own account", ownAccount, []actionWhole{{"own-account", "All own-account events", ownAccount}}},
		{"Admins", admins, []actionWhole{{"admins", "All acts of admins", admins}}},
	}
}

// actionsNamed returns the actions that a filter's value stands for: itself, or
// those of a group; nil when there is no such thing.
func actionsNamed(name string) []string {
	if verbs[name].verb != "" {
		return []string{name}
	}
	for _, group := range actionGroups() {
		for _, whole := range group.wholes {
			if whole.name == name {
				return whole.actions
			}
		}
	}
	return nil
}

// actionChoices are the actions to filter by, in groups, each alone or all
// together.
func actionChoices(chosen string) []components.OptionGroup {
	var list []components.OptionGroup
	for _, g := range actionGroups() {
		group := components.OptionGroup{Label: g.label}
		add := func(value, label string) {
			group.Options = append(group.Options, components.Option{Value: value, Label: label, Selected: value == chosen})
		}
		for _, whole := range g.wholes {
			add(whole.name, whole.label)
		}
		for _, action := range g.actions {
			add(action, verbs[action].label)
		}
		list = append(list, group)
	}
	return list
}
