package admin

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/mail"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

const (
	mailPath     = "/admin/mail"
	mailPageSize = 25
	// userMessages is how many messages the page of an account shows.
	userMessages = 5
)

// mailFilter is the filter of the messages in its URL.
type mailFilter struct{ state, topic, person string }

func (f mailFilter) url(extra ...string) string {
	values := url.Values{}
	pairs := append([]string{"state", f.state, "kind", f.topic, "person", f.person}, extra...)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	if len(values) == 0 {
		return mailPath
	}
	return mailPath + "?" + values.Encode()
}

// readMail reads the query. A state or kind that does not exist is apperr.Malformed.
func (h *Handlers) readMail(c echo.Context) (mailFilter, models.DeliveryQuery, error) {
	in, err := site.ReadQuery(c)
	if err != nil {
		return mailFilter{}, models.DeliveryQuery{}, err
	}
	f := mailFilter{state: in.Get("state"), topic: in.Get("kind"), person: models.Tidy(in.Get("person"))}
	query := models.DeliveryQuery{
		Kind: mail.Kind, State: models.DeliveryState(f.state), Topic: f.topic, After: in.Get("after"), Before: in.Get("before"), Limit: mailPageSize,
	}
	known := f.topic == "" || mail.Label(f.topic) != f.topic
	switch query.State {
	case "", models.DeliveryWaiting, models.DeliverySent, models.DeliveryFailed:
	default:
		known = false
	}
	if !known || len(f.person) > 300 || query.After != "" && query.Before != "" {
		return f, query, apperr.New(apperr.Malformed, "The messages cannot be shown with these filters.", nil)
	}
	if f.person == "" {
		return f, query, nil
	}
	// Messages about the account with this name, or to this address.
	query.UserIDs, query.Recipient = []string{f.person}, f.person
	user, err := h.accounts.FindUser(c.Request().Context(), f.person)
	switch {
	case err == nil:
		query.UserIDs = []string{user.ID}
	case !errors.Is(err, apperr.NotFound):
		return f, query, err
	}
	return f, query, nil
}

// Mail handles GET /admin/mail.
func (h *Handlers) Mail(c echo.Context) error {
	return h.mailPage(c, nil, h.site.Draft(c).Or("to", site.Identity(c).Email))
}

