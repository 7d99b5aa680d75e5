package handlers

import (
	"latchkey/handlers/forward"
	"latchkey/handlers/site"
	"latchkey/internal/middleware"
	"latchkey/static"
)

// The gates of routes.
var (
	anonymous = gate{}                                                     // the handler needs no identity, so no session rotates
	public    = gate{authenticate: true}                                   // for everyone, signed in or not
	users     = gate{authenticate: true, require: middleware.RequireUser}  // for signed-in people
	admins    = gate{authenticate: true, require: middleware.RequireAdmin} // for admins

	// Where confirmed addresses are required, only these are for people who have
	// not confirmed theirs.
	publicUnverified = gate{authenticate: true, unverified: true, oneStep: true}
	usersUnverified  = gate{authenticate: true, require: middleware.RequireUser, unverified: true}

	// Where a second step is required, only these and publicUnverified are for people
	// who lack one.
	usersOneStep = gate{authenticate: true, require: middleware.RequireUser, oneStep: true}

	// The page that asks people to confirm that it is them is for all of them.
	usersAlways = gate{authenticate: true, require: middleware.RequireUser, unverified: true, oneStep: true}
)

// confirming returns a gate that also asks people to confirm that it is them.
func confirming(g gate) gate {
	g.confirmed = true
	return g
}

// confirmingHere is confirming for a form that may hold the current password instead:
// the handler checks it, and a right one is a confirmation too.
func confirmingHere(g gate) gate {
	g.confirmed, g.password = true, true
	return g
}

