package forward

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/authheader"
	"latchkey/internal/middleware"
	"latchkey/internal/oauth"
)

// byAccessToken returns the person that the access cookie belongs to, or nil. For
// nearly every request this is the only query.
func (h *Handlers) byAccessToken(c echo.Context) (*auth.Identity, error) {
	access := h.site.Cookies.Access(c.Request())
	if access == "" {
		return nil, nil //nolint:nilnil // no person is a result, not a failure
	}
	result, err := h.auth.Authenticate(c.Request().Context(), auth.Presented{Access: access}, middleware.Client(c))
	return result.Identity, err
}

// byOther returns the person that the refresh cookie belongs to, when peek is
// set, or else the owner of the token in the Authorization header.
func (h *Handlers) byOther(c echo.Context, peek bool) (*auth.Identity, error) {
	ctx, client := c.Request().Context(), middleware.Client(c)
	if _, refresh, _ := h.site.Cookies.Tokens(c.Request()); peek && refresh != "" {
		if result, err := h.auth.Peek(ctx, refresh, client); err != nil || result.Identity != nil {
			return result.Identity, err
		}
	}
	if sent := credentialsOf(c.Request()); sent.token != "" {
		person, err := h.byToken(ctx, sent, client)
		if !errors.Is(err, apperr.Unauthorized) {
			return person, err
		}
	}
	return nil, nil //nolint:nilnil // as above
}

// errNeedsApps is the cause when a valid token may not open apps.
var errNeedsApps = errors.New("forward-auth: a token without the scope apps")

// byToken returns the owner of a token. The token needs the scope apps, and the
// scope users for its owner to pass as an admin.
func (h *Handlers) byToken(ctx context.Context, sent credentials, client auth.Client) (*auth.Identity, error) {
	caller, err := h.oauth.AuthenticateBearer(ctx, sent.token, client)
	if err != nil {
		return nil, err
	}
	if !sent.names(&caller.Identity) {
		return nil, apperr.New(apperr.Unauthorized, "", errors.New("forward-auth: a token with the name of another account"))
	}
	if !caller.Scopes.Has(oauth.ScopeApps) {
		return nil, apperr.New(apperr.Forbidden, "This access token needs the scope apps to open an app.", errNeedsApps)
	}
	person := caller.Identity
	person.Admin = person.Admin && caller.Scopes.Has(oauth.ScopeUsers)
	return &person, nil
}

// credentials are a token in an Authorization header. With Basic, the token is the
// password, and name is the username.
type credentials struct{ token, name string }

// names reports whether the name sent with a token is empty, or its owner's
// username or email address.
func (s credentials) names(owner *auth.Identity) bool {
	return s.name == "" || strings.EqualFold(s.name, owner.Username) || strings.EqualFold(s.name, owner.Email)
}

// credentialsOf returns the token of an Authorization header: with Bearer (RFC
// 6750 §2.1), or a personal access token with Basic (RFC 7617), the only scheme
// that many programs support. Any other password is not meant for the portal.
func credentialsOf(r *http.Request) credentials {
	lines := r.Header["Authorization"]
	if len(lines) != 1 {
		return credentials{}
	}
	if bearer, ok := authheader.Bearer(lines[0]); ok {
		return credentials{token: bearer}
	}
	name, password, ok := authheader.Basic(lines[0])
	if !ok || !strings.HasPrefix(password, oauth.PersonalPrefix) {
		return credentials{}
	}
	return credentials{token: password, name: name}
}

// isBrowser reports whether a browser sent the original request, as far as its
// headers tell.
func isBrowser(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Mode") != "" || strings.HasPrefix(r.UserAgent(), "Mozilla/")
}
