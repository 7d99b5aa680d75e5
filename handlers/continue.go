package handlers

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"
	"golang.org/x/net/publicsuffix"

	"latchkey"
	"latchkey/internal/apperr"
	"latchkey/internal/fields"
	"latchkey/internal/middleware"
	"latchkey/views/layouts"
	"latchkey/views/pages"
)

const (
	pathForwardAuth = "/forward-auth"
	pathContinue    = "/continue"
	// maxBounces is how often a browser may come back for the same address
	// within ten seconds without having needed new tokens.
	maxBounces = 4
)

// continueTo handles GET /continue: on to a protected app, once the person is
// signed in. The tokens were renewed on the way here if they had to be.
//
// After a form was sent, it leads on by a page that refreshes itself: browsers
// apply the form-action of the page that the form stood on to every redirect
// that follows, and it allows this origin alone (CSP Level 3 §6.4.2).
func (h *Handlers) continueTo(c echo.Context) error {
	query, err := readQuery(c)
	if err != nil {
		return err
	}
	target, ok := h.forward.Return(query.Get("rd"))
	if !ok {
		return apperr.New(apperr.Malformed, "This link does not lead to an app that this portal protects. "+
			"Open the app the way you usually do.", errors.New("continue: no protected origin"))
	}
	cut := query.Get("cut") != ""
	if who(c) == nil {
		middleware.Of(c).FormPage = continueAfterSignIn(target, cut)
		return apperr.New(apperr.Unauthorized, "", errors.New("nobody is signed in"))
	}
	if !middleware.Of(c).Renewed && h.cookies.Bounce(c.Response().Header(), c.Request(), target.String()) > maxBounces {
		return h.showLoop(c, target)
	}
	if _, ours := comesFrom(c.Request(), h.publicURL); !cut && !ours && query.Get("after") == "" {
		return c.Redirect(http.StatusFound, target.String())
	}
	view := pages.ContinueView{App: target.Host, URL: target.String(), Cut: cut}
	page := h.section(c, layouts.SectionNone, "Continue to "+target.Host)
	if !cut {
		page.Refresh = view.URL
	}
	return latchkey.Render(c, http.StatusOK, pages.Continue(page, view))
}

// appBehind is what to call the protected app that a way back (safeNext) leads
// on to: its host, for the rules know no other name. "" for any other page.
func (h *Handlers) appBehind(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Path != pathContinue {
		return ""
	}
	query, err := fields.Query(&http.Request{URL: u})
	if err != nil {
		return ""
	}
	target, ok := h.forward.Return(query.Get("rd"))
	if !ok {
		return ""
	}
	return target.Host
}

// continueAfterSignIn is the way on for somebody who has to sign in first. An
// address that is too long to be carried through the form is cut down to the
// start of its app, and the page at the end says so.
func continueAfterSignIn(target *url.URL, cut bool) string {
	if !cut {
		if path := continuePath(target.String(), afterSignIn); len(path) <= maxContinue {
			return path
		}
	}
	start := url.URL{Scheme: target.Scheme, Host: target.Host, Path: "/"}
	return continuePath(start.String(), afterSignIn, cutShort)
}

// showLoop ends the rounds of a browser whose app does not get to see that it
// is signed in, and says what the operator has to change.
func (h *Handlers) showLoop(c echo.Context, target *url.URL) error {
	app := target.Scheme + "://" + target.Host
	remedy := h.loopRemedy(target)
	h.logger.LogAttrs(c.Request().Context(), slog.LevelError, "forward-auth: a signed-in browser is sent back again and again",
		slog.String("request_id", middleware.Of(c).ID), slog.String("app", app), slog.String("remedy", remedy))
	page := h.frame(c, "Your sign-in does not arrive")
	return latchkey.Render(c, http.StatusLoopDetected, pages.Error(page, pages.ErrorView{
		Heading: "Your sign-in does not arrive",
		Text: "You are signed in here, but " + target.Host + " does not get to know it. " +
			"You can do nothing about it; whoever runs this portal can: " + remedy,
		Reference: middleware.Of(c).ID,
		Actions:   []pages.ErrorAction{{Label: "Try again", URL: target.String()}, {Label: "Go to your account", URL: "/"}},
	}))
}

// loopRemedy says what keeps the cookies from an app, as far as the two
// addresses tell.
func (h *Handlers) loopRemedy(target *url.URL) string {
	own, err := url.Parse(h.publicURL)
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
	return "LATCHKEY_COOKIE_DOMAIN must be " + domain + ", and the proxy must pass the Cookie header on to /forward-auth."
}

// sharedDomain returns the smallest domain that two hosts are within, "" when
// it is nobody's own.
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
