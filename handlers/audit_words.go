package handlers

import (
	"cmp"
	"strings"

	"latchkey/internal/auth"
	"latchkey/models"
)

// verbWords are how an action reads in the audit log.
type verbWords struct {
	label string // in the list of actions
	verb  string // between the actor and the subject
	as    string // between the verb and the subject, where there is one
	after string // behind the subject
	self  bool   // the subject is named although it is the actor
	token bool   // the detail is about the token, and no part of the sentence
}

// said is the detail of an event as it stands in the sentence, with what stands
// before it. A reason alone is a sentence of its own.
func (v verbWords) said(detail string) (joint, said string) {
	switch {
	case detail == "" || v.token:
		return "", ""
	case strings.HasPrefix(detail, "Reason: "):
		return ". ", detail
	}
	return ": ", detail
}

// verbs has every action there is.
var verbs = map[string]verbWords{
	auth.ActionLogin:          {label: "Signed in", verb: "signed in"},
	auth.ActionLoginFailed:    {label: "Wrong password", verb: "tried to sign in", as: "as", after: "with a wrong password"},
	auth.ActionLoginDisabled:  {label: "Disabled account tried", verb: "tried to sign in to the disabled account"},
	auth.ActionLogout:         {label: "Signed out", verb: "signed out"},
	auth.ActionSessionEnd:     {label: "Ended a session", verb: "signed out another device"},
	auth.ActionSessionsEnd:    {label: "Ended other sessions", verb: "signed out all other devices"},
	auth.ActionReplay:         {label: "Replayed session", verb: "used a copy of a session of", token: true},
	auth.ActionRestored:       {label: "Session from before a restore", verb: "used a session of", after: "from before the server was restored from a backup"},
	auth.ActionSignUp:         {label: "Created account", verb: "created an account"},
	auth.ActionSetup:          {label: "Set up first admin", verb: "created the first admin account"},
	auth.ActionProfile:        {label: "Changed profile", verb: "changed their profile"},
	auth.ActionPassword:       {label: "Changed password", verb: "changed their password"},
	auth.ActionPasswordFailed: {label: "Wrong current password", verb: "typed a wrong current password"},
	auth.ActionPasswordReset:  {label: "Set password by link", verb: "set a new password with a link"},
	auth.ActionEmail:          {label: "Changed email", verb: "changed their email address"},
	auth.ActionUserCreate:     {label: "Created user", verb: "created the account of"},
	auth.ActionUserDisable:    {label: "Disabled user", verb: "disabled"},
	auth.ActionUserEnable:     {label: "Enabled user", verb: "enabled"},
	auth.ActionUserSignOut:    {label: "Signed user out", verb: "signed out", after: "everywhere"},
	auth.ActionUserRole:       {label: "Changed role", verb: "changed the role of"},
	auth.ActionUserResetLink:  {label: "Created reset link", verb: "created a reset link for"},
	auth.ActionUserUnlock:     {label: "Cleared sign-in limits", verb: "cleared the sign-in limits of"},
	auth.ActionUserDelete:     {label: "Deleted user", verb: "deleted the account of"},
	auth.ActionUserProfile:    {label: "Changed user's profile", verb: "changed the profile of"},
	auth.ActionUserTokenEnd:   {label: "Ended user's access token", verb: "ended an access token of"},
	auth.ActionAPILogin:       {label: "Signed in by API", verb: "signed in through the API"},
	auth.ActionScopeRefused:   {label: "Refused by API", verb: "asked the API for more than the role allows, with the right password of"},
	auth.ActionAPILogout:      {label: "Signed out by API", verb: "signed out of the API"},
	auth.ActionTokenCreate:    {label: "Created access token", verb: "created an access token"},
	auth.ActionTokenEnd:       {label: "Ended access token", verb: "ended an access token"},
}

// sentence writes an event in one line, for the page of one account.
func sentence(e models.Event) string {
	v := verbs[e.Action]
	text := cmp.Or(e.ActorName, "Somebody") + " " + cmp.Or(v.verb, e.Action)
	if e.SubjectID != "" && e.SubjectID != e.ActorID {
		if v.as != "" {
			text += " " + v.as
		}
		text += " " + e.SubjectName
	}
	if v.after != "" {
		text += " " + v.after
	}
	joint, said := v.said(e.Detail)
	return text + joint + strings.TrimSuffix(said, ".") + "."
}
