// Package site has the shared code of all pages: the frame around a page,
// reading forms, the next page of a visitor, the message after a redirect, and
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

// Site has the settings and cookies that pages share. It is safe for concurrent
// use; do not change it once requests are served.
type Site struct {
	Cookies      *cookie.Jar
	Now          func() time.Time
	PublicURL    string // the portal's origin
	Brand        layouts.Brand
	SignupOpen   bool
	SignupInvite bool // only with an invitation
	// Verifies says that people are asked to confirm their email address,
	// VerifyRequired that they can do nothing else before.
	Verifies, VerifyRequired bool
}

// Identity returns the signed-in person, or nil.
func Identity(c echo.Context) *auth.Identity { return middleware.Of(c).Identity }

// Presented returns the tokens that came with the request.
func (s *Site) Presented(c echo.Context) auth.Presented {
	access, refresh, _ := s.Cookies.Tokens(c.Request())
	return auth.Presented{Access: access, Refresh: refresh}
}

// SignIn sets the cookies of a new session.
func (s *Site) SignIn(c echo.Context, in *auth.SignedIn) {
	middleware.GiveTokens(c, s.Cookies, in.Tokens)
	if in.Device != "" {
		s.Cookies.SetDevice(c.Response().Header(), in.Device)
	}
}
