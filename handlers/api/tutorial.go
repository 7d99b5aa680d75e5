package api

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/authheader"
	"latchkey/internal/fields"
	"latchkey/internal/middleware"
	"latchkey/internal/oauth"
)

// wrongPassword is the message about a name and a password that do not sign in,
// whatever the reason. The words are those of the FastAPI tutorials.
const wrongPassword = "Incorrect username or password"

// Login handles POST /login in tutorial dialect: it returns tokens as /token
// does, and opens no browser session.
func (a *API) Login(c echo.Context) error {
	in, err := parameters(c.Request(), readTutorial)
	if err != nil {
		return err
	}
	client, err := clientOf(c.Request(), in)
	if err != nil {
		return err
	}
	return a.tutorialGrant(c, in, client)
}

// tutorialGrant is the password grant of a program of the tutorials: a failure
// has the status that FastAPI gives it, 422 for a missing field and 401 for a
// wrong password.
func (a *API) tutorialGrant(c echo.Context, in fields.Values, client string) error {
	if err := missing(in, "username", "password"); err != nil {
		return err
	}
	if len(in.Get("scope")) > maxScope {
		return a.grantFailure(oauth.ErrInvalidScope, "")
	}
	tokens, err := a.oauth.PasswordGrant(c.Request().Context(), oauth.PasswordGrant{
		Username: in.Get("username"), Password: in.Get("password"), Scope: in.Get("scope"), ClientID: client,
	}, middleware.Client(c))
	if errors.Is(err, oauth.ErrInvalidGrant) {
		return &oauthFailure{
			code: string(oauth.ErrInvalidGrant), challenge: authheader.Challenge("", ""),
			cause: apperr.New(apperr.Unauthorized, wrongPassword, err),
		}
	}
	if err != nil {
		return a.grantFailure(err, "")
	}
	return c.JSON(http.StatusOK, tokenOf(tokens))
}

// refreshedAccess handles GET /refresh_token: the bearer is a refresh token,
// which the client keeps.
func (a *API) refreshedAccess(c echo.Context) error {
	refresh, err := presented(c.Request())
	if err != nil {
		return err
	}
	if _, err := fields.Query(c.Request()); err != nil {
		return err
	}
	tokens, err := a.oauth.RefreshedAccess(c.Request().Context(), refresh, middleware.Client(c))
	if errors.Is(err, apperr.Unauthorized) {
		return unusable(err)
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, renewedOf(tokens))
}

// Registered is an account that a program has just created.
type Registered struct {
	ID       string `json:"id" doc:"Stays the same for as long as the account exists."`
	Username string `json:"username"`
	Email    string `json:"email" doc:"Empty if the account has none."`
	FullName string `json:"full_name" doc:"Empty if the person gave none."`
	Disabled bool   `json:"disabled" doc:"Always false."`
}

// Signup handles POST /signup in tutorial dialect: it creates an account by the
// rules of the form, and does not sign the person in.
func (a *API) Signup(c echo.Context) error {
	in, err := parameters(c.Request(), readTutorial)
	if err != nil {
		return err
	}
	if err := missing(in, "username", "password"); err != nil {
		return err
	}
	user, err := a.accounts.Register(c.Request().Context(), account.Signup{
		Account:  account.Profile{Username: in.Get("username"), Email: in.Get("email"), FullName: in.Get("full_name")},
		Password: in.Get("password"), Client: middleware.Client(c),
	})
	if wrong, ok := errors.AsType[apperr.Fields](err); ok {
		var faults fieldFaults
		for _, field := range wrong {
			faults.add("value_error", field.Field, field.Message)
		}
		return faults
	}
	if errors.Is(err, apperr.Forbidden) {
		return apperr.New(apperr.Forbidden, "Sign-up is closed. Ask an admin for an account.", err)
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, Registered{ID: user.ID, Username: user.Username, Email: user.Email, FullName: user.FullName})
}
