package handlers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/labstack/echo/v4"

	"latchkey"
	"latchkey/handlers/api"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/forwardauth"
	"latchkey/internal/middleware"
	"latchkey/views/pages"
)

// original is the request that a proxy asks about.
type original struct {
	method, scheme, host, uri string
}

// forwardAuth handles GET /forward-auth: may the original request go on to its
// app, and whose is it? It gives and takes no cookie, because not every proxy
// passes a subrequest's on: where tokens have to be renewed, a navigation goes
// to /continue for it, and any other request is taken at its refresh token's
// word.
func (h *Handlers) forwardAuth(c echo.Context) error {
	asked, err := h.askedFor(c)
	if err != nil {
		return err
	}
	access, known := h.forward.Find(asked.scheme, asked.host, asked.uri)
	if !known {
		return apperr.New(apperr.Forbidden, "This address is not one of the apps that this portal protects.",
			fmt.Errorf("forward-auth: the file that LATCHKEY_FORWARD_AUTH_FILE names has no [[origin]] %q", asked.scheme+"://"+asked.host))
	}
	person, err := h.byAccessToken(c)
	target, whole := "", false
	if err == nil && person == nil {
		if !access.Public() && asked.navigates(c.Request()) {
			target, whole = h.wayBack(asked)
		}
		person, err = h.byOther(c, !whole)
	}
	if errors.Is(err, errNeedsMe) && access.Public() {
		err = nil // it is nobody's here, as an unusable one is
	}
	if err != nil {
		return err
	}
	middleware.Of(c).Identity = person // for the log
	switch {
	case person != nil && !access.Allows(forwardauth.Person{Username: person.Username, Admin: person.Admin}):
		return apperr.New(apperr.Forbidden, "You are signed in as "+person.Email+". This account may not open this page.",
			errors.New("forward-auth: the rules do not let this person pass"))
	case person != nil:
		setRemote(c.Response().Header(), person)
	case access.Public():
		setNobody(c.Response().Header())
	case target != "":
		return c.Redirect(http.StatusFound, h.publicURL+target)
	default:
		return apperr.New(apperr.Unauthorized, "", errors.New("forward-auth: nobody is signed in"))
	}
	return c.NoContent(http.StatusOK)
}

// askedFor reads what a trusted proxy says of the original request; nobody
// else is believed.
func (h *Handlers) askedFor(c echo.Context) (original, error) {
	switch {
	case h.forward.Empty():
		return original{}, apperr.New(apperr.Forbidden, "Forward-auth is off here. LATCHKEY_FORWARD_AUTH_FILE turns it on.",
			errors.New("forward-auth: LATCHKEY_FORWARD_AUTH_FILE is not set"))
	case !middleware.Of(c).Proxied:
		return original{}, apperr.New(apperr.Forbidden, "Only reverse proxies that LATCHKEY_TRUSTED_PROXIES lists may ask this.",
			fmt.Errorf("forward-auth: asked from %s, which LATCHKEY_TRUSTED_PROXIES does not list", c.Request().RemoteAddr))
	}
	var o original
	for _, part := range []struct {
		name string
		into *string
	}{
		{"X-Forwarded-Method", &o.method},
		{echo.HeaderXForwardedProto, &o.scheme},
		{"X-Forwarded-Host", &o.host},
		{"X-Forwarded-Uri", &o.uri},
	} {
		lines := c.Request().Header[part.name]
		if len(lines) != 1 || lines[0] == "" {
			return o, apperr.New(apperr.Malformed, "The proxy must send "+part.name+" once.",
				fmt.Errorf("forward-auth: %d lines of %s", len(lines), part.name))
		}
		*part.into = lines[0]
	}
	switch o.scheme { // some proxies name a WebSocket's
	case "ws":
		o.scheme = "http"
	case "wss":
		o.scheme = "https"
	}
	return o, nil
}

