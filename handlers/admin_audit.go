package handlers

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

const (
	auditPageSize = 50
	csvBatch      = 1000
	csvDeadline   = 5 * time.Minute
	dayFormat     = "2006-01-02"
)

// auditFilter is the audit log's filter as its URL says it.
type auditFilter struct{ actor, subject, action, from, to string }

func (f auditFilter) url(path string, extra ...string) string {
	values := url.Values{}
	pairs := append([]string{"actor", f.actor, "subject", f.subject, "action", f.action, "from", f.from, "to", f.to}, extra...)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// readAudit reads the query. A day that cannot be comes back as a field's error,
// an action or group that there is not as apperr.Malformed.
func (h *Handlers) readAudit(c echo.Context) (auditFilter, models.AuditQuery, components.Errors, error) {
	in, err := readQuery(c)
	if err != nil {
		return auditFilter{}, models.AuditQuery{}, nil, err
	}
	f := auditFilter{
		actor: strings.TrimSpace(in.Get("actor")), subject: strings.TrimSpace(in.Get("subject")),
		action: in.Get("action"), from: in.Get("from"), to: in.Get("to"),
	}
	query := models.AuditQuery{After: in.Get("after"), Before: in.Get("before"), Limit: auditPageSize}
	query.Actions = audit.Chosen(f.action)
	if f.action != "" && query.Actions == nil || len(f.actor)+len(f.subject) > 600 || query.After != "" && query.Before != "" {
		return f, query, nil, apperr.New(apperr.Malformed, "The audit log cannot be shown that way.", nil)
	}
	var wrong components.Errors
	const badDay = "enter a day like 2026-11-22."
	if query.From, err = readDay(f.from, 0); err != nil {
		wrong.Add("from", "From: "+badDay)
	}
	if query.To, err = readDay(f.to, 1); err != nil {
		wrong.Add("to", "To: "+badDay)
	}
	if !query.From.IsZero() && !query.To.IsZero() && !query.From.Before(query.To) {
		wrong.Add("to", "To: the last day is before the first one.")
	}
	if query.Actor, err = h.personID(c, f.actor); err != nil {
		return f, query, nil, err
	}
	query.Subject, err = h.personID(c, f.subject)
	return f, query, wrong, err
}

// readDay reads a day in UTC and moves it by some days; "" is no day.
func readDay(text string, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(dayFormat, text)
	if err != nil || day.Year() < 1971 || day.Year() > 9998 {
		return time.Time{}, errors.New("not a day")
	}
	return day.AddDate(0, 0, days), nil
}

// personID finds the account behind what was typed. Nobody found: the text may
// be the name of an account that is gone.
func (h *Handlers) personID(c echo.Context, typed string) (string, error) {
	if typed == "" {
		return "", nil
	}
	user, err := h.auth.FindUser(c.Request().Context(), typed)
	if errors.Is(err, apperr.NotFound) {
		return typed, nil
	}
	if err != nil {
		return "", err
	}
	return user.ID, nil
}

// audit handles GET /admin/audit.
func (h *Handlers) audit(c echo.Context) error {
	f, query, wrong, err := h.readAudit(c)
	if err != nil {
		return err
	}
	status := http.StatusOK
	var list models.AuditPage
	if wrong.Any() {
		status = http.StatusUnprocessableEntity
	} else if list, err = h.store.Audit.List(c.Request().Context(), query); err != nil {
		return err
	}
	view := pages.AdminAuditView{
		Filter: pages.AuditFilter{Actor: f.actor, Subject: f.subject, From: f.from, To: f.to, Actions: auditChoices(f.action)},
		Errors: wrong, ClearURL: "/admin/audit", Filtered: f != auditFilter{},
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
	return latchkey.Render(c, status, pages.AdminAudit(h.section(c, layouts.SectionAudit, "Audit log"), view))
}

// auditChoices are the entries of the filter by event.
func auditChoices(chosen string) []components.OptionGroup {
	var list []components.OptionGroup
	for _, g := range audit.Filter() {
		group := components.OptionGroup{Label: string(g.Group)}
		for _, entry := range g.Entries {
			group.Options = append(group.Options, components.Option{Value: entry.Value, Label: entry.Label, Selected: entry.Value == chosen})
		}
		list = append(list, group)
	}
	return list
}

// auditRows writes events as sentences. Whose account is gone is looked up for
// the whole page at once.
func (h *Handlers) auditRows(ctx context.Context, events []models.Event) ([]pages.AuditRow, error) {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.ActorID, e.SubjectID)
	}
	existing, err := h.store.Users.Existing(ctx, ids)
	if err != nil {
		return nil, err
	}
	person := func(id, name, nobody string) pages.AuditPerson {
		switch {
		case id == "":
			return pages.AuditPerson{Name: cmp.Or(name, nobody)}
		case !existing[id]:
			return pages.AuditPerson{Name: name, Deleted: true}
		}
		return pages.AuditPerson{Name: name, URL: "/admin/users/" + id}
	}
	var rows []pages.AuditRow
	for _, e := range events {
		line := audit.LineOf(e)
		row := pages.AuditRow{
			When: e.At.Time(), Actor: person(e.ActorID, e.ActorName, "Somebody"), Verb: line.Before, After: line.After,
			Detail: line.Detail, Apart: line.Apart, Token: line.Token, IP: e.IP, Session: e.SessionID, Request: e.RequestID,
		}
		if e.UserAgent != "" {
			row.Device = deviceName(e.UserAgent)
		}
		if line.Named {
			row.Subject = person(e.SubjectID, e.SubjectName, "")
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// auditCSV handles GET /admin/audit.csv: everything that the filter lets
// through, streamed in batches, with a deadline of its own.
func (h *Handlers) auditCSV(c echo.Context) error {
	_, query, wrong, err := h.readAudit(c)
	if err != nil {
		return err
	}
	if wrong.Any() {
		return apperr.New(apperr.Invalid, wrong[0].Text, nil)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), csvDeadline)
	defer cancel()
	query.After, query.Before, query.Limit = "", "", csvBatch
	page, err := h.store.Audit.List(ctx, query)
	if err != nil {
		return err
	}
	response := c.Response()
	// The whole takes longer than one page may: only the deadline of each
	// batch's write stands, so that a reader who stops is let go.
	control := http.NewResponseController(response)
	header := response.Header()
	header.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	header.Set("Content-Disposition", `attachment; filename="audit-`+h.now().UTC().Format(dayFormat)+`.csv"`)
	if c.Request().Method == http.MethodHead {
		return c.NoContent(http.StatusOK)
	}
	out := csv.NewWriter(response)
	out.UseCRLF = true // RFC 4180 §2
	_ = out.Write([]string{"time", "action", "actor_id", "actor", "subject_id", "subject", "detail", "ip", "user_agent", "session", "request"})
	for {
		if err := control.SetWriteDeadline(time.Now().Add(30 * time.Second)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		for _, e := range page.Events {
			_ = out.Write(csvLine(e))
		}
		if out.Flush(); out.Error() != nil || page.Next == "" {
			return out.Error()
		}
		query.After = page.Next
		if page, err = h.store.Audit.List(ctx, query); err != nil {
			return err // the answer is under way: it breaks off instead of ending as if whole
		}
	}
}

func csvLine(e models.Event) []string {
	line := []string{
		e.At.Time().Format(time.RFC3339Nano), e.Action, e.ActorID, e.ActorName, e.SubjectID, e.SubjectName, e.Detail,
		e.IP, e.UserAgent, e.SessionID, e.RequestID,
	}
	for i := range line {
		line[i] = csvCell(line[i])
	}
	return line
}

// formula is where a spreadsheet would take text for a formula: at the start of
// a cell, also where it takes other marks than commas to be between cells.
var formula = regexp.MustCompile(`(^|[;\t\n\r|]\s*)([=+\-@\t\r\x00])`)

// csvCell keeps a spreadsheet from taking text for a formula (ASVS 1.2.10).
func csvCell(text string) string { return formula.ReplaceAllString(text, "$1'$2") }
