package audit

import "latchkey/models"

// The names of the events. They are stored: never change one.
const (
	SignUp           = "sign-up"
	SignUpTaken      = "sign-up-taken"
	Setup            = "setup"
	Login            = "login"
	LoginFailed      = "login-failed"
	LoginDisabled    = "login-disabled"
	LoginUnverified  = "login-unverified"
	LoginNoStep      = "login-second-step"
	CodeFailed       = "code-failed"
	Logout           = "logout"
	Replay           = "refresh-replay"
	Restored         = "refresh-from-the-future"
	LateDelivery     = "refresh-late"
	SessionEnd       = "session-end"
	OtherSessionsEnd = "sessions-end-others"
	ProfileChange    = "profile-change"
	PasswordChange   = "password-change"
	PasswordFailed   = "password-check-failed"
	CodeCheckFailed  = "code-check-failed"
	PasswordReset    = "password-reset"
	ResetAsked       = "reset-asked"
	Secured          = "account-secured"
	EmailChange      = "email-change"
	EmailChangeAsked = "email-change-asked"
	EmailChangeEnded = "email-change-cancelled"
	EmailVerify      = "email-verify"
	DeviceForget     = "device-forget"
	DeviceDistrust   = "device-distrust"
	Confirmed        = "confirmed"
	AppOn            = "app-on"
	AppReplace       = "app-replace"
	AppOff           = "app-off"
	CodesMade        = "recovery-codes-made"
	PasskeyAdd       = "passkey-add"
	PasskeyRename    = "passkey-rename"
	PasskeyRemove    = "passkey-remove"
	PasskeyFlags     = "passkey-flags"
	PasskeyCounter   = "passkey-counter"
	PasskeyRefused   = "passkey-refused"
	UserResetStep    = "user-reset-two-step"
	UserCreate       = "user-create"
	UserDisable      = "user-disable"
	UserEnable       = "user-enable"
	UserSignOut      = "user-sign-out"
	UserSessionEnd   = "user-session-end"
	UserRole         = "user-role"
	UserResetLink    = "user-reset-link"
	UserUnlock       = "user-unlock"
	UserVerify       = "user-verify"
	UserDelete       = "user-delete"
	UserProfile      = "user-profile"
	UserTokenRemove  = "user-token-end"
	UserRestore      = "user-restore"
	UserErase        = "user-erase"
	UsersImport      = "users-import"
	AccountDelete    = "account-delete"
	DataExport       = "data-export"
	InviteCreate     = "invitation-create"
	InviteWithdraw   = "invitation-withdraw"
	MailTest         = "mail-test"
	MailAgain        = "mail-again"
	DatabaseRestored = "database-restored"
	APILogin         = "api-login"
	APILogout        = "api-logout"
	ScopeRefused     = "api-scope-refused"
	TokenCreate      = "personal-token-create"
	TokenRemove      = "personal-token-end"

	LoginLimited = "login-limited"
	Limited      = "limited"
	TokenClass   = "token-of-another-class"
)

// Group is a group of events in the filter of the audit log.
type Group string

// The groups, in the order of the filter. An event without a group is written
// only to the server's log.
const (
	SigningIn  Group = "Signing in"
	OwnAccount Group = "Own account"
	Admins     Group = "Admins"
)

// kind has the texts of one kind of event.
type kind struct {
	name  string
	group Group
	label string // in the filter
	// admins is the sentence for admins after the actor's name. "{subject}"
	// stands for the affected person. A part in brackets is left out when the
	// actor is that person, or when no person is known.
	admins string
	// person is the sentence for the affected person, without the admin's name
	// or note, and without the device, which stands beside it.
	person string
}

