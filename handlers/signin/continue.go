package signin

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/net/publicsuffix"

	"latchkey/handlers/site"
	"latchkey/internal/apperr"
	"latchkey/internal/fields"
	"latchkey/internal/middleware"
	"latchkey/views/pages"
)

// maxBounces is how often a browser may come back for the same address within
// ten seconds without a rotation of its session.
const maxBounces = 4

// Continue handles GET /continue: it redirects a signed-in person to a
// protected app. Authenticate has already rotated the session if necessary.
//
// After a form, it shows a page that refreshes to the app: browsers apply the
// form-action of the form's page to every redirect that follows, and ours
// allows only this origin (CSP Level 3 §6.4.2).
func (h *Handlers) Continue(c echo.Context) error {
	query, err := site.ReadQuery(c)
	if err != nil {
		return err
	}
	target, ok := h.apps.Return(query.Get("rd"))
	if !ok {
		return apperr.New(apperr.Malformed, "This link does not lead to an app of this portal. Open the app as you usually do.", errors.New("continue: no protected origin"))
	}
	cut := query.Get("cut") != ""
	if site.Identity(c) == nil {
		site.SetReturn(c, continueAfterSignIn(target, cut))
		return apperr.New(apperr.Unauthorized, "", errors.New("no one is signed in"))
	}
	if !middleware.Of(c).Renewed && h.site.Cookies.Bounce(c.Response().Header(), c.Request(), target.String()) > maxBounces {
		return h.showLoop(c, target)
	}
	if !cut && h.site.Referer(c.Request()) == nil && query.Get("after") == "" {
		return site.RedirectToApp(c, target.String())
	}
	view := pages.ContinueView{App: target.Host, URL: target.String(), Cut: cut}
	page := h.site.Page(c, "Continue to "+target.Host)
	if !cut {
		page.Refresh = view.URL
	}
	return site.Show(c, pages.Continue(page, view))
}

// appBehind returns the host of the protected app that next (see site.SafeNext)
// leads to, or "" for any other page.
func (h *Handlers) appBehind(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Path != site.PathContinue {
		return ""
	}
	query, err := fields.Query(&http.Request{URL: u})
	if err != nil {
		return ""
	}
	target, ok := h.apps.Return(query.Get("rd"))
	if !ok {
		return ""
	}
	return target.Host
}

// continueAfterSignIn returns the path to the app for a person who has to sign
// in first. A URL that is too long for next is cut to the start page of its
// app, and /continue says so.
func continueAfterSignIn(target *url.URL, cut bool) string {
	if !cut {
		if path := site.ContinuePath(target.String(), site.MarkAfterSignIn); len(path) <= site.MaxContinue {
			return path
		}
	}
	start := url.URL{Scheme: target.Scheme, Host: target.Host, Path: "/"}
	return site.ContinuePath(start.String(), site.MarkAfterSignIn, site.MarkCut)
}

// showLoop stops a browser that keeps coming back because the app does not
// receive its sign-in. The page says what the operator has to change.
func (h *Handlers) showLoop(c echo.Context, target *url.URL) error {
	remedy := h.loopRemedy(target)
	failure := apperr.New(apperr.Loop, "", fmt.Errorf("forward-auth: %s://%s sends a signed-in browser back again and again; %s",
		target.Scheme, target.Host, remedy))
	page := h.site.Frame(c, "Your sign-in does not reach this app")
	return site.Answer(c, failure, pages.Error(page, pages.ErrorView{
		Heading: "Your sign-in does not reach this app",
		Text: "You are signed in here, but " + target.Host + " does not receive your sign-in. " +
			"Only the operator of this portal can fix this: " + remedy,
		Reference: middleware.Of(c).ID,
		Actions:   []pages.ErrorAction{{Label: "Try again", URL: target.String()}, {Label: "Go to your account", URL: "/"}},
	}))
}

// loopRemedy returns why the cookies do not reach an app, as far as the two
// URLs show it.
func (h *Handlers) loopRemedy(target *url.URL) string {
	own, err := url.Parse(h.site.PublicURL)
	if err != nil {
		return ""
	}
	domain := sharedDomain(own.Hostname(), target.Hostname())
	switch {
	case own.Scheme == "https" && target.Scheme != "https":
		return "browsers send the portal's cookies over https only, and the app is at " + target.Scheme + "://" + target.Host + "."
	case domain == "":
		return "browsers share no cookies between " + own.Host + " and " + target.Host + ", so both must be below one domain."
	case own.Scheme != "https":
		return "browsers share cookies between " + own.Host + " and " + target.Host + " only when both have https and LATCHKEY_COOKIE_DOMAIN is " + domain + "."
	}
	return "set LATCHKEY_COOKIE_DOMAIN to " + domain + ", and let the proxy pass the Cookie header to /forward-auth."
}

// sharedDomain returns the smallest domain that two hosts have in common, "" for
// a public suffix such as "com".
func sharedDomain(a, b string) string {
	if _, err := netip.ParseAddr(b); err == nil {
		return ""
	}
	for domain, more := a, true; more; _, domain, more = strings.Cut(domain, ".") {
		if b == domain || strings.HasSuffix(b, "."+domain) {
			if _, err := publicsuffix.EffectiveTLDPlusOne(domain); err != nil {
				return ""
			}
			return domain
		}
	}
	return ""
}
