package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/fields"
	"latchkey/internal/middleware"
	"latchkey/internal/oauth"
)

// maxScope bounds a list of scopes in bytes.
const maxScope = 256

// Token is what a client is given (RFC 6749 §5.1).
type Token struct {
	AccessToken  string `json:"access_token" doc:"For the Authorization header. Treat it as a word without meaning."`
	TokenType    string `json:"token_type" enum:"bearer" doc:"How it is used (RFC 6750)."`
	ExpiresIn    int    `json:"expires_in" doc:"How long the access token lives, in seconds."`
	RefreshToken string `json:"refresh_token" doc:"For the next access token, once."`
	Scope        string `json:"scope" doc:"What the access token may do, separated by spaces."`
}

func tokenOf(t *oauth.Tokens) Token {
	return Token{
		AccessToken: t.Access, TokenType: "bearer", ExpiresIn: int(t.ExpiresIn.Seconds()), RefreshToken: t.Refresh, Scope: t.Scope,
	}
}

// token handles POST /token. Without a grant_type it is the password grant,
// as clients of the FastAPI tutorials ask (tutorialGrant).
func (a *API) token(c echo.Context) error {
	in, err := parameters(c.Request(), fields.ReadMultipart)
	if err != nil {
		return err
	}
	client, err := clientOf(c.Request(), in)
	if err != nil {
		return err
	}
	if in.Get("grant_type") == "" {
		return a.tutorialGrant(c, in, client)
	}
	if len(in.Get("scope")) > maxScope {
		return a.grantFailure(oauth.ErrInvalidScope, "")
	}
	ctx, from := c.Request().Context(), middleware.Client(c)
	var tokens *oauth.Tokens
	var refused string
	switch in.Get("grant_type") {
	case "password":
		if in.Get("username") == "" || in.Get("password") == "" {
			return badRequest("Send a username and a password.")
		}
		refused = wrongPassword
		tokens, err = a.oauth.PasswordGrant(ctx, oauth.PasswordGrant{
			Username: in.Get("username"), Password: in.Get("password"), Scope: in.Get("scope"), ClientID: client,
		}, from)
	case "refresh_token":
		if in.Get("refresh_token") == "" {
			return badRequest("Send a refresh_token.")
		}
		refused = "The refresh token is of no use any more. Sign in again."
		tokens, err = a.oauth.RefreshGrant(ctx, oauth.RefreshGrant{
			RefreshToken: in.Get("refresh_token"), Scope: in.Get("scope"), ClientID: client,
		}, from)
	default:
		return &oauthFailure{code: "unsupported_grant_type", cause: apperr.New(apperr.Malformed, "The grant_type is password or refresh_token.", nil)}
	}
	if err != nil {
		return a.grantFailure(err, refused)
	}
	return c.JSON(http.StatusOK, tokenOf(tokens))
}

// Renewed is what a client is given that keeps its refresh token.
type Renewed struct {
	AccessToken string `json:"access_token" doc:"For the Authorization header."`
	TokenType   string `json:"token_type" enum:"bearer" doc:"How it is used (RFC 6750)."`
	ExpiresIn   int    `json:"expires_in" doc:"How long the access token lives, in seconds."`
	Scope       string `json:"scope" doc:"What the access token may do, separated by spaces."`
}

type renewedAnswer struct{ Body Renewed }

func refreshTokenOperation() operation {
	return operation{Operation: huma.Operation{
		OperationID: "refresh-token", Method: http.MethodPost, Path: "/refresh-token", Tags: []string{tagTokens},
		Summary: "Get a fresh access token of the same session",
		Description: "The form of the FastAPI tutorials: the access token that you have, as long as it lives, gets you another one, " +
			"for an hour after the last grant at /token. It does not keep the session from idling. To go on after it has expired, use the refresh token at /token. A personal access token has no session and is refused with 403.",
	}, failures: []int{http.StatusForbidden}, quiet: true}
}

// refreshToken handles POST /refresh-token.
func (a *API) refreshToken(ctx context.Context, in *as) (*renewedAnswer, error) {
	tokens, err := a.oauth.RenewAccess(ctx, in.caller)
	if err != nil {
		return nil, err
	}
	return &renewedAnswer{renewedOf(tokens)}, nil
}

func renewedOf(tokens *oauth.Tokens) Renewed {
	t := tokenOf(tokens)
	return Renewed{AccessToken: t.AccessToken, TokenType: t.TokenType, ExpiresIn: t.ExpiresIn, Scope: t.Scope}
}

type revokedAnswer struct {
	Body struct {
		Message string `json:"message" enum:"Token revoked successfully" doc:"That it is done."`
	} `nameHint:"Revoked"`
}

func revokeTokenOperation() operation {
	return operation{Operation: huma.Operation{
		OperationID: "revoke-token", Method: http.MethodPost, Path: "/revoke-token", Tags: []string{tagTokens},
		Summary: "End the session of the token that is sent",
		Description: "The form of the FastAPI tutorials. Every token of the session is refused from the next request on, everywhere; " +
			"a personal access token ends by itself.",
	}}
}

// revokeToken handles POST /revoke-token.
func (a *API) revokeToken(ctx context.Context, in *as) (*revokedAnswer, error) {
	if err := a.oauth.RevokeToken(ctx, in.token, "", in.client); err != nil {
		return nil, err
	}
	answer := &revokedAnswer{}
	answer.Body.Message = "Token revoked successfully"
	return answer, nil
}

// revoke handles POST /revoke (RFC 7009): what becomes of a token that is not
// one, or belongs to someone else, is the same as what becomes of a right
// one. token_type_hint is not needed and not looked at.
func (a *API) revoke(c echo.Context) error {
	in, err := readParameters(c)
	if err != nil {
		return err
	}
	client, err := clientOf(c.Request(), in)
	if err != nil {
		return err
	}
	if in.Get("token") == "" {
		return badRequest("Send a token.")
	}
	if err := a.oauth.RevokeToken(c.Request().Context(), in.Get("token"), client, middleware.Client(c)); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct{}{}) // RFC 7009 ignores the body, and some clients parse it
}
