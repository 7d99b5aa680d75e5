// Package forward answers reverse proxies that ask whether a request may pass to
// a protected app, and who sent it (GET /forward-auth).
//
// Package forwardauth has the rules of the apps; package auth decides who a
// request belongs to.
package forward

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/forwardauth"
	"latchkey/internal/middleware"
	"latchkey/internal/oauth"
)

// Path is the path that proxies request.
const Path = "/forward-auth"

// refused is the query of a proxy that asks again for the response to a request
// that was refused. nginx cannot pass on the response to its first question.
const refused = "refused"

// Handlers answer proxies. They are safe for concurrent use.
type Handlers struct {
	site  *site.Site
	own   string // the portal's host, which cannot be an app's
	auth  *auth.Service
	oauth *oauth.Service
	apps  *forwardauth.Rules
}

// New returns the handlers. apps are the protected apps with their rules.
func New(s *site.Site, service *auth.Service, tokens *oauth.Service, apps *forwardauth.Rules) *Handlers {
	_, own, _ := strings.Cut(s.PublicURL, "://")
	return &Handlers{site: s, own: own, auth: service, oauth: tokens, apps: apps}
}

// Check handles GET /forward-auth: it says whether the original request may pass
// to its app, and who sent it. It sets no cookie, because not every proxy passes
// one on from a subrequest. So it does not rotate a session: a navigation is
// redirected to /continue for that, and any other request is identified by its
// refresh token.
//
// A refusal reaches the client at the app's address. It therefore leaves out
// Strict-Transport-Security, which is for the app's operator to decide.
func (h *Handlers) Check(c echo.Context) error {
	c.Response().Header().Del(echo.HeaderStrictTransportSecurity)
	asked, err := h.askedFor(c)
	if err != nil {
		return err
	}
	access, app, known := h.apps.Find(asked.Request)
	if !known {
		return apperr.New(apperr.Forbidden, "This address is not one of the apps that this portal protects.",
			fmt.Errorf("forward-auth: the file that LATCHKEY_FORWARD_AUTH_FILE names has no [[origin]] %q", asked.Scheme+"://"+asked.Host))
	}
	person, err := h.byAccessToken(c)
	target, whole := "", false
	if err == nil && person == nil {
		if !access.Public() && asked.navigates(c.Request()) {
			target, whole = h.wayBack(asked)
		}
		person, err = h.byOther(c, !whole)
	}
	if (errors.Is(err, errNeedsApps) || oauth.Held(err)) && access.Public() {
		err = nil // treated like a token that does not work
	}
	if err != nil {
		return err
	}
	middleware.Of(c).Identity = person // for the log
	if held := h.heldAt(person); held != "" {
		if !access.Public() {
			return h.refuseHeld(c, asked, held)
		}
		person = nil
	}
	switch {
	case person != nil && !access.Allows(forwardauth.Person{ID: person.UserID, Username: person.Username, Admin: person.Admin}):
		return apperr.New(apperr.Forbidden, "You are signed in as "+cmp.Or(person.Email, person.Username)+". This account has no access to this page"+of(app)+".",
			errors.New("forward-auth: the rules do not let this person pass"))
	case person == nil && !access.Public() && target != "":
		return site.RedirectToApp(c, h.site.PublicURL+target)
	case person == nil && !access.Public():
		return apperr.New(apperr.Unauthorized, "", errors.New("forward-auth: no one is signed in"))
	case c.Request().URL.RawQuery == refused: // a 200 would reach the client as the app's
		return apperr.Wait(apperr.Unavailable, time.Second, "This request was refused a moment ago and may be allowed now. Send it again.",
			errors.New("forward-auth: refused, and allowed when the proxy asked again"))
	}
	setRemote(c.Response().Header(), person, h.site.Verifies)
	c.Response().Header().Set("Cookie", h.site.Cookies.WithoutTokens(c.Request())) // for proxies that cannot change cookies
	return site.Nothing(c)
}

// heldAt returns the page on which a person has to do something before they can open
// apps, "" for none.
func (h *Handlers) heldAt(person *auth.Identity) string {
	switch {
	case person == nil:
		return ""
	case h.site.VerifyRequired && !person.Verified:
		return site.PathVerify
	case h.auth.LacksStep(person):
		return site.PathSecurity
	}
	return ""
}

// refuseHeld refuses a person who has to do something on a page of the portal first. A
// browser that opens a page is redirected there.
func (h *Handlers) refuseHeld(c echo.Context, asked original, page string) error {
	if target, _ := h.wayBack(asked); asked.navigates(c.Request()) {
		return site.RedirectToApp(c, h.site.PublicURL+site.WithNext(page, target))
	}
	first, cause := "Confirm your email address first", oauth.ErrUnverified
	if page == site.PathSecurity {
		first, cause = "Add a second step first", oauth.ErrLacksStep
	}
	return apperr.New(apperr.Forbidden, first+": open "+h.site.PublicURL+page+" in a browser.", cause)
}

// of returns " of " and the app's name, or "" for an app without a name.
func of(app forwardauth.Origin) string {
	if app.Name == "" {
		return ""
	}
	return " of " + app.Name
}

// wayBack returns the path of the portal that leads to the original URL, and
// whether it leads to the complete URL: one that is too long is cut to the start
// page of its app.
func (h *Handlers) wayBack(o original) (path string, whole bool) {
	if target := h.apps.URL(o.Scheme, o.Host, o.URI); target != "" {
		if path = site.ContinuePath(target); len(path) <= site.MaxContinue-len(site.MarkAfterSignIn) {
			return path, true
		}
	}
	return site.ContinuePath(h.apps.URL(o.Scheme, o.Host, "/"), site.MarkCut), false
}
