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

// maxScope is the maximum length of a list of scopes in bytes.
const maxScope = 256

// Token is the response to a successful grant (RFC 6749 §5.1).
type Token struct {
	AccessToken  string `json:"access_token" doc:"For the Authorization header. Do not rely on its contents."`
	TokenType    string `json:"token_type" enum:"bearer" doc:"How to use the access token (RFC 6750)."`
	ExpiresIn    int    `json:"expires_in" doc:"The lifetime of the access token in seconds."`
	RefreshToken string `json:"refresh_token" doc:"Gets the next tokens, once."`
	Scope        string `json:"scope" doc:"The scopes of the access token, separated by spaces."`
}

func tokenOf(t *oauth.Tokens) Token {
	return Token{
		AccessToken: t.Access, TokenType: "bearer", ExpiresIn: int(t.ExpiresIn.Seconds()), RefreshToken: t.Refresh, Scope: t.Scope,
	}
}

// token handles POST /token. Without a grant_type it is the password grant, as
// clients of the FastAPI tutorials expect (tutorialGrant).
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
		refused = "The refresh token no longer works. Sign in again."
		tokens, err = a.oauth.RefreshGrant(ctx, oauth.RefreshGrant{
			RefreshToken: in.Get("refresh_token"), Scope: in.Get("scope"), ClientID: client,
		}, from)
	default:
		return &oauthFailure{code: "unsupported_grant_type", cause: apperr.New(apperr.Malformed, "The grant_type must be password or refresh_token.", nil)}
	}
	if err != nil {
		return a.grantFailure(err, refused)
	}
	return c.JSON(http.StatusOK, tokenOf(tokens))
}

// Renewed is the response to a client that keeps its refresh token.
type Renewed struct {
	AccessToken string `json:"access_token" doc:"For the Authorization header."`
	TokenType   string `json:"token_type" enum:"bearer" doc:"How to use the access token (RFC 6750)."`
	ExpiresIn   int    `json:"expires_in" doc:"The lifetime of the access token in seconds."`
	Scope       string `json:"scope" doc:"The scopes of the access token, separated by spaces."`
}

type renewedAnswer struct{ Body Renewed }

func refreshTokenOperation() operation {
	return operation{Operation: huma.Operation{
		OperationID: "refresh-token", Method: http.MethodPost, Path: "/refresh-token", Tags: []string{tagTokens},
		Summary: "Get a new access token for the same session",
		Description: "The way of the FastAPI tutorials: a valid access token gets another one, " +
			"for an hour after the last grant at /token. This does not extend the idle limit of the session. Once the access token has " +
			"expired, use the refresh token at /token. A personal access token has no session and is refused with 403.",
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
		Message string `json:"message" enum:"Token revoked successfully" doc:"Confirms that the session has ended."`
	} `nameHint:"Revoked"`
}

func revokeTokenOperation() operation {
	return operation{Operation: huma.Operation{
		OperationID: "revoke-token", Method: http.MethodPost, Path: "/revoke-token", Tags: []string{tagTokens},
		Summary: "End the session of your token",
		Description: "The way of the FastAPI tutorials. Every replica refuses all tokens of the session from the next request on. A personal " +
			"access token is removed.",
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

// revoke handles POST /revoke (RFC 7009). The response is the same for a valid
// token, a value that is not a token, and a token of another client.
// token_type_hint is not needed and not read.
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
