package forward

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/authheader"
	"latchkey/internal/middleware"
)

// byAccessToken returns the person that the access cookie belongs to, nil for
// nobody. For nearly every request this is the only query.
func (h *Handlers) byAccessToken(c echo.Context) (*auth.Identity, error) {
	access := h.site.Cookies.Access(c.Request())
	if access == "" {
		return nil, nil //nolint:nilnil // nobody is an answer, not a failure
	}
	result, err := h.auth.Authenticate(c.Request().Context(), auth.Presented{Access: access}, middleware.Client(c))
	return result.Identity, err
}

// byOther returns the person that the refresh cookie belongs to, when peek is
// set, or else the owner of an API access token.
func (h *Handlers) byOther(c echo.Context, peek bool) (*auth.Identity, error) {
	ctx, client := c.Request().Context(), middleware.Client(c)
	if _, refresh, _ := h.site.Cookies.Tokens(c.Request()); peek && refresh != "" {
		if result, err := h.auth.Peek(ctx, refresh, client); err != nil || result.Identity != nil {
			return result.Identity, err
		}
	}
	if token := bearerToken(c.Request()); token != "" {
		person, err := h.byBearer(ctx, token, client)
		if !errors.Is(err, apperr.Unauthorized) {
			return person, err
		}
	}
	return nil, nil //nolint:nilnil // as above
}

// errNeedsMe is the cause when a valid API token may not name its owner.
var errNeedsMe = errors.New("forward-auth: a token without the scope me")

// byBearer returns the owner of an API token. The token needs the scope me, and
// the scope users for its owner to pass as an admin.
func (h *Handlers) byBearer(ctx context.Context, token string, client auth.Client) (*auth.Identity, error) {
	caller, err := h.auth.AuthenticateBearer(ctx, token, client)
	if err != nil {
		return nil, err
	}
	if !caller.Scopes.Has(auth.ScopeMe) {
		return nil, apperr.New(apperr.Forbidden, "This access token needs the scope me to open an app.", errNeedsMe)
	}
	person := caller.Identity
	person.Admin = person.Admin && caller.Scopes.Has(auth.ScopeUsers)
	return &person, nil
}

// bearerToken returns the token of an Authorization header (RFC 6750 §2.1), ""
// when there is none, or more than one.
func bearerToken(r *http.Request) string {
	lines := r.Header["Authorization"]
	if len(lines) != 1 {
		return ""
	}
	if token, ok := authheader.Bearer(lines[0]); ok {
		return token
	}
	return ""
}
