package admin

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/models"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

// bulkDeadline is how long a bulk action may take. The action continues if the
// client disconnects, so that it is not left half done.
const bulkDeadline = 25 * time.Second

// bulk is a bulk action as the form sends it.
type bulk struct {
	form  site.Form
	list  site.Form // the query of the list that the users were selected on
	act   pages.BulkAct
	ids   []string // each once, in the order of the form
	names map[string]*models.User
}

// Bulk handles POST /admin/users/bulk. The form of the list leads to the
// confirmation page, whose form carries the action out.
func (h *Handlers) Bulk(c echo.Context) error {
	form, selected, err := site.ReadFormList(c, "id")
	if err != nil {
		return err
	}
	b := h.bulkOf(form, selected)
	site.SetReturn(c, h.listURL(b.list))
	if err := b.check(); err != nil {
		return h.showUsers(c, b.list, err)
	}
	if b.names, err = h.store.Users.Named(c.Request().Context(), b.ids); err != nil {
		return err
	}
	if form.Get("confirmed") == "" {
		return h.bulkPage(c, b, nil)
	}
	return h.doBulk(c, b)
}

// bulkOf returns the action of a form.
func (h *Handlers) bulkOf(form site.Form, selected []string) bulk {
	return bulk{form: form, list: h.listQuery(form.Get("list")), act: pages.BulkAct(form.Get("act")), ids: unique(selected)}
}

// ShowBulk handles GET /admin/users/bulk: the confirmation page of a form that had to
// wait until the admin confirmed who they are. Otherwise a GET selects no users, so it
// redirects to the list.
func (h *Handlers) ShowBulk(c echo.Context) (err error) {
	draft := h.site.Draft(c)
	b := h.bulkOf(draft, draft["id"])
	site.SetReturn(c, h.listURL(b.list))
	switch {
	case h.site.DraftLost(c):
		return h.site.RedirectWithFlash(c, usersPath, site.FlashDraftLost)
	case len(draft) == 0:
		return site.Redirect(c, usersPath)
	}
	if err := b.check(); err != nil {
		return h.showUsers(c, b.list, err)
	}
	if b.names, err = h.store.Users.Named(c.Request().Context(), b.ids); err != nil {
		return err
	}
	return h.bulkPage(c, b, nil)
}

// check returns apperr.Invalid if the selection is not usable.
func (b bulk) check() error {
	wrong := ""
	switch {
	case b.act != pages.BulkDisable && b.act != pages.BulkSignOut:
		wrong = "Choose whether to disable or to sign out the users."
	case len(b.ids) == 0:
		wrong = "Select at least one user."
	case len(b.ids) > account.MostAtOnce:
		wrong = "Select at most 100 users at a time."
	case slices.ContainsFunc(b.ids, func(id string) bool { return !models.IsID(id) }):
		wrong = "The form named a user that does not exist. Select the users again."
	default:
		return nil
	}
	return apperr.New(apperr.Invalid, wrong, nil)
}

// bulkPage asks for confirmation before a bulk action. failure is the reason for
// showing it again, or nil.
func (h *Handlers) bulkPage(c echo.Context, b bulk, failure error) error {
	problems, err := site.FieldErrors(failure)
	if err != nil {
		return err
	}
	view := pages.AdminBulkView{
		Act: b.act, ListURL: h.listURL(b.list), Reason: b.form.Get("reason"), Errors: problems,
	}
	var out []account.BulkResult
	for _, id := range b.ids {
		user := b.names[id]
		reason := ""
		switch {
		case user == nil:
			reason = account.OutGone
		case id == site.Identity(c).UserID:
			reason = account.OutOwn
		case b.act == pages.BulkDisable && user.Disabled():
			reason = account.OutDisabled
		default:
			view.Users = append(view.Users, pages.BulkUser{ID: id, Name: user.Name(), Email: user.Email})
			continue
		}
		out = append(out, account.BulkResult{ID: id, Out: reason})
	}
	view.LeftOut = b.leftOut(out)
	if len(view.Users) == 0 {
		return h.showUsers(c, b.list, b.noneDone(view.LeftOut))
	}
	return site.Answer(c, failure, pages.AdminBulk(h.site.Section(c, layouts.SectionUsers, view.Title()), view))
}

// doBulk carries out a bulk action.
func (h *Handlers) doBulk(c echo.Context, b bulk) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request().Context()), bulkDeadline)
	defer cancel()
	var results []account.BulkResult
	var err error
	if b.act == pages.BulkDisable {
		results, err = h.accounts.DisableAll(ctx, h.actor(c), b.ids, b.form.Get("reason"))
	} else {
		results, err = h.accounts.SignOutAll(ctx, h.actor(c), b.ids)
	}
	if errors.Is(err, apperr.Invalid) {
		return h.bulkPage(c, b, err)
	}
	if err != nil {
		return err
	}
	out := slices.DeleteFunc(results, func(r account.BulkResult) bool { return r.Out == "" })
	done := len(b.ids) - len(out)
	if done == 0 {
		return h.showUsers(c, b.list, b.noneDone(b.leftOut(out)))
	}
	key := site.FlashUsersSignedOut
	if b.act == pages.BulkDisable {
		key = site.FlashUsersDisabled
	}
	return h.site.RedirectWithFlash(c, h.listURL(b.list), key, append([]string{site.Count(done, "user")}, b.leftOut(out)...)...)
}

// noneDone is the failure of an action that leaves out every user.
func (b bulk) noneDone(leftOut []string) error {
	text := "No user was signed out. "
	if b.act == pages.BulkDisable {
		text = "No user was disabled. "
	}
	return apperr.New(apperr.Invalid, text+pages.LeftOut(leftOut), nil)
}

// mostNamed is the maximum number of skipped users that a message names.
const mostNamed = 5

// leftOut names users with the reasons: "Bo Chen (already disabled)".
func (b bulk) leftOut(out []account.BulkResult) []string {
	var list []string
	for i, r := range out {
		if i == mostNamed {
			return append(list, site.Count(len(out)-i, "more user"))
		}
		name := "a user"
		if user := b.names[r.ID]; user != nil {
			name = user.Name()
		}
		list = append(list, name+" ("+r.Out+")")
	}
	return list
}

// listQuery returns the query of a URL of the list, or no query for any other
// text.
func (h *Handlers) listQuery(text string) site.Form {
	u, err := url.Parse(text)
	if err != nil || u.Path != usersPath {
		return site.Form{}
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return site.Form{}
	}
	if _, _, err := readList(site.Form(values), h.site.Now()); err != nil {
		return site.Form{}
	}
	return site.Form(values)
}

// listURL returns the URL of the list with a query from listQuery.
func (h *Handlers) listURL(list site.Form) string {
	state, query, err := readList(list, h.site.Now())
	if err != nil {
		return usersPath
	}
	from, _ := strconv.Atoi(list.Get("from")) // 0 is left out
	return state.url("after", query.After, "before", query.Before, "from", position(from))
}

// unique returns the values without repetitions.
func unique(values []string) []string {
	var list []string
	for _, value := range values {
		if !slices.Contains(list, value) {
			list = append(list, value)
		}
	}
	return list
}
