package account

import (
	"latchkey/handlers/site"
	"latchkey/internal/audit"
	"latchkey/models"
)

// toPerson writes an event as a sentence to the person it is about.
func toPerson(e models.Event) string {
	if e.UserAgent == "" {
		return audit.ToPerson(e, "")
	}
	return audit.ToPerson(e, site.DeviceName(e.UserAgent))
}
