package site

import (
	"strings"

	"github.com/labstack/echo/v4"

	"latchkey/internal/cookie"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// Keys of the messages that a redirect carries.
const (
	flashEnded               = "ended"
	FlashAccountReady        = "welcome"
	FlashAdminReady          = "setup"
	FlashReplayed            = "replayed"
	FlashStepOver            = "step-over"
	FlashRecoveryUsed        = "recovery-used"
	FlashNewPassword         = "new-password"
	FlashProfileSaved        = "profile"
	FlashPasswordChanged     = "password"
	FlashEmailChanged        = "email"
	FlashEmailConfirmed      = "confirmed"
	FlashConfirmedSignIn     = "confirmed-sign-in"
	FlashOtherConfirmed      = "confirmed-other"
	FlashLinkSent            = "link-sent"
	FlashEmailAsked          = "email-asked"
	FlashEmailCancelled      = "email-cancelled"
	FlashUserVerified        = "user-verified"
	FlashPasswordReset       = "reset"
	FlashLinkAsked           = "link-asked" // has no message: see PeekFlash
	FlashSecured             = "secured"
	FlashSecuredHere         = "secured-here"
	FlashSignedOut           = "signed-out"
	FlashSessionEnded        = "session"
	FlashOthersEnded         = "others"
	FlashDeviceForgotten     = "device"
	FlashDeviceAlreadyGone   = "no-device"
	FlashAppOn               = "app-on"
	FlashAppReplaced         = "app-replaced"
	FlashAppOff              = "app-off"
	FlashAppNone             = "no-app"
	FlashCodesMade           = "codes"
	FlashCodesShown          = "codes-shown"
	FlashNoCodes             = "no-codes"
	FlashDeviceDistrusted    = "device-distrusted"
	FlashDeviceNotTrusted    = "device-not-trusted"
	FlashUserDisabled        = "user-disabled"
	FlashUserEnabled         = "user-enabled"
	FlashUserSignedOut       = "user-signed-out"
	FlashUserSessionEnded    = "user-session"
	FlashRoleChanged         = "user-role"
	FlashLimitsCleared       = "user-unlocked"
	FlashTwoStepReset        = "user-two-step"
	FlashUserEdited          = "user-edited"
	FlashUserDeleted         = "user-deleted"
	FlashUserChanged         = "user-changed"
	FlashUsersDisabled       = "users-disabled"
	FlashUsersSignedOut      = "users-signed-out"
	FlashSessionAlreadyEnded = "no-session"
	FlashTokenRemoved        = "token"
	FlashUserTokenRemoved    = "user-token"
	FlashTokenAlreadyEnded   = "no-token"
	FlashTokenShown          = "token-shown"
	FlashLinkShown           = "link-shown"
	FlashSignedInAlready     = "invited-signed-in"
	FlashInvitationWithdrawn = "invitation-withdrawn"
	FlashInvitationNotOpen   = "invitation-not-open"
	FlashInvitationShown     = "invitation-shown"
	FlashUserRestored        = "user-restored"
	FlashAccountDeleted      = "deleted"
	FlashMailAgain           = "mail-again"
	FlashMailNow             = "mail-now"
	FlashMailChanged         = "mail-changed"
	FlashPasskeyAdded        = "passkey-added"
	FlashPasskeyRenamed      = "passkey-renamed"
	FlashPasskeyRemoved      = "passkey-removed"
	FlashDraftLost           = "draft-lost"
	flashNone                = "shown" // has no message
)

// SetFlash sends a message to the page that the response redirects to.
func (s *Site) SetFlash(c echo.Context, key string, args ...string) {
	s.Cookies.SetFlash(c.Response().Header(), cookie.Flash{Key: key, Args: args})
}

// RedirectWithFlash responds to a successful form: 303, with a message for the
// next page.
func (s *Site) RedirectWithFlash(c echo.Context, path, key string, args ...string) error {
	s.SetFlash(c, key, args...)
	return Redirect(c, path)
}

// PeekFlash returns the arguments of the message with a key that a redirect sent to
// this page, for a page that writes its own text. It returns nil when there is no
// such message.
func (s *Site) PeekFlash(c echo.Context, key string) []string {
	message := s.Cookies.PeekFlash(c.Request())
	if message.Key != key {
		return nil
	}
	return message.Args
}

// flashOf returns the message for a key, nil for a key without one.
func (s *Site) flashOf(message cookie.Flash) *layouts.Flash {
	arg := func(i int) string {
		if i < len(message.Args) {
			return message.Args[i]
		}
		return ""
	}
	ok := func(text string) *layouts.Flash { return &layouts.Flash{Kind: components.OK, Text: text} }
	switch message.Key {
	case flashEnded:
		words := s.EndReason(models.Reason(arg(0)))
		return &layouts.Flash{Kind: words.Tone, Text: words.Text, Email: words.Email}
	case FlashAccountReady:
		return ok("Your account is ready.")
	case FlashAdminReady:
		return ok("Your admin account is ready.")
	case FlashReplayed:
		flash := &layouts.Flash{Kind: components.Warn, Text: "We ended one of your sessions because a copy of it was used."}
		if arg(0) != "" {
			flash.Link = components.Link{Label: "See what happened", URL: "/profile/activity/replay/" + safeID(arg(0))}
		}
		return flash
	case FlashSecured:
		return ok("Your account is secured. We have sent you a link to choose a new password.")
	case FlashSecuredHere:
		return ok("Your other devices are signed out and your access tokens are removed. Now choose a new password.")
	case FlashStepOver:
		return &layouts.Flash{Kind: components.Info, Text: "This sign-in can no longer be finished: it took more than 5 minutes, or there were too many wrong codes. Sign in again."}
	case FlashNewPassword:
		return ok("You are signed in with your new password.")
	case FlashRecoveryUsed:
		return &layouts.Flash{Kind: components.Info, Text: "You signed in with a recovery code. If you have lost your phone, set up a new app now."}
	case FlashProfileSaved:
		return ok("Your changes are saved.")
	case FlashPasswordChanged:
		return ok("Your password is changed. Your other devices are signed out.")
	case FlashEmailChanged:
		return ok("Your email address is changed. Your other devices are signed out.")
	case FlashEmailConfirmed:
		return ok("Your email address is confirmed.")
	case FlashConfirmedSignIn:
		return ok("Your email address is confirmed. Sign in.")
	case FlashOtherConfirmed:
		return ok(arg(0) + " is confirmed.")
	case FlashLinkSent:
		return ok("A new link is on its way to " + arg(0) + ".")
	case FlashEmailAsked:
		return ok("We sent a link to " + arg(0) + ". Your address changes when you confirm it.")
	case FlashEmailCancelled:
		return ok("Your email address stays as it is.")
	case FlashPasswordReset:
		return ok("Your password is changed. Every device was signed out. Sign in with the new password.")
	case FlashSignedOut:
		return ok("You are signed out.")
	case FlashSessionEnded:
		return ok("Signed out of " + arg(0) + ".")
	case FlashSessionAlreadyEnded:
		return &layouts.Flash{Kind: components.Info, Text: "That device was already signed out."}
	case FlashOthersEnded:
		return ok("Signed out of " + arg(0) + ".")
	case FlashDeviceForgotten:
		return ok("Forgot " + arg(0) + ".")
	case FlashDeviceAlreadyGone:
		return &layouts.Flash{Kind: components.Info, Text: "That device was already forgotten."}
	case FlashTokenRemoved:
		return ok("The access token “" + arg(0) + "” is removed.")
	case FlashTokenAlreadyEnded:
		return &layouts.Flash{Kind: components.Info, Text: "That access token was already removed."}
	case FlashSignedInAlready:
		return &layouts.Flash{Kind: components.Info, Text: "You already have an account and are signed in. To use the invitation for another account, sign out first."}
	case FlashDraftLost:
		return draftMessage(cookie.Draft{Lost: true})
	case FlashAccountDeleted:
		return ok("Your account is deleted.")
	case FlashPasskeyAdded:
		return ok(strings.TrimSpace("You can sign in with your passkey now. " + othersOut(arg(0))))
	case FlashPasskeyRenamed:
		return ok("The passkey is renamed.")
	case FlashPasskeyRemoved:
		return ok("The passkey “" + arg(0) + "” is removed. " + strings.TrimSpace(othersOut(arg(1))+" Also remove it from your device’s password manager."))
	case FlashTokenShown:
		return &layouts.Flash{Kind: components.Info, Text: "An access token is shown only once. If you lost it, remove it and create another."}
	}
	if flash := stepFlash(message.Key, arg); flash != nil {
		return flash
	}
	if message.Key == FlashUsersDisabled || message.Key == FlashUsersSignedOut {
		return bulkFlash(message)
	}
	return adminFlash(message.Key, arg)
}

// stepFlash returns the message after a change of the second step, nil for other keys.
func stepFlash(key string, arg func(int) string) *layouts.Flash {
	ok := func(text string) *layouts.Flash { return &layouts.Flash{Kind: components.OK, Text: text} }
	note := func(text string) *layouts.Flash { return &layouts.Flash{Kind: components.Info, Text: text} }
	switch key {
	case FlashAppOn:
		return ok("Two-step sign-in is on. Your other devices are signed out.")
	case FlashAppReplaced:
		return ok("Your authenticator app is replaced. Your other devices are signed out.")
	case FlashAppOff:
		return ok("Two-step sign-in is off. Your other devices are signed out.")
	case FlashAppNone:
		return note("Two-step sign-in is already off.")
	case FlashCodesMade:
		return ok("You have new recovery codes. The old ones have stopped working.")
	case FlashCodesShown:
		return note("Recovery codes are shown only once. If you did not save them, make new ones.")
	case FlashNoCodes:
		return note("Recovery codes come with two-step sign-in, which is off.")
	case FlashDeviceDistrusted:
		return ok(arg(0) + " asks for the second step again.")
	case FlashDeviceNotTrusted:
		return note("That device already asks for the second step.")
	}
	return nil
}

// othersOut says that other devices were signed out, "" for none.
func othersOut(devices string) string {
	if devices == "" {
		return ""
	}
	return "We signed out your " + strings.TrimPrefix(devices, "1 ") + "."
}

// bulkFlash returns the message after an action on many accounts: the number of
// affected users, and the users who were left out.
func bulkFlash(message cookie.Flash) *layouts.Flash {
	if len(message.Args) == 0 {
		return nil
	}
	text, are := message.Args[0], " are "
	if text == "1 user" {
		are = " is "
	}
	if text += are + "signed out everywhere."; message.Key == FlashUsersDisabled {
		text = message.Args[0] + are + "disabled. Their sessions and tokens have stopped working."
	}
	return &layouts.Flash{Kind: components.OK, Text: strings.TrimSpace(text + " " + pages.LeftOut(message.Args[1:]))}
}

// adminFlash returns the message after an admin's action: the person, the ended
// sessions, and a button to undo it.
func adminFlash(key string, arg func(int) string) *layouts.Flash {
	ok := func(text string) *layouts.Flash { return &layouts.Flash{Kind: components.OK, Text: text} }
	switch key {
	case FlashUserDisabled:
		flash := ok(arg(0) + " is disabled. " + sessionsEnded(arg(1)) + "All its sessions and tokens have stopped working.")
		flash.Undo = &layouts.Undo{Action: "/admin/users/" + safeID(arg(2)) + "/enable", Label: "Undo", More: " disabling " + arg(0)}
		return flash
	case FlashUserEnabled:
		flash := ok(arg(0) + " is enabled and can sign in again.")
		flash.Undo = &layouts.Undo{
			Action: "/admin/users/" + safeID(arg(1)) + "/disable", Label: "Undo", More: " enabling " + arg(0),
			Fields: []components.Hidden{{Name: "reason", Value: arg(2)}}, // the start of a long one: see cookie.Jar.SetFlash
		}
		return flash
	case FlashUserSignedOut:
		return ok(strings.TrimSpace(arg(0) + " is signed out everywhere. " + sessionsEnded(arg(1))))
	case FlashUserSessionEnded:
		return ok(arg(0) + " is signed out of " + arg(1) + ".")
	case FlashRoleChanged:
		role := "a user"
		if arg(1) == string(models.RoleAdmin) {
			role = "an admin"
		}
		flash := ok(arg(0) + " is now " + role + ".")
		if arg(3) != arg(1) {
			flash.Undo = &layouts.Undo{
				Action: "/admin/users/" + safeID(arg(2)) + "/role", Label: "Undo", More: " changing the role of " + arg(0),
				Fields: []components.Hidden{{Name: "role", Value: arg(3)}, {Name: "was", Value: arg(1)}},
			}
		}
		return flash
	case FlashUserTokenRemoved:
		return ok("The access token “" + arg(0) + "” of " + arg(1) + " is removed.")
	case FlashUserChanged:
		return &layouts.Flash{Kind: components.Info, Text: "This account has changed since you opened it. This page shows its current state."}
	case FlashLinkShown:
		return &layouts.Flash{Kind: components.Info, Text: "A reset link is shown only once. If you lost it, create a new one."}
	case FlashInvitationWithdrawn:
		return ok("The invitation is withdrawn. Its link has stopped working.")
	case FlashInvitationNotOpen:
		return &layouts.Flash{Kind: components.Info, Text: "That invitation was not open any more."}
	case FlashInvitationShown:
		return &layouts.Flash{Kind: components.Info, Text: "The link of an invitation is shown only once. If you lost it, withdraw the invitation and create another."}
	case FlashUserRestored:
		return ok("The account of " + arg(0) + " is restored.")
	case FlashMailAgain:
		return ok("A new message is on its way to " + arg(0) + ".")
	case FlashMailNow:
		return ok("The message is being sent now.")
	case FlashMailChanged:
		return &layouts.Flash{Kind: components.Info, Text: "This message has changed since you opened it. This page shows its current state."}
	case FlashLimitsCleared:
		return ok("The sign-in limits of " + arg(0) + " are cleared.")
	case FlashTwoStepReset:
		return ok(strings.TrimSpace("The two-step sign-in of " + arg(0) + " is reset. " + sessionsEnded(arg(1))))
	case FlashUserVerified:
		return ok("The email address of " + arg(0) + " is marked as verified.")
	case FlashUserEdited:
		return ok(strings.TrimSpace("The changes to " + arg(0) + " are saved. " + sessionsEnded(arg(1))))
	case FlashUserDeleted:
		flash := ok("The account of " + arg(0) + " is deleted. " + sessionsEnded(arg(1)) + "It can be restored until " + arg(3) + ".")
		flash.Undo = &layouts.Undo{Action: "/admin/users/" + safeID(arg(2)) + "/restore", Label: "Undo", More: " deleting the account of " + arg(0)}
		return flash
	}
	return nil
}

// sessionsEnded states the number of sessions that an action ended, "" for none.
func sessionsEnded(sessions string) string {
	if sessions == "" {
		return ""
	}
	return sessions + " ended. "
}
