package api

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/authheader"
	"latchkey/internal/fields"
	"latchkey/internal/middleware"
	"latchkey/internal/oauth"
)

// inHeader is the message about a token that is not in the Authorization header.
const inHeader = "Send the token in the Authorization header, never in the URL or in a form."

// The messages of the two kinds of 401. They are those of FastAPI, which clients
// written for its tutorials look for.
const (
	notAuthenticated = "Not authenticated"
	notValidated     = "Could not validate credentials"
)

// challenge is a failure whose response names the accepted credentials (RFC
// 6750 §3). Its kind is that of its cause; the code and the scope go into the
// header.
type challenge struct {
	code  string
	scope oauth.Scope
	old   bool // the sign-in of the token is too old (RFC 9470)
	cause *apperr.Error
}

// header returns the value of WWW-Authenticate.
func (e *challenge) header() string {
	if e.old {
		return authheader.ChallengeStepUp(e.cause.Message, auth.ConfirmedFor)
	}
	return authheader.Challenge(e.code, string(e.scope))
}

// signInAgain is the message about a token of an old sign-in.
const signInAgain = "This needs a sign-in within the last 15 minutes. Sign in again at /token, or use a personal access token."

// fresh checks that the sign-in of a token is new enough for a scope. Personal access
// tokens were created under a confirmation, and nobody is there to ask.
func (a *API) fresh(caller *oauth.Caller, scope oauth.Scope) error {
	if scope != oauth.ScopeUsersWrite || caller.Personal || a.auth.Confirmed(&caller.Identity) {
		return nil
	}
	return &challenge{old: true, cause: apperr.New(apperr.Unauthorized, signInAgain, auth.ErrUnconfirmed)}
}

// Error returns the text of the cause, for the log.
func (e *challenge) Error() string { return e.cause.Error() }

// Unwrap returns the cause.
func (e *challenge) Unwrap() error { return e.cause }

func nothingPresented() error {
	return &challenge{cause: apperr.New(apperr.Unauthorized, notAuthenticated, nil)}
}

// unusable is the one response to an invalid token. It does not reveal why the
// token is invalid.
func unusable(cause error) *challenge {
	return &challenge{code: "invalid_token", cause: apperr.New(apperr.Unauthorized, notValidated, cause)}
}

func misused(message string) error {
	return &challenge{code: "invalid_request", cause: apperr.New(apperr.Malformed, message, nil)}
}

// presented returns the token of the Authorization header (RFC 6750 §2.1), the
// only place where tokens are accepted.
func presented(r *http.Request) (string, error) {
	if err := elsewhere(r); err != nil {
		return "", err
	}
	headers := r.Header["Authorization"]
	switch len(headers) {
	case 0:
		return "", nothingPresented()
	case 1:
	default:
		return "", misused("The request has more than one Authorization header.")
	}
	token, ok := authheader.Bearer(headers[0])
	if !ok {
		return "", nothingPresented()
	}
	return token, nil
}

// elsewhere refuses a token in the query or in a form: they end up in logs and
// histories (RFC 6750 §2.2, §2.3, §5.3).
func elsewhere(r *http.Request) error {
	if r.URL.RawQuery != "" {
		query, _ := url.ParseQuery(r.URL.RawQuery) // its valid parts
		if query.Has("access_token") {
			return misused(inHeader)
		}
	}
	if r.Method == http.MethodPost && fields.IsForm(r) {
		in, err := fields.Read(r)
		if err != nil {
			return err
		}
		if url.Values(in).Has("access_token") {
			return misused(inHeader)
		}
	}
	return nil
}

// bearer is a caller and the token of the request.
type bearer struct {
	caller *oauth.Caller
	token  string
	client auth.Client
}

// actor returns the caller as the actor of a change.
func (b *bearer) actor() auth.Actor { return b.caller.Actor(b.client) }

// authenticate identifies the caller and checks that the token has the scope;
// with the scope "" any valid token passes.
// With quiet it does not count as a use of the session.
func (a *API) authenticate(c echo.Context, scope oauth.Scope, quiet bool) (bearer, error) {
	token, err := presented(c.Request())
	if err != nil {
		return bearer{}, err
	}
	return a.check(c, token, scope, quiet)
}

// check is authenticate for a token that has already been read.
func (a *API) check(c echo.Context, token string, scope oauth.Scope, quiet bool) (bearer, error) {
	b := bearer{token: token, client: middleware.Client(c)}
	identify := a.oauth.AuthenticateBearer
	if quiet {
		identify = a.oauth.PeekBearer
	}
	var err error
	b.caller, err = identify(c.Request().Context(), token, b.client)
	if errors.Is(err, apperr.Unauthorized) {
		return bearer{}, unusable(err)
	}
	if err != nil {
		return bearer{}, err
	}
	middleware.Of(c).Identity = &b.caller.Identity // for the line in the log
	if scope != "" && !b.caller.Scopes.Has(scope) {
		return bearer{}, &challenge{
			code: "insufficient_scope", scope: scope,
			cause: apperr.New(apperr.Forbidden, "This needs a token with the scope "+string(scope)+", and a role that allows it.", nil),
		}
	}
	if err := a.fresh(b.caller, scope); err != nil {
		return bearer{}, err
	}
	return b, nil
}
