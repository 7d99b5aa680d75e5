package handlers

import (
	"strings"

	"latchkey/internal/cookie"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/layouts"
)

// Keys of the messages that a redirect carries.
const (
	flashEnded        = "ended"
	flashWelcome      = "welcome"
	flashSetup        = "setup"
	flashReplayed     = "replayed"
	flashProfile      = "profile"
	flashPassword     = "password"
	flashEmail        = "email"
	flashReset        = "reset"
	flashSignedOut    = "signed-out"
	flashSession      = "session"
	flashOthers       = "others"
	flashDisabled     = "user-disabled"
	flashEnabled      = "user-enabled"
	flashUserOut      = "user-signed-out"
	flashRole         = "user-role"
	flashUnlocked     = "user-unlocked"
	flashDeleted      = "user-deleted"
	flashUserChanged  = "user-changed"
	flashWasNoSession = "no-session"
	flashToken        = "token"
	flashUserToken    = "user-token"
	flashWasNoToken   = "no-token"
	flashTokenShown   = "token-shown"
	flashLinkShown    = "link-shown"
	flashShown        = "shown" // has no words
)

// flashOf gives a message its words; nil for a key that has none.
func (h *Handlers) flashOf(message cookie.Flash) *layouts.Flash {
	arg := func(i int) string {
		if i < len(message.Args) {
			return message.Args[i]
		}
		return ""
	}
	ok := func(text string) *layouts.Flash { return &layouts.Flash{Kind: components.OK, Text: text} }
	switch message.Key {
	case flashEnded:
		words := h.ended(models.Reason(arg(0)))
		return &layouts.Flash{Kind: words.Tone, Text: words.Text, Email: words.Email}
	case flashWelcome:
		return ok("Your account is ready.")
	case flashSetup:
		return ok("Your admin account is ready.")
	case flashReplayed:
		return &layouts.Flash{Kind: components.Warn, Text: "One of your sessions was ended because a copy of its sign-in was used. " +
			"If you do not know why, change your password."}
	case flashProfile:
		return ok("Your changes are saved.")
	case flashPassword:
		return ok("Your password is changed. Your other devices are signed out.")
	case flashEmail:
		return ok("Your email address is changed. Your other devices are signed out.")
	case flashReset:
		return ok("Your password is changed. Every device was signed out. Sign in with the new password.")
	case flashSignedOut:
		return ok("You are signed out.")
	case flashSession:
		return ok("Signed out of " + arg(0) + ".")
	case flashWasNoSession:
		return &layouts.Flash{Kind: components.Info, Text: "That device was signed out already."}
	case flashOthers:
		return ok("Signed out of " + arg(0) + ".")
	case flashToken:
		return ok("The access token " + arg(0) + " is ended.")
	case flashWasNoToken:
		return &layouts.Flash{Kind: components.Info, Text: "That access token was ended already."}
	case flashTokenShown:
		return &layouts.Flash{Kind: components.Info, Text: "An access token is shown only once. If it was lost, end it and create another."}
	}
	return adminFlash(message.Key, arg)
}

// adminFlash are the messages after an act on somebody else: who, what ended,
// and the way to undo it.
func adminFlash(key string, arg func(int) string) *layouts.Flash {
	ok := func(text string) *layouts.Flash { return &layouts.Flash{Kind: components.OK, Text: text} }
	switch key {
	case flashDisabled:
		ended := "Nothing"
		if arg(1) != "" {
			ended = arg(1) + " ended; nothing"
		}
		flash := ok(arg(0) + " is disabled. " + ended + " of this account is accepted any more.")
		flash.Undo = &layouts.Undo{Action: "/admin/users/" + safeID(arg(2)) + "/enable", Label: "Undo", More: " disabling " + arg(0)}
		return flash
	case flashEnabled:
		flash := ok(arg(0) + " is enabled and can sign in again.")
		flash.Undo = &layouts.Undo{
			Action: "/admin/users/" + safeID(arg(1)) + "/disable", Label: "Undo", More: " enabling " + arg(0),
			Fields: []components.Hidden{{Name: "reason", Value: arg(2)}}, // the start of a long one: see cookie.Jar.SetFlash
		}
		return flash
	case flashUserOut:
		return ok(strings.TrimSpace(arg(0) + " is signed out everywhere. " + sessionsEnded(arg(1))))
	case flashRole:
		role := "a user"
		if arg(1) == string(models.RoleAdmin) {
			role = "an admin"
		}
		flash := ok(arg(0) + " is " + role + " now.")
		if arg(3) != arg(1) {
			flash.Undo = &layouts.Undo{
				Action: "/admin/users/" + safeID(arg(2)) + "/role", Label: "Undo", More: " changing the role of " + arg(0),
				Fields: []components.Hidden{{Name: "role", Value: arg(3)}, {Name: "was", Value: arg(1)}},
			}
		}
		return flash
	case flashUserToken:
		return ok("The access token " + arg(0) + " of " + arg(1) + " is ended.")
	case flashUserChanged:
		return &layouts.Flash{Kind: components.Info, Text: "This account changed since you opened it. Here is the new state."}
	case flashLinkShown:
		return &layouts.Flash{Kind: components.Info, Text: "A link to set a password is shown only once. Create a new one if it was lost."}
	case flashUnlocked:
		return ok("The sign-in limits of " + arg(0) + " are cleared.")
	case flashDeleted:
		return ok(strings.TrimSpace("The account of " + arg(0) + " is deleted. " + sessionsEnded(arg(1))))
	}
	return nil
}

// sessionsEnded is the sentence about sessions that an act ended, "" for none.
func sessionsEnded(sessions string) string {
	if sessions == "" {
		return ""
	}
	return sessions + " ended. "
}

func endedFlash(reason models.Reason) cookie.Flash {
	return cookie.Flash{Key: flashEnded, Args: []string{string(reason)}}
}

// endedWords say why a session is over, to the person whose it was.
func endedWords(reason models.Reason) components.Message {
	info := func(text string) components.Message { return components.Message{Tone: components.Info, Text: text} }
	switch reason {
	case models.ReasonLogout:
		return info("You signed out. Sign in to go on.")
	case models.ReasonElse:
		return info("This device was signed out from another one. Sign in to go on.")
	case models.ReasonAdmin:
		return info("An admin signed you out everywhere. Sign in to go on.")
	case models.ReasonDisabled:
		return components.Message{Tone: components.Bad, Text: "This account is disabled."}
	case models.ReasonPassword:
		return info("Your password was changed, and every device was signed out. Sign in with the new password.")
	case models.ReasonEmail:
		return info("Your email address was changed, and every device was signed out. Sign in to go on.")
	case models.ReasonReplaced:
		return info("You signed in again in this browser, which ended the earlier session. Sign in to go on.")
	case models.ReasonLimit:
		return info("You signed in on many devices, and the one used longest ago was signed out: this one. Sign in to go on.")
	case models.ReasonIdle:
		return info("You were signed out because this device was not used for a while. Sign in to go on.")
	case models.ReasonExpired:
		return info("You were signed out because you signed in long ago. Sign in to go on.")
	case models.ReasonReplay:
		return components.Message{Tone: components.Warn, Text: "This session was ended to protect your account: an old copy of it was used, " +
			"perhaps by somebody else. Sign in again, and change your password if you do not know why."}
	}
	return info("You were signed out. Sign in to go on.")
}