// kinds has all events in the order of the filter. A new event needs a constant
// and a row.
var kinds = []kind{
	{Login, SigningIn, "Signed in", "signed in", "You signed in."},
	{
		LoginFailed, SigningIn, "Wrong password", "tried to sign in [as {subject}] with a wrong password",
		"Someone tried to sign in to your account. The password was wrong.",
	},
	{
		LoginDisabled, SigningIn, "Sign-in to disabled account", "tried to sign in to the disabled account [{subject}]",
		"Someone tried to sign in while your account was disabled.",
	},
	{
		LoginUnverified, SigningIn, "API sign-in before confirming", "tried to sign in through the API [as {subject}] before the email address was confirmed",
		"A program tried to sign in to your account before you confirmed your email address.",
	},
	{
		LoginNoStep, SigningIn, "API sign-in without second step", "tried to sign in through the API [as {subject}] with a password only",
		"A program tried to sign in to your account with your password. Your account needs a second step: give the program an access token instead.",
	},
	{
		CodeFailed, SigningIn, "Wrong code", "entered a wrong code [for {subject}] after the right password",
		"Someone entered your password and a wrong code.",
	},
	{
		PasskeyRefused, SigningIn, "Passkey refused", "used a passkey [of {subject}] that was refused",
		"A passkey of yours was refused.",
	},
	{
		PasskeyCounter, SigningIn, "Counter of a passkey", "used a passkey of {subject} whose counter did not rise",
		"The counter of a passkey did not rise. Someone may have a copy of the passkey.",
	},
	{
		PasskeyFlags, SigningIn, "Passkey can be synced now", "used a passkey of {subject} that can be synced now",
		"A passkey of yours can be synced to other devices now.",
	},
	{Logout, SigningIn, "Signed out", "signed out", "You signed out."},
	{SessionEnd, SigningIn, "Ended a session", "signed out another device", "You signed out another device."},
	{OtherSessionsEnd, SigningIn, "Ended other sessions", "signed out all other devices", "You signed out your other devices."},
	{Replay, SigningIn, "Copied session used", "used a copy of a session of {subject}", EndingOf(models.ReasonReplay).Activity},
	{
		Restored, SigningIn, "Session newer than the backup",
		"used a session of {subject} from before the server was restored from a backup", EndingOf(models.ReasonRestored).Activity,
	},
	{APILogin, SigningIn, "Signed in through the API", "signed in through the API", "A program signed in to your account through the API."},
	{APILogout, SigningIn, "Signed out of the API", "signed out of the API", "A program signed out of the API."},
	{
		LateDelivery, SigningIn, "Session continued elsewhere", "continued a session of {subject} from another address or in another browser",
		"One of your sessions continued from another address or in another browser than before. If that was not you, sign out your devices.",
	},
	{
		ScopeRefused, SigningIn, "API scope refused", "asked the API for a scope that the role of {subject} does not allow",
		"A program used your password and asked for permissions that your account does not have.",
	},

	{SignUp, OwnAccount, "Created account", "created an account", "You created your account."},
	{
		SignUpTaken, OwnAccount, "Sign-up with a taken email", "tried to create an account with the email address [of {subject}]",
		"Someone tried to create an account with your email address.",
	},
	{Setup, OwnAccount, "Set up first admin", "created the first admin account", "You created your account."},
	{ProfileChange, OwnAccount, "Changed profile", "changed their profile", "You changed your profile."},
	{PasswordChange, OwnAccount, "Changed password", "changed their password", "You changed your password."},
	{PasswordFailed, OwnAccount, "Wrong current password", "entered a wrong current password", "Someone entered a wrong current password."},
	{CodeCheckFailed, OwnAccount, "Wrong code to confirm", "entered a wrong code to confirm who they are", "Someone who was signed in to your account entered a wrong code."},
	{PasswordReset, OwnAccount, "Set password by link", "set a new password with a reset link", "Your password was set with a reset link."},
	{ResetAsked, OwnAccount, "Asked for reset link", "asked for a reset link [for {subject}]", "Someone asked for a link to reset your password."},
	{
		Secured, OwnAccount, "Secured account", "secured the account [of {subject}] because someone else may have used it",
		"You secured your account: every device was signed out and every access token was removed.",
	},
	{EmailChange, OwnAccount, "Changed email", "changed their email address", "You changed your email address."},
	{
		EmailChangeAsked, OwnAccount, "Asked for another email", "asked for another email address",
		"You asked for another email address.",
	},
	{
		EmailChangeEnded, OwnAccount, "Cancelled a change of email", "cancelled the change of their email address",
		"You cancelled the change of your email address.",
	},
	{EmailVerify, OwnAccount, "Confirmed email", "confirmed their email address", "You confirmed your email address."},
	{DeviceForget, OwnAccount, "Removed known device", "removed a known device", "You removed a known device."},
	{
		DeviceDistrust, OwnAccount, "Forgot remembered device", "made a remembered device ask for the second step again",
		"You made a remembered device ask for the second step again.",
	},
	{Confirmed, OwnAccount, "Confirmed identity", "confirmed who they are", "You confirmed that it is you."},
	{AppOn, OwnAccount, "Turned on two-step sign-in", "turned on two-step sign-in", "You turned on two-step sign-in."},
	{AppReplace, OwnAccount, "Replaced authenticator app", "replaced their authenticator app", "You replaced your authenticator app."},
	{AppOff, OwnAccount, "Turned off two-step sign-in", "turned off two-step sign-in", "You turned off two-step sign-in."},
	{CodesMade, OwnAccount, "Made recovery codes", "made new recovery codes", "You made new recovery codes."},
	{PasskeyAdd, OwnAccount, "Added passkey", "added a passkey", "You added a passkey."},
	{PasskeyRename, OwnAccount, "Renamed passkey", "renamed a passkey", "You renamed a passkey."},
	{PasskeyRemove, OwnAccount, "Removed passkey", "removed a passkey", "You removed a passkey."},
	{TokenCreate, OwnAccount, "Created access token", "created an access token", "You created an access token."},
	{TokenRemove, OwnAccount, "Removed access token", "removed an access token", "One of your access tokens was removed."},
	{DataExport, OwnAccount, "Downloaded own data", "downloaded their data", "You downloaded your data."},
	{AccountDelete, OwnAccount, "Deleted own account", "deleted their own account", "You deleted your account."},

	{UserCreate, Admins, "Created user", "created the account of {subject}", "An admin created your account."},
	{UserDisable, Admins, "Disabled user", "disabled {subject}", "An admin disabled your account."},
	{UserEnable, Admins, "Enabled user", "enabled {subject}", "An admin enabled your account."},
	{UserSignOut, Admins, "Signed user out", "signed out {subject} everywhere", "An admin signed you out everywhere."},
	{UserSessionEnd, Admins, "Signed user out of a device", "signed {subject} out of a device", "An admin signed you out of a device."},
	{UserRole, Admins, "Changed role", "changed the role of {subject}", "An admin changed your role."},
	{UserProfile, Admins, "Changed user's profile", "changed the profile of {subject}", "An admin changed your profile."},
	{UserResetLink, Admins, "Created reset link", "created a reset link for {subject}", "An admin created a reset link for your account."},
	{UserUnlock, Admins, "Cleared sign-in limits", "cleared the sign-in limits of {subject}", "An admin cleared your sign-in limits."},
	{UserVerify, Admins, "Marked email as verified", "marked the email address of {subject} as verified", "An admin marked your email address as verified."},
	{
		UserResetStep, Admins, "Reset two-step sign-in", "reset the two-step sign-in of {subject}",
		"An admin reset your two-step sign-in: your authenticator app, recovery codes and passkeys were removed.",
	},
	{UserTokenRemove, Admins, "Removed user's access token", "removed an access token of {subject}", "An admin removed one of your access tokens."},
	{MailTest, Admins, "Sent a test message", "sent a test message", "An admin sent a test message."},
	{MailAgain, Admins, "Sent a message again", "sent a message [about {subject}] again", "An admin sent you a message again."},
	{UserDelete, Admins, "Deleted user", "deleted the account of {subject}", "An admin deleted your account."},
	{UserRestore, Admins, "Restored user", "restored the account of {subject}", "An admin restored your account."},
	{UserErase, Admins, "Erased user", "erased the account of {subject}", "Your account was erased."},
	{UsersImport, Admins, "Imported accounts", "imported accounts", "Accounts were imported."},
	{InviteCreate, Admins, "Created invitation", "created an invitation", "An invitation was created."},
	{InviteWithdraw, Admins, "Withdrew invitation", "withdrew an invitation", "An invitation was withdrawn."},
	{
		DatabaseRestored, Admins, "Restored a backup", "restored the database from a backup",
		"The server was restored from a backup: every device was signed out and every access token was removed.",
	},

	{name: LoginLimited},
	{name: Limited},
	{name: TokenClass},
}

// loud are the events whose lines in the server's log are warnings: someone may
// be attacking.
var loud = []string{Replay, LateDelivery, LoginLimited, Limited, TokenClass}

// find returns the kind of an event; the zero kind for one of another version.
func find(name string) kind {
	for _, k := range kinds {
		if k.name == name {
			return k
		}
	}
	return kind{}
}
