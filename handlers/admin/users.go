package admin

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/limit"
	"latchkey/models"
	"latchkey/views/components"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

const usersPath = "/admin/users"

// listState is the state of the user list in its URL.
type listState struct {
	q, status, role, step, sort string
	limit                       int
}

// filtered reports whether the list leaves anybody out.
func (s listState) filtered() bool {
	return s.q != "" || s.status != "" || s.role != "" || s.step != ""
}

// pageSizes are how many users a page may show; the first is the default.
var pageSizes = [...]int{25, 50, 100}

// readList reads the query. An unknown size or order is apperr.Malformed;
// Users.List checks the other values.
func readList(in site.Form, now time.Time) (listState, models.UserQuery, error) {
	s := listState{q: models.Tidy(in.Get("q")), status: in.Get("status"), role: in.Get("role"), step: in.Get("second_step"), sort: in.Get("sort"), limit: pageSizes[0]}
	query := models.UserQuery{
		Q: s.q, Status: models.UserStatus(s.status), Role: models.Role(s.role), Step: models.UserStep(s.step), Sort: defaultSort(s.q),
		After: in.Get("after"), Before: in.Get("before"), Now: now,
	}
	if s.sort != "" {
		column, descending := strings.CutPrefix(s.sort, "-")
		query.Sort, query.Desc = models.UserSort(column), descending
	}
	size := in.Get("limit")
	known := size == ""
	for _, n := range pageSizes {
		if size == strconv.Itoa(n) {
			s.limit, known = n, true
		}
	}
	query.Limit = s.limit
	if !known || len(s.q) > 200 || sortCaption(cmp.Or(s.sort, string(query.Sort))) == "" {
		return s, query, apperr.New(apperr.Malformed, "The user list cannot be shown with these filters.", nil)
	}
	return s, query, nil
}

// defaultSort is the order of a list that names none.
func defaultSort(q string) models.UserSort {
	if q != "" {
		return models.SortMatch
	}
	return models.SortUsername
}

// url returns the URL of the list with this state and more parameters. Empty ones
// are left out.
func (s listState) url(extra ...string) string { return s.at(usersPath, extra...) }

