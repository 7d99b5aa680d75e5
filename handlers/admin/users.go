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

// listState is the state of the user list in its URL.
type listState struct {
	q, status, role, sort string
	limit                 int
}

// pageSizes are how many users a page may show; the first is the default.
var pageSizes = [...]int{25, 50, 100}

// readList reads the query. An unknown size is apperr.Malformed; Users.List
// checks the other values.
func readList(in site.Form, now time.Time) (listState, models.UserQuery, error) {
	s := listState{q: models.Tidy(in.Get("q")), status: in.Get("status"), role: in.Get("role"), sort: in.Get("sort"), limit: pageSizes[0]}
	query := models.UserQuery{
		Q: s.q, Status: models.UserStatus(s.status), Role: models.Role(s.role), Sort: defaultSort(s.q),
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
	if !known || len(s.q) > 200 || query.Sort == "" {
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

// url returns the URL of the list with this state and one more parameter.
func (s listState) url(extra ...string) string {
	values := url.Values{}
	for _, p := range [][2]string{{"q", s.q}, {"status", s.status}, {"role", s.role}, {"sort", s.sort}} {
		if p[1] != "" {
			values.Set(p[0], p[1])
		}
	}
	if s.limit != pageSizes[0] {
		values.Set("limit", strconv.Itoa(s.limit))
	}
	for i := 0; i+1 < len(extra); i += 2 {
		values.Set(extra[i], extra[i+1])
	}
	if len(values) == 0 {
		return "/admin/users"
	}
	return "/admin/users?" + values.Encode()
}

// Users handles GET /admin/users.
func (h *Handlers) Users(c echo.Context) error {
	in, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
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
	page := h.site.Section(c, layouts.SectionUsers, "Users")
	return site.Show(c, pages.AdminUsers(page, usersView(state, query, list, paused)))
}

func usersView(s listState, query models.UserQuery, list models.UserPage, paused map[string]limit.Pauses) pages.AdminUsersView {
	view := pages.AdminUsersView{
		Filter:   pages.UsersFilter{Q: s.q, Status: s.status, Role: s.role, Sort: s.sort},
		ClearURL: listState{sort: s.sort, limit: s.limit}.url(),
		Total:    list.Count, More: list.More, FirstURL: s.url(), NewURL: "/admin/users/new",
		PastEnd: len(list.Users) == 0 && list.Count > 0, Incomplete: list.Incomplete,
		OnlyYou: s.q == "" && s.status == "" && s.role == "" && list.Count == 1,
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
	if list.Prev != "" {
		view.Previous = s.url("before", list.Prev)
	}
	if list.Next != "" {
		view.Next = s.url("after", list.Next)
	}
	for _, u := range list.Users {
		row := pages.UserRow{
			URL: userPath(u.ID), Username: u.Username, FullName: u.FullName, Email: u.Email,
			Disabled: !u.DisabledAt.IsZero(), Invited: u.PasswordChangedAt.IsZero(), Admin: u.Role == models.RoleAdmin, Sessions: u.Sessions,
			LastSignIn: u.LastSignInAt.Time(), Created: u.CreatedAt.Time(),
			Paused: pages.Pause(paused[u.ID].Pages), APIPaused: pages.Pause(paused[u.ID].API),
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
		add("Status: "+map[string]string{"active": "Active", "disabled": "Disabled"}[s.status], without)
	}
	if s.role != "" {
		without := s
		without.role = ""
		add("Role: "+map[string]string{"user": "User", "admin": "Admin"}[s.role], without)
	}
	if s.q != "" && s.sort != "" {
		without := s
		without.sort = ""
		add("Sorted by "+sortCaption(s.sort), without)
	}
	return list
}

// sortLinks returns the links to other orders: the current order is reversed,
// times are newest first.
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
		LastSignIn: link(models.SortLastSignIn, true), Created: link(models.SortCreated, true),
		Caption: sortCaption(cmp.Or(s.sort, string(query.Sort))),
	}
}

// sortCaption names the order of the list that a sort in the URL stands for.
func sortCaption(sort string) string {
	return map[string]string{
		"username": "username, A to Z", "-username": "username, Z to A", "email": "email, A to Z", "-email": "email, Z to A",
		"created": "created, oldest first", "-created": "created, newest first",
		"last_sign_in": "last sign-in, oldest first", "-last_sign_in": "last sign-in, newest first",
		"match": "best match first", "-match": "best match last",
	}[sort]
}
