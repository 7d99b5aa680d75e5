package admin

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/models"
	"latchkey/views/components"
)

const (
	auditPageSize = 50
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
	in, err := site.ReadQuery(c)
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
	user, err := h.accounts.FindUser(c.Request().Context(), typed)
	if errors.Is(err, apperr.NotFound) {
		return typed, nil
	}
	if err != nil {
		return "", err
	}
	return user.ID, nil
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
