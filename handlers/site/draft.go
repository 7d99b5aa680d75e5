package site

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"latchkey/internal/auth"
	"latchkey/internal/cookie"
	"latchkey/views/components"
	"latchkey/views/layouts"
)

// draftKey is the key in the context of Echo for the draft that Draft took.
const draftKey = "latchkey/draft"

// neverKept are parts of the names of fields that hold secrets. KeepDraft leaves such
// fields out.
var neverKept = []string{"password", "code", "token", "secret"}

// CurrentPassword is the field of forms that may hold the current password.
const CurrentPassword = "current_password"

// ToConfirm sends a person who has to confirm that it is them to the page that asks. It
// then leads back to the page of this request, with the fields of a form that was not
// carried out (Draft).
func (s *Site) ToConfirm(c echo.Context) error {
	page := s.ReturnTo(c)
	if c.Request().Method == http.MethodPost {
		s.keepDraft(c, page)
	}
	return Redirect(c, WithNext(PathConfirm, page))
}

func (s *Site) keepDraft(c echo.Context, page string) {
	in, ids, err := ReadFormList(c, "id")
	if err != nil {
		return // the page comes back empty
	}
	kept := url.Values{}
	for name, values := range in {
		if !isSecret(name) {
			kept[name] = values
		}
	}
	if len(ids) > 0 {
		kept["id"] = ids
	}
	path, _, _ := strings.Cut(page, "?")
	s.Cookies.SetDraft(c.Response().Header(), Place(c, path), kept)
}

// isSecret reports whether a field of this name may hold a secret.
func isSecret(name string) bool {
	for _, part := range neverKept {
		if strings.Contains(strings.ToLower(name), part) {
			return true
		}
	}
	return false
}

// Draft returns the fields of the form on this page that was not carried out, nil if
// there is none. The next request no longer has them.
func (s *Site) Draft(c echo.Context) Form { return Form(s.draft(c).Fields) }

// DraftLost reports whether there was such a form, but too long to be kept.
func (s *Site) DraftLost(c echo.Context) bool { return s.draft(c).Lost }

func (s *Site) draft(c echo.Context) cookie.Draft {
	if taken, ok := c.Get(draftKey).(cookie.Draft); ok {
		return taken
	}
	var draft cookie.Draft
	if m := c.Request().Method; Identity(c) != nil && (m == http.MethodGet || m == http.MethodHead) {
		if found, ok := s.Cookies.TakeDraft(c.Response().Header(), c.Request(), Place(c, c.Request().URL.Path)); ok {
			draft = found
			c.Set(draftMessageKey, draftMessage(found))
		}
	}
	c.Set(draftKey, draft)
	return draft
}

// draftMessageKey is the key in the context of Echo for the message about a draft.
const draftMessageKey = "latchkey/draft-message"

func draftMessage(draft cookie.Draft) *layouts.Flash {
	text := "This form was not sent yet. Check it and send it again."
	switch {
	case draft.Lost:
		text = "This form was not sent, and it was too long to keep. Fill it in again."
	case len(draft.Fields) == 0:
		text = "This was not done yet. Press the button again."
	}
	return &layouts.Flash{Kind: components.Info, Text: text}
}

// draftFlash returns the message about the draft of this page, nil if there is none.
func (s *Site) draftFlash(c echo.Context) *layouts.Flash {
	s.draft(c)
	message, _ := c.Get(draftMessageKey).(*layouts.Flash)
	return message
}

// ByConfirmation reports whether a form with a change to the person's account holds no
// password, so that a fresh confirmation of the session has to count.
func ByConfirmation(in Form) bool { return !in.Has(CurrentPassword) }

// UnlessPassword returns the middleware for a form that may hold the current password,
// which its handler then checks: check lets everyone else pass or not.
func UnlessPassword(check echo.MiddlewareFunc) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		checked := check(next)
		return func(c echo.Context) error {
			if c.Request().Method != http.MethodPost {
				return checked(c)
			}
			in, err := ReadForm(c)
			if err != nil {
				return err
			}
			if !ByConfirmation(in) {
				return next(c)
			}
			return checked(c)
		}
	}
}

// MustConfirm is the failure of an act that needs a confirmation first. page is where
// its form is.
func MustConfirm(c echo.Context, page string) error {
	SetReturn(c, page)
	return auth.Unconfirmed()
}
