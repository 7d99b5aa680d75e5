package admin

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
	"latchkey/views/components"
)

const (
	auditPageSize = 25
	dayFormat     = "2006-01-02"
)

// auditFilter is the filter of the audit log in its URL.
type auditFilter struct{ person, actor, subject, action, from, to, zone string }

func (f auditFilter) url(path string, extra ...string) string {
	zone := f.zone
	if f.from == "" && f.to == "" {
		zone = "" // only days need it
	}
	values := url.Values{}
	pairs := append([]string{
		"person", f.person, "actor", f.actor, "subject", f.subject, "action", f.action, "from", f.from, "to", f.to, "zone", zone,
	}, extra...)
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

// auditChips returns the active filters, each a link to the log without it. An id
// is shown as the name of its user.
func (h *Handlers) auditChips(ctx context.Context, f auditFilter) ([]components.Link, error) {
	users, err := h.store.Users.Named(ctx, []string{f.person, f.actor, f.subject})
	if err != nil {
		return nil, err
	}
	var chips []components.Link
	add := func(label, value string, without func(*auditFilter)) {
		if value == "" {
			return
		}
		if user := users[value]; user != nil {
			value = user.Name()
		}
		rest := f
		without(&rest)
		chips = append(chips, components.Link{Label: label + ": " + value, URL: rest.url("/admin/audit")})
	}
	add("Person", f.person, func(f *auditFilter) { f.person = "" })
	add("Who did it", f.actor, func(f *auditFilter) { f.actor = "" })
	add("Affected account", f.subject, func(f *auditFilter) { f.subject = "" })
	add("Event", audit.Label(f.action), func(f *auditFilter) { f.action = "" })
	add("From", f.from, func(f *auditFilter) { f.from = "" })
	add("To", f.to, func(f *auditFilter) { f.to = "" })
	return chips, nil
}

// readAudit reads the query. It returns an impossible day, or a name that matches
// too many people, as an error of the field, and an unknown action or group as
// apperr.Malformed.
func (h *Handlers) readAudit(c echo.Context) (auditFilter, models.AuditQuery, components.Errors, error) {
	in, err := site.ReadQuery(c)
	if err != nil {
		return auditFilter{}, models.AuditQuery{}, nil, err
	}
	f := auditFilter{
		person: models.Tidy(in.Get("person")), actor: models.Tidy(in.Get("actor")), subject: models.Tidy(in.Get("subject")),
		action: in.Get("action"), from: in.Get("from"), to: in.Get("to"), zone: in.Get("zone"),
	}
	query := models.AuditQuery{After: in.Get("after"), Before: in.Get("before"), Limit: auditPageSize}
	query.Actions = audit.Chosen(f.action)
	if f.action != "" && query.Actions == nil || len(f.person)+len(f.actor)+len(f.subject) > 600 || query.After != "" && query.Before != "" {
		return f, query, nil, apperr.New(apperr.Malformed, "The audit log cannot be shown with these filters.", nil)
	}
	wrong := f.readDays(&query)
	for _, p := range []struct {
		field, typed string
		into         *models.AuditPerson
	}{
		{"person", f.person, &query.Person}, {"actor", f.actor, &query.Actor}, {"subject", f.subject, &query.Subject},
	} {
		var problem string
		if *p.into, problem, err = h.people(c.Request().Context(), p.typed); err != nil {
			return f, query, nil, err
		}
		if problem != "" {
			wrong.Add(p.field, problem)
		}
	}
	return f, query, wrong, nil
}

// readDays reads the days into query, in the zone of the filter, and returns
// their errors. An unknown zone becomes UTC.
func (f *auditFilter) readDays(query *models.AuditQuery) (wrong components.Errors) {
	zone, err := time.LoadLocation(f.zone)
	if err != nil || f.zone == "Local" || len(f.zone) > 64 {
		zone = time.UTC
	}
	if f.zone = zone.String(); zone == time.UTC {
		f.zone = ""
	}
	const badDay = "enter a day like 2026-11-22."
	if query.From, err = readDay(f.from, 0, zone); err != nil {
		wrong.Add("from", "From: "+badDay)
	}
	if query.To, err = readDay(f.to, 1, zone); err != nil {
		wrong.Add("to", "To: "+badDay)
	}
	if !query.From.IsZero() && !query.To.IsZero() && !query.From.Before(query.To) {
		wrong.Add("to", "To: choose a day that is not before the first day.")
	}
	return wrong
}

// readDay returns the start of a day, moved by some days; the zero time for "".
func readDay(text string, days int, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(dayFormat, text)
	if err != nil || day.Year() < 1971 || day.Year() > 9998 {
		return time.Time{}, errors.New("not a day")
	}
	start := time.Date(day.Year(), day.Month(), day.Day()+days, 0, 0, 0, 0, zone)
	if start.Hour() > 12 { // midnight is skipped when clocks change: the day starts at one
		start = start.Add(time.Hour)
	}
	return start, nil
}

// maxPeople is the maximum number of accounts that a name in the filter may match.
const maxPeople = 100

// people finds the accounts for the typed text: the one with that id, username or
// address, or else all with these words in their names, including deleted ones.
// problem is set if there are too many.
func (h *Handlers) people(ctx context.Context, typed string) (found models.AuditPerson, problem string, err error) {
	if typed == "" {
		return found, "", nil
	}
	if strings.EqualFold(typed, auth.Shell().Name) {
		return models.AuditPerson{Name: typed}, "", nil
	}
	user, err := h.accounts.FindUser(ctx, typed)
	if err == nil {
		return models.AuditPerson{IDs: []string{user.ID}}, "", nil
	}
	if !errors.Is(err, apperr.NotFound) {
		return found, "", err
	}
	list, err := h.store.Users.List(ctx, models.UserQuery{Q: typed, Limit: maxPeople, Now: h.site.Now()})
	if err != nil {
		return found, "", err
	}
	deleted, err := h.store.Audit.SubjectsNamed(ctx, audit.UserDelete, typed, maxPeople+1)
	if err != nil {
		return found, "", err
	}
	if list.Next != "" || len(list.Users)+len(deleted) > maxPeople {
		return found, fmt.Sprintf("More than %d people match “%s”. Type more of the name.", maxPeople, typed), nil
	}
	for _, row := range list.Users {
		found.IDs = append(found.IDs, row.ID)
	}
	if found.IDs = append(found.IDs, deleted...); len(found.IDs) == 0 {
		found.Name = typed
	}
	return found, "", nil
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