// at is url for another path with the same query.
func (s listState) at(path string, extra ...string) string {
	values := url.Values{}
	pairs := append([]string{"q", s.q, "status", s.status, "role", s.role, "second_step", s.step, "sort", s.sort}, extra...)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	if s.limit != pageSizes[0] {
		values.Set("limit", strconv.Itoa(s.limit))
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// Users handles GET /admin/users.
func (h *Handlers) Users(c echo.Context) error {
	in, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	if in.Get("status") == statusDeleted {
		return h.showDeleted(c, in)
	}
	return h.showUsers(c, in, nil)
}

// showUsers shows the list for the query in. failure is the reason why a bulk
// action on it failed, or nil.
func (h *Handlers) showUsers(c echo.Context, in site.Form, failure error) error {
	state, query, err := readList(in, h.site.Now())
	if err != nil {
		return err
	}
	list, err := h.store.Users.List(c.Request().Context(), query)
	if err != nil {
		return err
	}
	ids := make([]string, len(list.Users))
	for i, u := range list.Users {
		ids[i] = u.ID
	}
	paused, err := h.accounts.Paused(c.Request().Context(), ids...)
	if err != nil {
		return err
	}
	view := usersView(state, query, list, paused)
	view.From = firstPosition(in.Get("from"), list)
	turn := func(name, cursor string, from int) string {
		if cursor == "" {
			return ""
		}
		return state.url(name, cursor, "from", position(from))
	}
	if view.From > 0 {
		view.Previous = turn("before", list.Prev, view.From-state.limit)
		view.Next = turn("after", list.Next, view.From+len(list.Users))
	} else {
		view.Previous, view.Next = turn("before", list.Prev, 0), turn("after", list.Next, 0)
	}
	view.SelfURL = state.url("after", query.After, "before", query.Before, "from", position(view.From))
	if failure != nil {
		view.Errors = components.Errors{{Text: apperr.Details(failure).Message}}
	}
	return site.Answer(c, failure, pages.AdminUsers(h.site.Section(c, layouts.SectionUsers, "Users"), view))
}

// maxPosition bounds the positions in URLs.
const maxPosition = 1_000_000_000

// position writes the position of a page's first user for a URL. The first page
// needs none.
func position(from int) string {
	if from < 2 || from > maxPosition {
		return ""
	}
	return strconv.Itoa(from)
}

// firstPosition returns the position in the list of the first user of a page, or 0
// if it is not known. Cursors contain no position, so the links between pages pass
// it on in carried. An impossible position is ignored.
func firstPosition(carried string, list models.UserPage) int {
	n := len(list.Users)
	switch {
	case n == 0:
		return 0
	case list.Prev == "":
		return 1
	case list.Next == "" && !list.More:
		return list.Count - n + 1
	}
	from, err := strconv.Atoi(carried)
	if err != nil || carried != position(from) || !list.More && from+n > list.Count || list.Next == "" && from+n <= list.Count {
		return 0
	}
	return from
}

func usersView(s listState, query models.UserQuery, list models.UserPage, paused map[string]limit.Pauses) pages.AdminUsersView {
	view := pages.AdminUsersView{
		Filter:   pages.UsersFilter{Q: s.q, Status: s.status, Role: s.role, Step: s.step},
		ClearURL: listState{sort: s.sort, limit: s.limit}.url(), CSVURL: s.at(usersPath + ".csv"),
		Total: list.Count, More: list.More, FirstURL: s.url(), NewURL: usersPath + "/new",
		Searched: s.filtered() && query.After == "" && query.Before == "",
		PastEnd:  len(list.Users) == 0 && list.Count > 0, Incomplete: list.Incomplete,
		OnlyYou: !s.filtered() && list.Count == 1,
		Sorts:   sortLinks(s, query), Chips: chips(s),
	}
	if s.limit != pageSizes[0] {
		view.Filter.Limit = s.limit
	}
	for _, n := range pageSizes {
		sized := s
		sized.limit = n
		view.Sizes = append(view.Sizes, pages.PageSize{Size: n, URL: sized.url(), Current: n == s.limit})
	}
	for _, u := range list.Users {
		row := pages.UserRow{
			ID: u.ID, URL: userPath(u.ID), Username: u.Username, FullName: u.FullName, Email: u.Email,
			Disabled: u.Status() == models.StatusDisabled, Invited: u.Status() == models.StatusInvited, Admin: u.Role == models.RoleAdmin,
			Steps:      pages.Steps{App: u.App, Passkeys: u.Passkeys},
			LastSignIn: u.LastSignInAt.Time(),
			Paused:     pages.Pause(paused[u.ID].Pages), APIPaused: pages.Pause(paused[u.ID].API),
		}
		view.Rows = append(view.Rows, row)
	}
	return view
}

// chips returns the active filters, each with the URL of the list without it.
func chips(s listState) []components.Link {
	var list []components.Link
	add := func(label string, without listState) {
		list = append(list, components.Link{Label: label, URL: without.url()})
	}
	if s.q != "" {
		without := s
		without.q = ""
		add("Search: "+s.q, without)
	}
	if s.status != "" {
		without := s
		without.status = ""
		add("Status: "+map[string]string{"active": "Active", "disabled": "Disabled", "invited": "Invited", statusDeleted: "Deleted"}[s.status], without)
	}
	if s.role != "" {
		without := s
		without.role = ""
		add("Role: "+map[string]string{"user": "User", "admin": "Admin"}[s.role], without)
	}
	if s.step != "" {
		without := s
		without.step = ""
		add("Second step: "+pages.StepName(s.step), without)
	}
	if s.q != "" && s.sort != "" {
		without := s
		without.sort = ""
		add("Sorted by "+sortCaption(s.sort), without)
	}
	return list
}

// sortLinks returns the links to other orders. The link of the current order
// reverses it; times start with the newest.
func sortLinks(s listState, query models.UserQuery) pages.UsersSorts {
	link := func(column models.UserSort, newestFirst bool) pages.SortLink {
		sorted, descending := s, newestFirst
		link := pages.SortLink{}
		if query.Sort == column {
			descending = !query.Desc
			link.Order = pages.Ascending
			if query.Desc {
				link.Order = pages.Descending
			}
		}
		if sorted.sort = string(column); descending {
			sorted.sort = "-" + sorted.sort
		}
		link.URL = sorted.url()
		return link
	}
	return pages.UsersSorts{
		Username: link(models.SortUsername, false), Email: link(models.SortEmail, false),
		LastSignIn: link(models.SortLastSignIn, true),
		Caption:    sortCaption(cmp.Or(s.sort, string(query.Sort))), Choices: sortChoices(s),
	}
}

// sortChoices are the orders in the filter. The default has no value, so that a
// new search starts with the best match.
func sortChoices(s listState) []components.Option {
	choices := []components.Option{{Label: sortCaption(string(defaultSort(s.q)))}}
	for _, sort := range []string{"username", "-username", "email", "-email", "-last_sign_in", "last_sign_in", "-created", "created"} {
		if sort != string(defaultSort(s.q)) {
			choices = append(choices, components.Option{Value: sort, Label: sortCaption(sort), Selected: sort == s.sort})
		}
	}
	for i, choice := range choices {
		choices[i].Label = strings.ToUpper(choice.Label[:1]) + choice.Label[1:]
	}
	return choices
}

// sortCaption returns the caption for the value of sort in the URL.
func sortCaption(sort string) string {
	return map[string]string{
		"username": "username, A to Z", "-username": "username, Z to A", "email": "email, A to Z", "-email": "email, Z to A",
		"created": "created, oldest first", "-created": "created, newest first",
		"last_sign_in": "last sign-in, oldest first", "-last_sign_in": "last sign-in, newest first",
		"match": "best match first", "-match": "best match last",
	}[sort]
}
