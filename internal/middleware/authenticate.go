package middleware

import (
	"errors"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/cookie"
	"latchkey/models"
)

// Authenticate identifies the person of a request. If the access token is
// missing, expired or unusable and there is a refresh token, the session
// rotates, and the same request continues as the person, with new cookies on
// its response. It clears the token cookies only when their session is known to
// be over. It never rejects a request for being anonymous; its errors are those
// of the service.
func Authenticate(service *auth.Service, jar *cookie.Jar) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			access, refresh, present := jar.Tokens(c.Request())
			if !present {
				return next(c)
			}
			state := Of(c)
			presented := auth.Presented{Access: access, Refresh: refresh}
			result, err := service.Authenticate(c.Request().Context(), presented, Client(c))
			if err != nil {
				return err
			}
			state.Identity, state.Ended = result.Identity, result.Ended
			switch {
			case result.Tokens != nil:
				state.Renewed = true
				GiveTokens(c, jar, result.Tokens)
			case result.Over:
				state.Stale = true
				if result.Ended != models.ReasonReplaced { // the browser may already have newer ones
					jar.ClearTokens(c.Response().Header())
				}
			}
			return next(c)
		}
	}
}

// GiveTokens sets the cookies of a pair of tokens.
func GiveTokens(c echo.Context, jar *cookie.Jar, tokens *auth.Tokens) {
	jar.SetTokens(c.Response().Header(), cookie.TokenCookies{
		Access: tokens.Access, AccessExpires: tokens.AccessExpires,
		Refresh: tokens.Refresh, RefreshExpires: tokens.RefreshExpires, Remember: tokens.Remember,
	})
}

// RequireUser lets only signed-in people pass; others get
// apperr.Unauthorized.
func RequireUser(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if Of(c).Identity == nil {
			return apperr.New(apperr.Unauthorized, "", errors.New("no one is signed in"))
		}
		return next(c)
	}
}

// ErrUnverified is the cause of apperr.Forbidden for a person who has to confirm
// their email address first.
var ErrUnverified = errors.New("the email address is not confirmed")

// RequireVerified refuses signed-in people who have not confirmed their email
// address, with ErrUnverified.
func RequireVerified(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if person := Of(c).Identity; person != nil && !person.Verified {
			return apperr.New(apperr.Forbidden, "Confirm your email address first.", ErrUnverified)
		}
		return next(c)
	}
}

// ErrLacksStep is the cause of apperr.Forbidden for a person who has to add a second
// step first.
var ErrLacksStep = errors.New("the account needs a second step")

// RequireStep refuses signed-in people who have to add a second step first, with
// ErrLacksStep.
func RequireStep(service *auth.Service) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if person := Of(c).Identity; person != nil && service.LacksStep(person) {
				return apperr.New(apperr.Forbidden, "Add a second step first.", ErrLacksStep)
			}
			return next(c)
		}
	}
}

// RequireConfirmed refuses signed-in people who did not prove who they are within the
// last 15 minutes, with auth.ErrUnconfirmed.
func RequireConfirmed(service *auth.Service) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if person := Of(c).Identity; person != nil && !service.Confirmed(person) {
				return auth.Unconfirmed()
			}
			return next(c)
		}
	}
}

// RequireAdmin lets only admins pass; others get apperr.Unauthorized, or
// apperr.Forbidden when they are signed in.
func RequireAdmin(next echo.HandlerFunc) echo.HandlerFunc {
	return RequireUser(func(c echo.Context) error {
		if !Of(c).Identity.Admin {
			return apperr.New(apperr.Forbidden, "", errors.New("needs the admin role"))
		}
		return next(c)
	})
}
