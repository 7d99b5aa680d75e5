package api

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/auth"
	"latchkey/internal/middleware"
)

// Introspection is what a token is worth (RFC 7662 §2.2). Of one that is worth
// nothing there is active alone.
type Introspection struct {
	Active    bool   `json:"active" doc:"Whether the token can be used now."`
	Scope     string `json:"scope,omitempty" doc:"What it may do now, separated by spaces."`
	ClientID  string `json:"client_id,omitempty" doc:"What the client called itself."`
	Username  string `json:"username,omitempty"`
	TokenType string `json:"token_type,omitempty" doc:"Bearer, or refresh_token for one that must not be accepted as an access token."`
	ExpiresAt int64  `json:"exp,omitempty" doc:"In seconds since 1970."`
	IssuedAt  int64  `json:"iat,omitempty"`
	NotBefore int64  `json:"nbf,omitempty"`
	Subject   string `json:"sub,omitempty" doc:"The id of the user."`
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	ID        string `json:"jti,omitempty"`
	SessionID string `json:"sid,omitempty" doc:"The session; absent for a personal access token."`
	Email     string `json:"email,omitempty"`
	Name      string `json:"name,omitempty" doc:"The full name."`
	Role      string `json:"role,omitempty" enum:"user,admin" doc:"What the person is now."`
}

// introspect handles POST /introspect.
func (a *API) introspect(c echo.Context) error {
	if _, err := a.inquirer(c); err != nil {
		return err
	}
	in, err := readParameters(c)
	if err != nil {
		return err
	}
	if in.Get("token") == "" {
		return badRequest("Send a token.")
	}
	found, err := a.auth.Introspect(c.Request().Context(), in.Get("token"), middleware.Client(c))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, introspectionOf(found))
}

// inquirer is who asks: by a bearer token, or by HTTP Basic with a personal
// access token as the password; the name beside it is not looked at. Both need
// the scope.
func (a *API) inquirer(c echo.Context) (bearer, error) {
	_, password, found, err := basic(c.Request())
	if err != nil {
		return bearer{}, err
	}
	if !found {
		return a.authenticate(c, auth.ScopeIntrospect)
	}
	b, err := a.check(c, password, auth.ScopeIntrospect)
	if err == nil && !b.caller.Personal {
		return bearer{}, unusable(nil)
	}
	return b, err
}

func introspectionOf(i *auth.Introspection) Introspection {
	if !i.Active {
		return Introspection{}
	}
	who := &i.Identity
	role := "user"
	if who.Admin {
		role = "admin"
	}
	return Introspection{
		Active: true, Scope: i.Scope, ClientID: i.ClientID, Username: i.Username, TokenType: i.TokenType,
		ExpiresAt: seconds(i.ExpiresAt), IssuedAt: seconds(i.IssuedAt), NotBefore: seconds(i.NotBefore),
		Subject: i.Subject, Audience: i.Audience, Issuer: i.Issuer, ID: i.ID, SessionID: who.SessionID,
		Email: who.Email, Name: who.FullName, Role: role,
	}
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
