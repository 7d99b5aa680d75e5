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
