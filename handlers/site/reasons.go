package site

import (
	"github.com/labstack/echo/v4"

	"latchkey/models"
	"latchkey/views/components"
)

// FlashEndReason tells the next page why the session is over.
func (s *Site) FlashEndReason(c echo.Context, reason models.Reason) {
	s.SetFlash(c, flashEnded, string(reason))
}

// EndReason says why a session is over, and whom to ask about a disabled
// account.
func (s *Site) EndReason(reason models.Reason) components.Message {
	message := endedWords(reason)
	if reason == models.ReasonDisabled && s.Brand.SupportEmail != "" {
		message.Text += " Contact " + s.Brand.SupportEmail + "."
		message.Email = s.Brand.SupportEmail
	}
	return message
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

// EndedBecause says why a session in a list is over.
func EndedBecause(reason models.Reason) string {
	switch reason {
	case models.ReasonLogout:
		return "Signed out on the device."
	case models.ReasonElse:
		return "Signed out from another device."
	case models.ReasonAdmin:
		return "Signed out by an admin."
	case models.ReasonDisabled:
		return "The account was disabled."
	case models.ReasonPassword:
		return "The password was changed."
	case models.ReasonEmail:
		return "The email address was changed."
	case models.ReasonReplaced:
		return "Signed in again in the same browser."
	case models.ReasonLimit:
		return "Too many devices were signed in."
	case models.ReasonReplay:
		return "Ended because a copy of its sign-in was used."
	case models.ReasonRestored:
		return "Ended when the server was restored from a backup."
	case models.ReasonIdle:
		return "Not used for a while."
	case models.ReasonExpired:
		return "It lasted as long as a session may."
	}
	return "Ended."
}
