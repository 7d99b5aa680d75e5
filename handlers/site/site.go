// Package site is what the pages of every group share: the frame around a page,
// reading forms, where a visitor goes next, the message after a redirect, and
// a secret that is shown once.
//
// The groups (signin, account, admin, forward) import it; it imports none of
// them. The status of a failure belongs to package handlers: a handler returns
// the failure, or the failure with the form to show again (Answer).
package site

import (
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/auth"
	"latchkey/internal/cookie"
	"latchkey/internal/middleware"
	"latchkey/views/layouts"
)

// Site is the portal as its pages know it. It is safe for concurrent use; do
// not change it once requests are served.
type Site struct {
	Cookies    *cookie.Jar
	Now        func() time.Time
	PublicURL  string // the portal's one origin
	Brand      layouts.Brand
	SignupOpen bool
}

// Identity returns the signed-in person, nil when nobody is signed in.
func Identity(c echo.Context) *auth.Identity { return middleware.Of(c).Identity }

// Presented returns the tokens that came with the request.
func (s *Site) Presented(c echo.Context) auth.Presented {
	access, refresh, _ := s.Cookies.Tokens(c.Request())
	return auth.Presented{Access: access, Refresh: refresh}
}

// SignIn gives the browser the cookies of a session that was just opened.
func (s *Site) SignIn(c echo.Context, in *auth.SignedIn) {
	middleware.GiveTokens(c, s.Cookies, in.Tokens)
	if in.Device != "" {
		s.Cookies.SetDevice(c.Response().Header(), in.Device)
	}
}
