package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/middleware"
	"latchkey/internal/oauth"
)

// Introspection describes a token (RFC 7662 §2.2). For a token that is not valid
// it has only the member active.
type Introspection struct {
	Active    bool   `json:"active" example:"true" doc:"Whether the token can be used now."`
	Scope     string `json:"scope,omitempty" doc:"The scopes that the token has now, separated by spaces."`
	ClientID  string `json:"client_id,omitempty" doc:"The name that the client gave itself, or default. Absent for a personal access token."`
	Username  string `json:"username,omitempty"`
	TokenType string `json:"token_type,omitempty" example:"Bearer" doc:"Bearer; or refresh_token for a refresh token, which must not be accepted as an access token."`
	ExpiresAt int64  `json:"exp,omitempty" example:"1769852100" doc:"In seconds since 1970."`
	IssuedAt  int64  `json:"iat,omitempty" example:"1769851800"`
	NotBefore int64  `json:"nbf,omitempty" example:"1769851800"`
	Subject   string `json:"sub,omitempty" doc:"The id of the user."`
	Audience  string `json:"aud,omitempty"`
	Issuer    string `json:"iss,omitempty"`
	ID        string `json:"jti,omitempty"`
	SessionID string `json:"sid,omitempty" doc:"The session; absent for a personal access token."`
	Email     string `json:"email,omitempty"`
	Verified  *bool  `json:"email_verified,omitempty" doc:"Whether the person has proved that the email address is theirs. Absent without an address."`
	Name      string `json:"name,omitempty" doc:"The full name."`
	Role      string `json:"role,omitempty" enum:"user,admin" doc:"The current role of the user."`
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
	refresh := in.Get("token_type_hint") == "refresh_token" // RFC 7009 §2.1
	found, err := a.oauth.Introspect(c.Request().Context(), in.Get("token"), refresh, middleware.Client(c))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, introspectionOf(found))
}

// inquirer returns the caller, who sends a bearer token, or HTTP Basic with a
// personal access token as the password and any name. Both need the scope. A
// refusal uses the terms of the caller's scheme (RFC 7662 §2.3).
func (a *API) inquirer(c echo.Context) (bearer, error) {
	_, password, found, err := basic(c.Request())
	if err != nil {
		return bearer{}, err
	}
	if !found {
		return a.authenticate(c, oauth.ScopeIntrospect, false)
	}
	b, err := a.check(c, password, oauth.ScopeIntrospect, false)
	if err == nil && !b.caller.Personal {
		err = unusable(nil)
	}
	if refused, ok := errors.AsType[*challenge](err); ok {
		code := refused.code
		if code == "invalid_token" {
			code = "invalid_client" // RFC 6749 §5.2
		}
		return bearer{}, &oauthFailure{code: code, cause: refused.cause}
	}
	return b, err
}

func introspectionOf(i *oauth.Introspection) Introspection {
	if !i.Active {
		return Introspection{}
	}
	owner := &i.Identity
	role := "user"
	if owner.Admin {
		role = "admin"
	}
	found := Introspection{
		Active: true, Scope: i.Scope, ClientID: i.ClientID, Username: i.Username, TokenType: i.TokenType,
		ExpiresAt: seconds(i.ExpiresAt), IssuedAt: seconds(i.IssuedAt), NotBefore: seconds(i.NotBefore),
		Subject: i.Subject, Audience: i.Audience, Issuer: i.Issuer, ID: i.ID, SessionID: owner.SessionID,
		Email: owner.Email, Name: owner.FullName, Role: role,
	}
	if owner.Email != "" {
		found.Verified = &owner.Verified
	}
	return found
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
