package site

import (
	"github.com/labstack/echo/v4"

	"latchkey/internal/cookie"
	"latchkey/views/layouts"
)

// ShowOnce responds to a form that created a secret: 303 to the page that shows
// it. The secret is not stored: it is sealed in a cookie that only this page of
// this session can open. key tells that page what kind of secret it is.
func (s *Site) ShowOnce(c echo.Context, path, key, secret string) error {
	s.SendOnce(c, Place(c, path), key, secret)
	return Redirect(c, path)
}

// SendOnce is ShowOnce without the redirect, for a page of another session: the one
// that the response opens.
func (s *Site) SendOnce(c echo.Context, at cookie.Place, key, secret string) {
	s.Cookies.SetOnce(c.Response().Header(), at, cookie.Flash{Key: key, Args: []string{secret}})
}

// TakeOnce returns the secret that ShowOnce sent to the page at path; "" when
// there is none, or when it was shown before.
func (s *Site) TakeOnce(c echo.Context, path string) (key, secret string) {
	sent := s.Cookies.TakeOnce(c.Response().Header(), c.Request(), Place(c, path))
	if len(sent.Args) == 0 {
		return "", ""
	}
	return sent.Key, sent.Args[0]
}

// OncePage returns the frame of the page that shows a secret. It leaves an
// empty message for the next page to clear: on Back, Chromium brings a page
// back from memory in spite of no-store, unless a cookie has changed since.
func (s *Site) OncePage(c echo.Context, section layouts.Section, title string) layouts.Page {
	page := s.Section(c, section, title)
	s.SetFlash(c, flashNone)
	return page
}

// Place identifies a page within the current session. A rotation keeps the
// session's id, so a secret survives it.
func Place(c echo.Context, path string) cookie.Place {
	return cookie.Place{SessionID: Identity(c).SessionID, Path: path}
}
