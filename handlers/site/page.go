package site

import (
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/views/layouts"
)

// Frame returns the data that every page needs. It leaves the message of a
// redirect for the next page.
func (s *Site) Frame(c echo.Context, title string) layouts.Page {
	page := layouts.Page{
		Title: title, Brand: s.Brand, Theme: layouts.Theme(s.Cookies.Theme(c.Request())),
		Path: s.ReturnTo(c), SignupOpen: s.SignupOpen, SignupInvite: s.SignupInvite,
	}
	if person := Identity(c); person != nil {
		page.User = &layouts.User{Name: person.FullName, Username: person.Username, IsAdmin: person.Admin}
	}
	return page
}

// Page returns the frame with the message that a redirect carried here, if one did, or
// the one about a form that was not carried out (Draft).
func (s *Site) Page(c echo.Context, title string) layouts.Page {
	page := s.Frame(c, title)
	if message := s.Cookies.TakeFlash(c.Response().Header(), c.Request()); message.Key != "" {
		page.Flash = s.flashOf(message)
	}
	if draft := s.draftFlash(c); draft != nil {
		page.Flash = draft
	}
	return page
}

// Section returns Page for a section of the admin area.
func (s *Site) Section(c echo.Context, section layouts.Section, title string) layouts.Page {
	page := s.Page(c, title)
	page.Section = section
	return page
}

// Show responds with a page and 200.
func Show(c echo.Context, page templ.Component) error {
	return latchkey.Render(c, http.StatusOK, page)
}

// Answer shows a page: with 200 when failure is nil, else with the status of
// the failure (package handlers). Use it for a form that is shown again and for
// a failure with its own page.
func Answer(c echo.Context, failure error, page templ.Component) error {
	if failure != nil {
		return &PageError{Page: page, cause: failure}
	}
	return Show(c, page)
}

// PageError is a failure with its own page, which replaces the error page.
type PageError struct {
	Page  templ.Component
	cause error
}

// Error returns the failure, for logs.
func (e *PageError) Error() string { return e.cause.Error() }

// Unwrap returns the failure.
func (e *PageError) Unwrap() error { return e.cause }

// Redirect responds with 303 to a path of the portal.
func Redirect(c echo.Context, path string) error { return c.Redirect(http.StatusSeeOther, path) }

// RedirectToApp responds with 302 to a protected app, or to a page on the way
// to it.
func RedirectToApp(c echo.Context, url string) error { return c.Redirect(http.StatusFound, url) }

// Nothing responds with 200 and only headers.
func Nothing(c echo.Context) error { return c.NoContent(http.StatusOK) }