// navigates reports whether the original request is a person's who goes to a
// page, and not one of a script, an image or an API client (W3C Fetch
// Metadata; without it, who takes HTML is a browser).
func (o original) navigates(r *http.Request) bool {
	if o.method != http.MethodGet && o.method != http.MethodHead {
		return false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" {
		return mode == "navigate"
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// wayBack returns the path on the portal that leads back to the original
// request, and whether it leads to exactly that: an address that is too long
// to be carried along is cut down to the start of its app.
func (h *Handlers) wayBack(o original) (path string, whole bool) {
	if target := h.forward.URL(o.scheme, o.host, o.uri); target != "" {
		if path = continuePath(target, "", ""); len(path) <= maxContinue-len(afterSignIn) {
			return path, true
		}
	}
	return continuePath(h.forward.URL(o.scheme, o.host, "/"), "", cutShort), false
}

// byAccessToken finds out whose the original request is by the cookie of the
// live access token: the one query of nearly every request. Nil is nobody's.
func (h *Handlers) byAccessToken(c echo.Context) (*auth.Identity, error) {
	access := h.cookies.Access(c.Request())
	if access == "" {
		return nil, nil //nolint:nilnil // nobody is an answer here, and not a failure
	}
	result, err := h.auth.Authenticate(c.Request().Context(), auth.Presented{Access: access}, middleware.Client(c))
	return result.Identity, err
}

// byOther finds it out by the refresh token, if peek is set, and by an access
// token of the API.
func (h *Handlers) byOther(c echo.Context, peek bool) (*auth.Identity, error) {
	ctx, client := c.Request().Context(), middleware.Client(c)
	if _, refresh, _ := h.cookies.Tokens(c.Request()); peek && refresh != "" {
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

// errNeedsMe is why a token of the API, though good, says nothing of its owner.
var errNeedsMe = errors.New("forward-auth: a token without the scope me")

// byBearer takes a token of the API. To say who somebody is, it needs the
// scope me; for an admin it stands only with the scope to see everybody.
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
	token, ok := api.BearerToken(lines[0])
	if !ok {
		return ""
	}
	return token
}

// remoteHeaders tell an app who asks. They are never read from a request.
var remoteHeaders = [...]string{"Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups"}

// setRemote tells the app who asks. Names are UTF-8 as they are: header values
// are bytes to proxies (RFC 9110 §5.5), and an encoding would have to be undone
// by every app.
func setRemote(h http.Header, person *auth.Identity) {
	groups := "users"
	if person.Admin {
		groups = "admins,users"
	}
	values := []string{headerText(person.Username), headerText(person.Email), headerText(person.Name()), groups} // one allocation for all
	for i, name := range remoteHeaders {
		h[name] = values[i : i+1 : i+1]
	}
}

// setNobody tells the app that nobody is signed in: of a header that is not
// there, some proxies would make up another value.
func setNobody(h http.Header) {
	for _, name := range remoteHeaders {
		h[name] = []string{""}
	}
}

// headerText makes text fit for a header: one line of valid UTF-8.
func headerText(text string) string {
	text = strings.ToValidUTF8(text, "")
	if !strings.ContainsFunc(text, unicode.IsControl) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}

// refuseForward answers a request to /forward-auth that cannot go on. The
// answer is shown on the app's own address, so that its page brings nothing
// along: no stylesheet, no form, and links to the portal with its name.
func (h *Handlers) refuseForward(c echo.Context, status int, err error, wait time.Duration) error {
	header := c.Response().Header()
	switch {
	case errors.Is(err, errNeedsMe):
		header.Set(echo.HeaderWWWAuthenticate, api.Challenge("insufficient_scope", auth.ScopeMe))
	case status == http.StatusUnauthorized && bearerToken(c.Request()) != "":
		header.Set(echo.HeaderWWWAuthenticate, api.Challenge("invalid_token", ""))
	case status == http.StatusUnauthorized:
		header.Set(echo.HeaderWWWAuthenticate, api.Challenge("", ""))
	}
	asked, askedErr := h.askedFor(c)
	if askedErr != nil || !asked.navigates(c.Request()) {
		return h.problem(c, status, err)
	}
	view := h.errorWords(c, status, err, wait)
	view.Reference = middleware.Of(c).ID
	view.Actions = []pages.ErrorAction{{Label: "Go to your account", URL: h.publicURL}}
	if status == http.StatusForbidden {
		view.Actions = append(view.Actions, pages.ErrorAction{Label: "Use another account", URL: h.publicURL + "/logout"})
	} else if target := h.forward.URL(asked.scheme, asked.host, asked.uri); target != "" {
		view.Actions = append([]pages.ErrorAction{{Label: "Try again", URL: target}}, view.Actions...)
	}
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	return latchkey.Render(c, status, pages.Bare(h.brand.Name, view))
}

// Marks on the way back to an app.
const (
	afterSignIn = "after=sign-in&" // it comes from a form, see continueTo
	cutShort    = "cut=1&"         // the address was too long to be kept
)

// continuePath is the page of the portal that leads on to target.
func continuePath(target string, marks ...string) string {
	return pathContinue + "?" + strings.Join(marks, "") + "rd=" + url.QueryEscape(target)
}
