package admin

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// Audit handles GET /admin/audit.
func (h *Handlers) Audit(c echo.Context) error {
	f, query, wrong, err := h.readAudit(c)
	if err != nil {
		return err
	}
	var failure error
	var list models.AuditPage
	if wrong.Any() {
		failure = apperr.New(apperr.Invalid, "", errors.New("the filter"))
	} else if list, err = h.store.Audit.List(c.Request().Context(), query); err != nil {
		return err
	}
	view := pages.AdminAuditView{
		Filter: pages.AuditFilter{
			Person: f.person, Actor: f.actor, Subject: f.subject, From: f.from, To: f.to, Zone: f.zone, Actions: auditChoices(f.action),
		},
		Errors: wrong, ClearURL: "/admin/audit",
		FirstURL: f.url("/admin/audit"), CSVURL: f.url("/admin/audit.csv"),
		PastEnd: len(list.Events) == 0 && query.After+query.Before != "",
	}
	if list.Prev != "" {
		view.Previous = f.url("/admin/audit", "before", list.Prev)
	}
	if list.Next != "" {
		view.Next = f.url("/admin/audit", "after", list.Next)
	}
	if view.Days, err = h.auditDays(c.Request().Context(), list.Events); err != nil {
		return err
	}
	if view.Chips, err = h.auditChips(c.Request().Context(), f); err != nil {
		return err
	}
	return site.Answer(c, failure, pages.AdminAudit(h.site.Section(c, layouts.SectionAudit, "Audit log"), view))
}

// auditDays writes events as sentences, grouped by day in UTC. People are shown by
// their current names, linked to their accounts, and deleted accounts by their
// names at the time of the event.
func (h *Handlers) auditDays(ctx context.Context, events []models.Event) ([]pages.AuditDay, error) {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.ActorID, e.SubjectID)
	}
	existing, err := h.store.Users.Named(ctx, ids)
	if err != nil {
		return nil, err
	}
	person := func(id, name, nobody string) pages.AuditPerson {
		switch {
		case id == "":
			return pages.AuditPerson{Name: cmp.Or(name, nobody)}
		case existing[id] == nil:
			return pages.AuditPerson{Name: name, Deleted: true}
		}
		today := pages.AuditPerson{Name: existing[id].Name(), URL: userPath(id), EventsURL: eventsOf(id)}
		if today.Name != name {
			today.Username = name
		}
		return today
	}
	var days []pages.AuditDay
	for _, e := range events {
		line := audit.LineOf(e)
		row := pages.AuditRow{
			Kind: components.Link{Label: e.Action},
			When: e.At.Time(), Actor: person(e.ActorID, e.ActorName, "Someone"), Verb: line.Before, After: line.After,
			Detail: line.Detail, Apart: line.Apart, Token: line.Token, IP: e.IP, Device: site.EventDevice(e), Session: e.SessionID, Request: e.RequestID,
		}
		if line.Named {
			row.Subject = person(e.SubjectID, e.SubjectName, "")
		}
		if label := audit.Label(e.Action); label != "" { // not an event of another version
			row.Kind = components.Link{Label: label, URL: auditFilter{action: e.Action}.url("/admin/audit")}
		}
		row.Icon, row.Tone = eventIcon(e.Action)
		if n := len(days); n == 0 || !sameDay(days[n-1].Day, row.When) {
			days = append(days, pages.AuditDay{Day: row.When})
		}
		day := &days[len(days)-1]
		day.Rows = append(day.Rows, row)
	}
	return days, nil
}

// eventsOf returns the URL of the log of all events by or about a user.
func eventsOf(userID string) string { return auditFilter{person: userID}.url("/admin/audit") }

// sameDay reports whether two instants are on the same day in UTC.
func sameDay(a, b time.Time) bool {
	return a.UTC().Format(dayFormat) == b.UTC().Format(dayFormat)
}

// eventIcon returns the drawing of an event, and its colour if it is a warning or
// takes something away.
func eventIcon(action string) (components.IconName, components.Tone) {
	switch action {
	case audit.UserDisable, audit.UserDelete, audit.UserErase, audit.AccountDelete:
		return components.IconBan, components.Bad
	case audit.LoginFailed, audit.LoginDisabled, audit.LoginUnverified, audit.PasswordFailed, audit.Replay, audit.Restored, audit.LateDelivery, audit.ScopeRefused:
		return components.IconProblem, components.Warn
	case audit.Login, audit.APILogin:
		return components.IconEnter, components.Plain
	case audit.Logout, audit.APILogout, audit.SessionEnd, audit.OtherSessionsEnd, audit.UserSignOut, audit.UserSessionEnd:
		return components.IconLeave, components.Plain
	case audit.TokenCreate, audit.TokenRemove, audit.UserTokenRemove, audit.PasswordChange, audit.PasswordReset, audit.UserResetLink:
		return components.IconKey, components.Plain
	}
	return components.IconPerson, components.Plain
}

// nameToday replaces the names in events with the people's current names.
func (h *Handlers) nameToday(ctx context.Context, events []models.Event) error {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.ActorID, e.SubjectID)
	}
	existing, err := h.store.Users.Named(ctx, ids)
	if err != nil {
		return err
	}
	for i, e := range events {
		if user := existing[e.ActorID]; user != nil {
			events[i].ActorName = user.Name()
		}
		if user := existing[e.SubjectID]; user != nil {
			events[i].SubjectName = user.Name()
		}
	}
	return nil
}
