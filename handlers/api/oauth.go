package api

import (
	"cmp"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/authheader"
	"latchkey/internal/fields"
	"latchkey/internal/oauth"
)

// The endpoints of OAuth that take forms.
const (
	tokenPath      = "/token"
	tokenPathSlash = "/token/" // as some tutorials write it
	revokePath     = "/revoke"
	introspectPath = "/introspect"
)

// OAuthError is the body of a failure of an OAuth endpoint (RFC 6749 §5.2).
// Detail repeats Description, for clients that read detail.
type OAuthError struct {
	Error       string `json:"error" doc:"The error code of RFC 6749 §5.2; slow_down and temporarily_unavailable with the statuses 429 and 503."`
	Description string `json:"error_description" doc:"The problem in words."`
	Detail      string `json:"detail" doc:"The same as error_description."`
}

// speaksOAuth reports whether the response to a failure of this request is an
// OAuth error.
func speaksOAuth(c echo.Context, kind apperr.Kind) bool {
	if c.Request().Method != http.MethodPost || kind == apperr.NotFound {
		return false
	}
	switch c.Path() {
	case tokenPath, tokenPathSlash, loginPath, revokePath, introspectPath:
		return true
	}
	return false
}

// oauthFailure is a failure with a code of RFC 6749 §5.2. Its kind is that of its
// cause.
type oauthFailure struct {
	code      string
	challenge string // the value of WWW-Authenticate when the cause is apperr.Unauthorized; "": HTTP Basic
	cause     *apperr.Error
}

// Error returns the code and the cause, for the log.
func (e *oauthFailure) Error() string { return e.code + ": " + e.cause.Error() }

// Unwrap returns the cause.
func (e *oauthFailure) Unwrap() error { return e.cause }

// badRequest returns the failure of a request with a missing or wrong parameter.
func badRequest(message string) error {
	return &oauthFailure{code: "invalid_request", cause: apperr.New(apperr.Malformed, message, nil)}
}

// answerOAuth writes a failure. Its texts keep to the characters that RFC 6749
// §5.2 allows.
func (a *API) answerOAuth(c echo.Context, f Failure) error {
	body := OAuthError{Error: "invalid_request", Description: apperr.Details(f.Err).Message}
	otherwise := a.detail(f.Kind)
	switch f.Kind {
	case apperr.TooMany, apperr.Locked:
		body.Error, body.Description = "slow_down", a.tooMany(f.Err, f.Wait)
	case apperr.Unavailable, apperr.Busy:
		body.Error = "temporarily_unavailable"
	case "":
		body.Error, otherwise = "server_error", "Something went wrong in the portal. The log has it under the X-Request-Id."
	case apperr.Unsupported:
		otherwise = "Send the parameters as application/x-www-form-urlencoded."
	}
	challenge := authheader.ChallengeBasic
	if failure, ok := errors.AsType[*oauthFailure](f.Err); ok {
		body.Error, challenge = failure.code, cmp.Or(failure.challenge, challenge)
	}
	if f.Kind == apperr.Unauthorized {
		c.Response().Header().Set("WWW-Authenticate", challenge)
		if c.Path() == introspectPath {
			c.Response().Header().Add("WWW-Authenticate", authheader.Challenge("", ""))
		}
	}
	if body.Description == "" {
		body.Description = otherwise
	}
	body.Detail = body.Description
	return c.JSON(f.Status, body)
}

// secretNames are parameters that must not be in a URL, because logs and browser
// histories keep URLs.
var secretNames = []string{"access_token", "client_secret", "password", "refresh_token", "token", "username"}

// readParameters reads the form of an OAuth endpoint.
func readParameters(c echo.Context) (fields.Values, error) {
	return parameters(c.Request(), fields.Read)
}

// parameters reads the body with read, and refuses secrets in the query.
func parameters(r *http.Request, read func(*http.Request) (fields.Values, error)) (fields.Values, error) {
	if r.URL.RawQuery != "" {
		query, _ := url.ParseQuery(r.URL.RawQuery) // its valid parts
		for _, name := range secretNames {
			if query.Has(name) {
				return nil, badRequest("Send the parameters in the body, never in the URL. The values that you sent may now be in a log: change them.")
			}
		}
		if _, err := fields.Query(r); err != nil {
			return nil, err
		}
	}
	in, err := read(r)
	if err == nil && url.Values(in).Has("access_token") {
		return nil, badRequest(inHeader) // RFC 6750 §2
	}
	return in, err
}

// clientOf returns the name that a client gives itself: client_id in the form, or
// the username of HTTP Basic (RFC 6749 §2.3.1). All clients are public, so the
// portal never issued the secret that a client sends.
func clientOf(r *http.Request, in fields.Values) (string, error) {
	const noSecrets = "Clients have no secrets here. Send the client_id alone, or nothing."
	id := in.Get("client_id")
	name, secret, _, err := basic(r)
	switch {
	case err != nil:
		return "", err
	case secret != "" || in.Get("client_secret") != "":
		return "", &oauthFailure{code: "invalid_client", cause: apperr.New(apperr.Unauthorized, noSecrets, nil)}
	case id != "" && name != "" && id != name:
		return "", badRequest("The client_id of the form differs from the one in the Authorization header.")
	case name == "":
		return id, nil
	}
	return name, nil
}

// basic reads HTTP Basic, whose two parts OAuth encodes as a form does.
func basic(r *http.Request) (name, secret string, found bool, err error) {
	headers := r.Header["Authorization"]
	if len(headers) > 1 {
		return "", "", false, badRequest("The request has more than one Authorization header.")
	}
	if len(headers) == 0 {
		return "", "", false, nil
	}
	scheme, encoded, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false, nil
	}
	unreadable := badRequest("The Authorization header could not be read.")
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", false, unreadable
	}
	name, secret, found = strings.Cut(string(text), ":")
	if !found {
		return "", "", false, unreadable
	}
	if name, err = url.QueryUnescape(name); err != nil {
		return "", "", false, unreadable
	}
	if secret, err = url.QueryUnescape(secret); err != nil {
		return "", "", false, unreadable
	}
	return name, secret, true, nil
}

// grantFailure gives a refused grant its words.
func (a *API) grantFailure(err error, refused string) error {
	code, ok := errors.AsType[oauth.GrantError](err)
	if !ok {
		return err
	}
	words := map[oauth.GrantError]string{
		oauth.ErrInvalidRequest: "The client_id is not valid.",
		oauth.ErrInvalidGrant:   refused,
		oauth.ErrInvalidScope:   "One of the scopes does not exist, or is not allowed for this account or token.",
		oauth.ErrUnsupportedGrant: "Passwords are not accepted here. Create a personal access token at " + a.publicURL +
			"/profile/tokens and send it instead.",
	}
	return &oauthFailure{code: string(code), cause: apperr.New(apperr.Malformed, words[code], err)}
}
