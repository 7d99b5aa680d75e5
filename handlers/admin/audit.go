package admin

import (
	"cmp"
	"context"
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/models"
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
		Errors: wrong, ClearURL: "/admin/audit", Filtered: f.filtered(),
		FirstURL: f.url("/admin/audit"), CSVURL: f.url("/admin/audit.csv"),
		PastEnd: len(list.Events) == 0 && query.After+query.Before != "",
	}
	if list.Prev != "" {
		view.Previous = f.url("/admin/audit", "before", list.Prev)
	}
	if list.Next != "" {
		view.Next = f.url("/admin/audit", "after", list.Next)
	}
	if view.Rows, err = h.auditRows(c.Request().Context(), list.Events); err != nil {
		return err
	}
	return site.Answer(c, failure, pages.AdminAudit(h.site.Section(c, layouts.SectionAudit, "Audit log"), view))
}

// auditRows writes events as sentences. People have the names of today, linked
// to their accounts; deleted accounts have those of the event.
func (h *Handlers) auditRows(ctx context.Context, events []models.Event) ([]pages.AuditRow, error) {
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
		today := pages.AuditPerson{Name: callName(existing[id]), URL: "/admin/users/" + id}
		if today.Name != name {
			today.Username = name
		}
		return today
	}
	var rows []pages.AuditRow
	for _, e := range events {
		line := audit.LineOf(e)
		row := pages.AuditRow{
			When: e.At.Time(), Actor: person(e.ActorID, e.ActorName, "Someone"), Verb: line.Before, After: line.After,
			Detail: line.Detail, Apart: line.Apart, Token: line.Token, IP: e.IP, Session: e.SessionID, Request: e.RequestID,
		}
		if e.UserAgent != "" {
			row.Device = site.DeviceName(e.UserAgent)
		}
		if line.Named {
			row.Subject = person(e.SubjectID, e.SubjectName, "")
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// nameToday gives the people of events the names that they have today.
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
			events[i].ActorName = callName(user)
		}
		if user := existing[e.SubjectID]; user != nil {
			events[i].SubjectName = callName(user)
		}
	}
	return nil
}