// mailPage shows the messages, and the form of the test with what was typed.
func (h *Handlers) mailPage(c echo.Context, failure error, to string) error {
	wrong, err := site.FieldErrors(failure)
	if err != nil {
		return err
	}
	f, query, err := h.readMail(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	list, err := h.store.Deliveries.List(ctx, query)
	if err != nil {
		return err
	}
	counts, err := h.store.Deliveries.Count(ctx, mail.Kind)
	if err != nil {
		return err
	}
	view := pages.AdminMailView{
		Off: !h.accounts.MailOn(), To: to, Errors: wrong, Counts: mailCounts(counts), Filter: mailChoices(f),
		FirstURL: f.url(), PastEnd: len(list.Deliveries) == 0 && query.After+query.Before != "",
	}
	if list.Prev != "" {
		view.Previous = f.url("before", list.Prev)
	}
	if list.Next != "" {
		view.Next = f.url("after", list.Next)
	}
	if view.Attention, err = h.mailTrouble(c, components.Link{}); err != nil {
		return err
	}
	if view.Filter.Chips, err = h.mailChips(ctx, f); err != nil {
		return err
	}
	for _, d := range list.Deliveries {
		row := h.mailRow(d)
		if n := len(view.Days); n == 0 || !sameDay(view.Days[n-1].Day, row.When) {
			view.Days = append(view.Days, pages.MailDay{Day: row.When})
		}
		day := &view.Days[len(view.Days)-1]
		day.Rows = append(day.Rows, row)
	}
	return site.Answer(c, failure, pages.AdminMail(h.site.Section(c, layouts.SectionMail, "Mail"), view))
}

// mailCounts are the numbers of messages by state, each with its list.
func mailCounts(counts map[models.DeliveryState]int) []components.Link {
	var links []components.Link
	for _, state := range []models.DeliveryState{models.DeliveryWaiting, models.DeliveryFailed, models.DeliverySent} {
		if counts[state] > 0 {
			links = append(links, components.Link{Label: fmt.Sprintf("%d %s", counts[state], state), URL: mailFilter{state: string(state)}.url()})
		}
	}
	return links
}

// mailChoices are the fields of the filter.
func mailChoices(f mailFilter) pages.MailFilter {
	choices := pages.MailFilter{Person: f.person, States: []components.Option{{Label: "Any"}}, Kinds: []components.Option{{Label: "Any"}}}
	for _, state := range []models.DeliveryState{models.DeliveryWaiting, models.DeliveryFailed, models.DeliverySent} {
		label, _ := stateWords(state)
		choices.States = append(choices.States, components.Option{Value: string(state), Label: label, Selected: f.state == string(state)})
	}
	for _, topic := range mail.Topics() {
		choices.Kinds = append(choices.Kinds, components.Option{Value: topic.Value, Label: topic.Label, Selected: f.topic == topic.Value})
	}
	return choices
}

// mailChips returns the active filters, each a link to the list without it.
func (h *Handlers) mailChips(ctx context.Context, f mailFilter) ([]components.Link, error) {
	var chips []components.Link
	if f.state != "" {
		label, _ := stateWords(models.DeliveryState(f.state))
		chips = append(chips, components.Link{Label: "State: " + label, URL: mailFilter{topic: f.topic, person: f.person}.url()})
	}
	if f.topic != "" {
		chips = append(chips, components.Link{Label: "Kind: " + mail.Label(f.topic), URL: mailFilter{state: f.state, person: f.person}.url()})
	}
	if f.person != "" {
		users, err := h.store.Users.Named(ctx, []string{f.person})
		if err != nil {
			return nil, err
		}
		name := f.person
		if user := users[f.person]; user != nil {
			name = user.Name()
		}
		chips = append(chips, components.Link{Label: "Person: " + name, URL: mailFilter{state: f.state, topic: f.topic}.url()})
	}
	return chips, nil
}

func stateWords(state models.DeliveryState) (string, components.Tone) {
	switch state {
	case models.DeliverySent:
		return "Sent", components.OK
	case models.DeliveryFailed:
		return "Failed", components.Bad
	case models.DeliveryWaiting:
	}
	return "Waiting", components.Warn
}

// mailRow writes a message for a list.
func (h *Handlers) mailRow(d models.Delivery) pages.MailRow {
	row := pages.MailRow{
		Label: mail.Label(d.Topic), To: d.Recipient, URL: mailPath + "/" + d.ID, When: d.CreatedAt.Time(),
		Tries: d.Attempts, Tried: d.TriedAt.Time(), Over: d.OverAt.Time(), Again: d.AgainAt.Time(), Answer: d.Answer,
		Sending: d.State == models.DeliveryWaiting && d.HeldUntil > models.At(h.site.Now()),
	}
	row.State, row.Tone = stateWords(d.State)
	if d.State == models.DeliveryWaiting {
		row.Waiting, row.Next = true, d.DueAt.Time()
	}
	return row
}

// messagesOf returns the last messages about an account.
func (h *Handlers) messagesOf(c echo.Context, userID string) ([]pages.MailRow, error) {
	list, err := h.store.Deliveries.About(c.Request().Context(), mail.Kind, userID, userMessages)
	var rows []pages.MailRow
	for _, d := range list {
		rows = append(rows, h.mailRow(d))
	}
	return rows, err
}

// mailTrouble returns a warning when mail does not arrive.
func (h *Handlers) mailTrouble(c echo.Context, link components.Link) ([]pages.AttentionItem, error) {
	trouble, err := h.store.Deliveries.Trouble(c.Request().Context(), mail.Kind, h.site.Now())
	if err != nil || trouble.Since.IsZero() || !h.accounts.MailOn() {
		return nil, err
	}
	items := []pages.AttentionItem{{
		Timed: &components.Timed{Before: "Mail is not being delivered since ", At: trouble.Since.Time().Truncate(time.Minute), After: ": "},
		Said:  trouble.Answer,
		Link:  link,
	}}
	if next := trouble.Next.Time(); link.URL == "" && next.After(h.site.Now()) {
		items = append(items, pages.AttentionItem{Timed: &components.Timed{
			Before: "The portal tries again at ", At: next, After: ". Nothing is lost until then.",
		}})
	}
	return items, nil
}

// TestMail handles POST /admin/mail/test.
func (h *Handlers) TestMail(c echo.Context) error {
	in, err := site.ReadForm(c)
	if err != nil {
		return err
	}
	id, err := h.accounts.TestMail(c.Request().Context(), h.actor(c), in.Get("to"))
	if errors.Is(err, apperr.Invalid) {
		return h.mailPage(c, err, in.Get("to"))
	}
	if err != nil {
		return err
	}
	return site.Redirect(c, mailPath+"/"+id)
}

// MailAgain handles POST /admin/mail/{id}/again.
func (h *Handlers) MailAgain(c echo.Context) error {
	_, id, err := h.readAct(c)
	if err != nil {
		return err
	}
	before, done, err := h.accounts.MailAgain(c.Request().Context(), h.actor(c), id)
	path := mailPath + "/" + id
	switch {
	case err != nil:
		return err
	case !done:
		return h.site.RedirectWithFlash(c, path, site.FlashMailChanged)
	case before.State == models.DeliveryWaiting:
		return h.site.RedirectWithFlash(c, path, site.FlashMailNow)
	}
	return h.site.RedirectWithFlash(c, path, site.FlashMailAgain, before.Recipient)
}

const (
	// soon is how near the next attempt has to be for the page of a message to wait
	// for its result: it loads itself again every refreshSeconds.
	soon           = 5 * time.Second
	refreshSeconds = 2
)

// ShowMessage handles GET /admin/mail/{id}.
func (h *Handlers) ShowMessage(c echo.Context) error {
	id, err := site.PathID(c, "id")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	d, err := h.store.Deliveries.ByID(ctx, mail.Kind, id)
	if err != nil {
		return err
	}
	about, err := h.store.Users.Named(ctx, []string{d.UserID})
	if err != nil {
		return err
	}
	view := pages.AdminMessageView{
		MailRow: h.mailRow(*d), Useless: d.UselessAt.Time(), Off: account.NoMail,
		CanRepeat: d.State == models.DeliveryFailed && d.AgainAt.IsZero() && h.accounts.CanRepeatMail(d.Topic),
		OthersURL: mailFilter{person: d.Recipient}.url(),
	}
	if h.accounts.MailOn() {
		view.Off = ""
	}
	if user := about[d.UserID]; user != nil {
		view.About = components.Link{Label: user.Name(), URL: userPath(user.ID)}
	}
	page := h.site.Section(c, layouts.SectionMail, view.Label)
	if view.Waiting && view.Off == "" && (view.Sending || view.Next.Before(h.site.Now().Add(soon))) {
		page.Refresh, page.RefreshAfter = view.URL, refreshSeconds
	}
	view.Refreshes = page.Refresh != ""
	return site.Show(c, pages.AdminMessage(page, view))
}
