package account

import (
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/audit"
	"latchkey/internal/device"
	"latchkey/internal/notice"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/pages"
)

// activityPage is the number of events on a page.
const activityPage = 25

// Activity handles GET /profile/activity.
func (h *Handlers) Activity(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	before := query.Get("before")
	list, err := h.store.Audit.List(c.Request().Context(), models.AuditQuery{
		Subject: models.AuditPerson{IDs: []string{site.Identity(c).UserID}}, After: before, Limit: activityPage,
	})
	if err != nil {
		return err
	}
	var view pages.ActivityView
	for _, e := range list.Events {
		view.Items = append(view.Items, activityItem(e))
	}
	if before != "" {
		view.NewestURL = activityPath
	}
	if list.Next != "" {
		view.OlderURL = activityPath + "?before=" + url.QueryEscape(list.Next)
	}
	return site.Show(c, pages.Activity(h.site.Page(c, "Activity"), view))
}

const activityPath = "/profile/activity"

// Replay handles GET /profile/activity/replay/{id}: both uses of a copied session.
func (h *Handlers) Replay(c echo.Context) error {
	story, err := h.replay(c)
	if err != nil {
		return err
	}
	return site.Show(c, pages.Replay(h.site.Page(c, "A copied session was ended"), replayView(story)))
}

func (h *Handlers) replay(c echo.Context) (account.ReplayStory, error) {
	id, err := site.PathID(c, "id")
	if err != nil {
		return account.ReplayStory{}, err
	}
	return h.accounts.Replay(c.Request().Context(), site.Identity(c).UserID, id)
}

func replayView(story account.ReplayStory) pages.ReplayView {
	view := pages.ReplayView{
		SignedIn: story.Session.CreatedAt.Time(), Device: device.Name(story.Session.UserAgent),
		Second: pages.SessionUse{Device: device.Name(story.Event.UserAgent), Address: story.Event.IP, When: story.Event.At.Time()},
		Action: notice.ReplayPath(story.Event.ID), Mailed: story.Mailed, Email: story.Email, Undoes: story.Undoes,
	}
	if held := story.Held; held != nil {
		view.First = &pages.SessionUse{Device: device.Name(held.UserAgent), Address: held.IP, When: held.At.Time()}
	}
	return view
}

// SecureAccount handles POST /profile/activity/replay/{id}.
func (h *Handlers) SecureAccount(c echo.Context) error {
	if _, err := site.ReadForm(c); err != nil {
		return err
	}
	story, err := h.replay(c)
	if err != nil {
		return err
	}
	signedIn, err := h.accounts.SecureOwn(c.Request().Context(), h.credentialChange(c, nil, ""), story)
	if err != nil {
		return err
	}
	if signedIn == nil {
		return h.site.RedirectWithFlash(c, "/login", site.FlashSecured)
	}
	h.site.SignIn(c, signedIn)
	return h.site.RedirectWithFlash(c, "/profile/password", site.FlashSecuredHere)
}

// activityItem writes an event for the person it is about. It leaves out an
// admin's device and address, which the person must not see.
func activityItem(e models.Event) pages.ActivityItem {
	item := pages.ActivityItem{Text: audit.ToPerson(e), When: e.At.Time()}
	if e.Action == audit.Replay {
		item.More = components.Link{Label: "See what happened", URL: notice.ReplayPath(e.ID)}
	}
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
			label, page := "Check your devices", "/profile/sessions"
			if e.Action == audit.Replay {
				label, page = "See what happened", notice.ReplayPath(e.ID)
			}
			return &pages.Suggestion{
				Text: "One of your sessions was used from elsewhere.",
				Link: components.Link{Label: label, URL: page},
			}
		}
	}
	return nil
}
