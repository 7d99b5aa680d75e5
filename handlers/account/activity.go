package account

import (
	"time"

	"latchkey/handlers/site"
	"latchkey/internal/audit"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/pages"
)

// activityItem writes an event for the person it is about. It leaves out an
// admin's device and address, which the person must not see.
func activityItem(e models.Event) pages.ActivityItem {
	item := pages.ActivityItem{Text: audit.ToPerson(e), When: e.At.Time()}
	if e.ActorID != "" && e.ActorID != e.SubjectID {
		return item
	}
	item.Device, item.Address = site.EventDevice(e), e.IP
	return item
}

// warnFor is how long the account home warns of an event.
const warnFor = 7 * 24 * time.Hour

// warning returns the problem that the person should look at according to the last
// events, newest first; nil if there is none.
func warning(events []models.Event, now time.Time) *pages.Suggestion {
	for _, e := range events {
		if now.Sub(e.At.Time()) < warnFor && (e.Action == audit.Replay || e.Action == audit.LateDelivery) {
			return &pages.Suggestion{
				Text: "One of your sessions was used from elsewhere.",
				Link: components.Link{Label: "Check your devices", URL: "/profile/sessions"},
			}
		}
	}
	return nil
}