// routes names every route and its gate. A POST also names the page that its
// form is on, and after a "?" the field that is part of that page's URL
// (site.FormOn). The routes of the API, each with its scope, are in api/api.go.
func (h *Handlers) routes(r router) {
	r.plain(healthPath, h.healthz)
	r.plain(readyPath, h.readyz)
	r.plain("/static/*", files(static.Handler(h.static), h.protects))
	r.plain("/favicon.ico", files(static.Favicon(h.static), false))
	r.plain("/.well-known/change-password", h.changePassword)
	r.plain("/.well-known/passkey-endpoints", h.passkeyEndpoints)
	r.plain(forward.Path, h.forward.Check)

	r.get("/", public, h.signin.Home)
	r.get("/signup", public, h.signin.ShowSignup)
	r.post("/signup", anonymous, either(h.api.Signup, h.signin.Signup), "/signup?next")
	r.get("/login", public, h.signin.ShowLogin)
	r.post("/login", anonymous, either(h.api.Login, h.signin.Login), "/login?next")
	r.get("/login/code", public, h.signin.ShowCode)
	r.post("/login/code", anonymous, h.signin.Code, "/login/code?next")
	r.get("/login/recovery", public, h.signin.ShowRecovery)
	r.post("/login/recovery", anonymous, h.signin.Recovery, "/login/recovery?next")
	r.get("/login/lost", anonymous, h.signin.ShowLost)
	r.script("/login/passkey/options", anonymous, h.signin.PasskeyOptions, "/login")
	r.script("/login/passkey", anonymous, h.signin.LoginPasskey, "/login")
	r.get("/logout", publicUnverified, h.signin.ShowLogout)
	r.post("/logout", anonymous, h.signin.Logout, "/logout")
	r.get(site.PathContinue, public, h.signin.Continue)
	r.get(site.PathVerify, publicUnverified, h.signin.ShowVerify)
	r.post(site.PathVerify, publicUnverified, h.signin.Verify, "/verify?next")
	r.post("/verify/send", publicUnverified, h.signin.SendVerify, "/verify?next")
	r.get("/verify/address", publicUnverified, h.signin.ShowVerifyAddress)
	r.post("/verify/address", publicUnverified, h.signin.VerifyAddress, "/verify/address")
	r.get("/forgot", publicUnverified, h.signin.ShowForgot)
	r.post("/forgot", anonymous, h.signin.Forgot, "/forgot?next")
	r.get("/forgot/sent", publicUnverified, h.signin.ForgotSent)
	r.get("/reset", publicUnverified, h.signin.ShowReset)
	r.post("/reset", anonymous, h.signin.Reset, "/reset?token")
	r.get("/secure", publicUnverified, h.signin.ShowSecure)
	r.post("/secure", anonymous, h.signin.Secure, "/secure?token")
	r.get("/setup", publicUnverified, h.signin.ShowSetup)
	r.post("/setup", anonymous, h.signin.Setup, "/setup?token")
	r.get(site.PathConfirm, usersAlways, h.account.ShowConfirm)
	r.post(site.PathConfirm, usersAlways, h.account.Confirm, "/confirm?next")
	r.post("/theme", anonymous, h.theme, "/")
	r.get("/docs", anonymous, h.docs)

	r.get("/profile", users, h.account.ShowProfile)
	r.post("/profile", users, h.account.Profile, "/profile")
	r.post("/profile/later", users, h.account.Later, "/profile")
	r.get("/profile/name", users, h.account.ShowName)
	r.post("/profile/name", users, h.account.Profile, "/profile/name")
	r.get("/profile/username", confirming(users), h.account.ShowUsername)
	r.post("/profile/username", confirmingHere(users), h.account.Profile, "/profile/username")
	r.get("/profile/password", users, h.account.ShowPassword)
	r.post("/profile/password", users, h.account.Password, "/profile/password")
	r.get("/profile/email", confirming(usersUnverified), h.account.ShowEmail)
	r.post("/profile/email", confirmingHere(usersUnverified), h.account.Email, "/profile/email")
	r.post("/profile/email/cancel", usersUnverified, h.account.CancelEmail, "/profile/email")
	r.get("/profile/security/passkeys/new", confirming(usersOneStep), h.account.ShowNewPasskey)
	r.script("/profile/security/passkeys/options", confirming(usersOneStep), h.account.PasskeyOptions, "/profile/security/passkeys/new")
	r.script("/profile/security/passkeys", confirming(usersOneStep), h.account.AddPasskey, "/profile/security/passkeys/new")
	r.get("/profile/security/passkeys/:id", usersOneStep, h.account.ShowPasskey)
	r.post("/profile/security/passkeys/:id", usersOneStep, h.account.RenamePasskey, "/profile/security/passkeys/:id")
	r.get("/profile/security/passkeys/:id/remove", confirming(usersOneStep), h.account.ConfirmRemovePasskey)
	r.post("/profile/security/passkeys/:id/remove", confirming(usersOneStep), h.account.RemovePasskey, "/profile/security/passkeys/:id/remove")
	r.script("/confirm/passkey/options", usersAlways, h.account.ConfirmPasskeyOptions, site.PathConfirm)
	r.script("/confirm/passkey", usersAlways, h.account.ConfirmPasskey, site.PathConfirm)
	r.get("/profile/theme", users, h.account.ShowTheme)
	r.get("/profile/activity", users, h.account.Activity)
	r.get("/profile/activity/replay/:id", users, h.account.Replay)
	r.post("/profile/activity/replay/:id", users, h.account.SecureAccount, "/profile/activity/replay/:id")
	r.get("/profile/export", confirming(users), h.account.ShowExport)
	r.post("/profile/export", confirming(users), h.account.Export, "/profile/export")
	r.get("/profile/delete", confirming(users), h.account.ConfirmDelete)
	r.post("/profile/delete", confirmingHere(users), h.account.Delete, "/profile/delete")
	r.get(site.PathSecurity, usersOneStep, h.account.Security)
	r.get(site.PathSecurity+"/app", confirming(usersOneStep), h.account.ShowApp)
	r.post(site.PathSecurity+"/app", confirming(usersOneStep), h.account.SetUpApp, site.PathSecurity+"/app?next")
	r.get(site.PathSecurity+"/app/off", confirming(usersOneStep), h.account.ConfirmAppOff)
	r.post(site.PathSecurity+"/app/off", confirming(usersOneStep), h.account.TurnOffApp, site.PathSecurity+"/app/off")
	r.get(site.PathSecurity+"/codes", confirming(usersOneStep), h.account.Codes)
	r.post(site.PathSecurity+"/codes", confirming(usersOneStep), h.account.MakeCodes, site.PathSecurity+"/codes")
	r.post(site.PathSecurity+"/codes/saved", usersOneStep, h.account.CodesSaved, site.PathSecurity+"/codes?next")
	r.get(site.PathSecurity+"/codes.txt", usersOneStep, h.account.CodesFile)
	r.post(site.PathSecurity+"/devices/:id/forget", usersOneStep, h.account.DistrustDevice, site.PathSecurity)
	r.get("/profile/sessions", users, h.account.Sessions)
	r.post("/profile/sessions/:id/end", users, h.account.EndSession, "/profile/sessions")
	r.get("/profile/sessions/end-others", users, h.account.ConfirmEndOthers)
	r.post("/profile/sessions/end-others", users, h.account.EndOthers, "/profile/sessions")
	r.post("/profile/devices/:id/forget", users, h.account.ForgetDevice, "/profile/sessions")
	r.get("/profile/tokens", users, h.account.Tokens)
	r.post("/profile/tokens", confirmingHere(users), h.account.CreateToken, "/profile/tokens")
	r.get("/profile/tokens/:id", users, h.account.ShowToken)
	r.get("/profile/tokens/:id/end", users, h.account.ConfirmRemoveToken)
	r.post("/profile/tokens/:id/end", users, h.account.RemoveToken, "/profile/tokens")

	r.get("/admin", admins, h.admin.Overview)
	r.get("/admin/users", admins, h.admin.Users)
	r.get("/admin/users.csv", admins, h.admin.UsersCSV)
	r.get("/admin/users/bulk", confirming(admins), h.admin.ShowBulk)
	r.post("/admin/users/bulk", confirming(admins), h.admin.Bulk, "/admin/users/bulk")
	r.get("/admin/users/new", confirming(admins), h.admin.ShowNewUser)
	r.post("/admin/users/new", confirming(admins), h.admin.NewUser, "/admin/users/new")
	r.get("/admin/users/:id", admins, h.admin.ShowUser)
	r.get("/admin/users/:id/edit", confirming(admins), h.admin.ShowEditUser)
	r.post("/admin/users/:id/edit", confirming(admins), h.admin.EditUser, "/admin/users/:id/edit")
	r.get("/admin/users/:id/disable", confirming(admins), h.admin.ConfirmDisable)
	r.post("/admin/users/:id/disable", confirming(admins), h.admin.Disable, "/admin/users/:id/disable")
	r.post("/admin/users/:id/enable", confirming(admins), h.admin.Enable, "/admin/users/:id")
	r.get("/admin/users/:id/sign-out", confirming(admins), h.admin.ConfirmSignOut)
	r.post("/admin/users/:id/sign-out", confirming(admins), h.admin.SignOutUser, "/admin/users/:id/sign-out")
	r.post("/admin/users/:id/sessions/:session/end", confirming(admins), h.admin.EndSession, "/admin/users/:id")
	r.get("/admin/users/:id/role", confirming(admins), h.admin.ConfirmRole)
	r.post("/admin/users/:id/role", confirming(admins), h.admin.Role, "/admin/users/:id/role")
	r.get("/admin/users/:id/reset-link", confirming(admins), h.admin.ConfirmResetLink)
	r.post("/admin/users/:id/reset-link", confirming(admins), h.admin.ResetLink, "/admin/users/:id/reset-link")
	r.get("/admin/users/:id/reset-two-step", confirming(admins), h.admin.ConfirmResetTwoStep)
	r.post("/admin/users/:id/reset-two-step", confirming(admins), h.admin.ResetTwoStep, "/admin/users/:id/reset-two-step")
	r.get("/admin/users/:id/link", admins, h.admin.ShowLink)
	r.post("/admin/users/:id/verify", confirming(admins), h.admin.Verify, "/admin/users/:id")
	r.post("/admin/users/:id/unlock", confirming(admins), h.admin.Unlock, "/admin/users/:id")
	r.get("/admin/users/:id/tokens/:token/end", confirming(admins), h.admin.ConfirmRemoveToken)
	r.post("/admin/users/:id/tokens/:token/end", confirming(admins), h.admin.RemoveToken, "/admin/users/:id/tokens/:token/end")
	r.get("/admin/users/:id/delete", confirming(admins), h.admin.ConfirmDelete)
	r.post("/admin/users/:id/delete", confirming(admins), h.admin.DeleteUser, "/admin/users/:id/delete")
	r.post("/admin/users/:id/restore", confirming(admins), h.admin.Restore, "/admin/users/:id")
	r.get("/admin/invitations", admins, h.admin.Invitations)
	r.get("/admin/invitations/new", confirming(admins), h.admin.ShowNewInvitation)
	r.post("/admin/invitations/new", confirming(admins), h.admin.NewInvitation, "/admin/invitations/new")
	r.get("/admin/invitations/:id/link", admins, h.admin.ShowInvitationLink)
	r.get("/admin/invitations/:id/withdraw", confirming(admins), h.admin.ConfirmWithdraw)
	r.post("/admin/invitations/:id/withdraw", confirming(admins), h.admin.Withdraw, "/admin/invitations/:id/withdraw")
	r.get("/admin/mail", admins, h.admin.Mail)
	r.post("/admin/mail/test", confirming(admins), h.admin.TestMail, "/admin/mail")
	r.get("/admin/mail/:id", admins, h.admin.ShowMessage)
	r.post("/admin/mail/:id/again", confirming(admins), h.admin.MailAgain, "/admin/mail/:id")
	r.get("/admin/audit", admins, h.admin.Audit)
	r.get("/admin/audit.csv", admins, h.admin.AuditCSV)
	r.get("/admin/settings", admins, h.admin.Settings)
}
