package site

import (
	"github.com/labstack/echo/v4"

	"latchkey/internal/audit"
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
	ending := audit.EndingOf(reason)
	message := components.Message{Tone: toneOf(ending.Tone), Text: ending.Login}
	if reason == models.ReasonDisabled && s.Brand.SupportEmail != "" {
		message.Text += " Contact " + s.Brand.SupportEmail + "."
		message.Email = s.Brand.SupportEmail
	}
	return message
}

func toneOf(tone audit.Tone) components.Tone {
	switch tone {
	case audit.Warning:
		return components.Warn
	case audit.Refusal:
		return components.Bad
	}
	return components.Info
}
