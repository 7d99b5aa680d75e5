package pages

import (
	"latchkey/views/components"
	"latchkey/views/layouts"
)

// invitationSamples are the pages of invitations.
func invitationSamples() []sample {
	list := signedIn("Invitations", layouts.SectionInvitations)
	rows := []InvitationRow{
		{Email: "ana@example.org", State: "Open", Tone: components.OK, Note: "Hired", Creator: "bo", Created: sampleTime, Until: sampleTime, Uses: 1, WithdrawURL: "/admin/invitations/a/withdraw"},
		{State: "Used 2 of 5", Tone: components.OK, Admin: true, Creator: "System", Created: sampleTime, Until: sampleTime, Uses: 5, WithdrawURL: "/admin/invitations/b/withdraw"},
		{State: "Over", Creator: "bo", Created: sampleTime, Until: sampleTime, Uses: 1},
	}
	form := AdminInvitationForm{Role: "user", Hours: "72", Uses: "1", MailOn: true}
	wrong := AdminInvitationForm{Email: "x", Role: "admin", Errors: errorsOf("email", "uses", "note")}
	invite := signedOut("Sign-up")
	invite.SignupOpen, invite.SignupInvite = false, true
	return []sample{
		{"invited", Invited(signedOut("Create account"), InvitedForm{Token: "t", PasswordMin: 12})},
		{"invited by address", Invited(signedOut("Create account"), InvitedForm{Token: "t", Email: "ana@example.org", Only: true, Admin: true, PasswordMin: 12})},
		{"invited errors", Invited(signedOut("Create account"), InvitedForm{Token: "t", PasswordMin: 12, Errors: errorsOf("email", "username", "full_name", "password")})},
		{"invitation over", InvitationDead(signedOut("Invitation"), DeadInvitation{State: LinkExpired, Ended: sampleTime})},
		{"invitation used", InvitationDead(signedOut("Invitation"), DeadInvitation{State: LinkUsed, Uses: 5})},
		{"signup by invitation", SignupClosed(invite, "/profile")},
		{"login by invitation", Login(invite, LoginForm{})},
		{"admin invitations", AdminInvitations(list, AdminInvitationsView{Rows: rows, Next: "/admin/invitations?after=x", Previous: "/admin/invitations?before=x"})},
		{"admin invitations empty", AdminInvitations(list, AdminInvitationsView{})},
		{"admin invitations past end", AdminInvitations(list, AdminInvitationsView{Previous: "/admin/invitations"})},
		{"admin withdraw", Confirm(list, WithdrawInvitation(rows[0]))},
		{"admin invite", AdminInvitationNew(list, form)},
		{"admin invite errors", AdminInvitationNew(list, wrong)},
		{"admin invitation link", AdminInvitationLink(list, AdminInvitationLinkView{Link: "https://id.example.org/signup?invite=t", Email: "ana@example.org", Mailed: true, Uses: 1, Until: sampleTime})},
		{"admin invitation link for many", AdminInvitationLink(list, AdminInvitationLinkView{Link: "https://id.example.org/signup?invite=t", Uses: 5, Until: sampleTime})},
	}
}

// leaveSamples are the pages of people who leave, and of those who come back.
func leaveSamples() []sample {
	list, own := signedIn("Users", layouts.SectionUsers), signedIn("Your account", layouts.SectionNone)
	rows := []DeletedRow{
		{URL: "/admin/users/b", Username: "bo", FullName: "Bo Chen", Email: "bo@example.org", Admin: true, Deleted: sampleTime, Until: sampleTime},
		{URL: "/admin/users/c", Username: "chidi", Deleted: sampleTime, Until: sampleTime},
	}
	filter := UsersFilter{Q: "b", Status: "deleted"}
	chips := []components.Link{{Label: "Status: Deleted", URL: "/admin/users?q=b"}}
	gone := AdminDeletedUserView{
		AdminTarget: sampleTarget, ID: "k7x2m4qpt6v3y5z2a4c6e8g3h5", FullName: "Bo Chen", Created: sampleTime, Deleted: sampleTime, Until: sampleTime,
		Activity: []ActivityItem{{Text: "Ana Silva deleted the account of Bo Chen.", When: sampleTime}}, ActivityURL: "/admin/audit?person=b", BackURL: "/admin/users?status=deleted",
	}
	disabled := gone
	disabled.Admin, disabled.DisabledSince, disabled.DisabledReason, disabled.FullName, disabled.Activity = true, sampleTime, "Left", "", nil
	mine := DeleteAccountView{Username: "ana", Email: "ana@example.org", MailOn: true}
	return []sample{
		{"delete account", DeleteAccount(own, mine)},
		{"delete account errors", DeleteAccount(own, DeleteAccountView{Username: "ana", Typed: "x", Errors: errorsOf("confirm", "current_password")})},
		{"delete account of the last admin", DeleteAccount(own, DeleteAccountView{Last: true})},
		{"export", Export(own, ExportView{})},
		{"export limit", Export(own, ExportView{Errors: components.Errors{sampleLimit().Problem()}})},
		{"admin deleted users", AdminDeleted(list, AdminDeletedView{Filter: filter, Chips: chips, ClearURL: "/admin/users", Rows: rows, NewURL: "/admin/users/new", Next: "/admin/users?after=x"})},
		{"admin deleted users none", AdminDeleted(list, AdminDeletedView{Filter: filter, Chips: chips, ClearURL: "/admin/users", NewURL: "/admin/users/new"})},
		{"admin deleted users past end", AdminDeleted(list, AdminDeletedView{Filter: filter, PastEnd: true, FirstURL: "/admin/users?status=deleted", NewURL: "/admin/users/new"})},
		{"admin deleted user", AdminDeletedUser(list, gone)},
		{"admin deleted user, disabled", AdminDeletedUser(list, disabled)},
	}
}
