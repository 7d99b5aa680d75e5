package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"latchkey/handlers/api"
	"latchkey/handlers/site"
)

// gate says who may use a route, and whether its handler needs the identity.
type gate struct {
	authenticate bool                // identify the person; this can rotate a session
	require      echo.MiddlewareFunc // rejects everyone else; nil: lets everyone pass
	unverified   bool                // also for people who have to confirm their email address first
	oneStep      bool                // also for people who have to add a second step first
	confirmed    bool                // only for people who proved who they are within the last 15 minutes
	password     bool                // and for a form with the current password
}

// router declares routes.
type router struct {
	echo         *echo.Echo
	crossOrigin  echo.MiddlewareFunc
	authenticate echo.MiddlewareFunc
	verified     echo.MiddlewareFunc // rejects people who have to confirm their email address; nil: nobody has to
	twoSteps     echo.MiddlewareFunc // rejects people who have to add a second step; nil: nobody has to
	confirmed    echo.MiddlewareFunc // rejects people who have to confirm that it is them
	scripts      map[string]bool     // the routes of script
}

// plain declares a route that neither reads nor sets cookies and that any site
// may load.
func (r router) plain(path string, handler echo.HandlerFunc) {
	r.echo.GET(path, handler)
	r.echo.HEAD(path, handler)
}

// get declares a page.
func (r router) get(path string, g gate, handler echo.HandlerFunc) {
	r.echo.GET(path, handler, r.before(g)...)
	r.echo.HEAD(path, handler, r.before(g)...)
}

// post declares an action whose form is on formPage.
func (r router) post(path string, g gate, handler echo.HandlerFunc, formPage string) {
	r.echo.POST(path, handler, append([]echo.MiddlewareFunc{site.FormOn(formPage)}, r.before(g)...)...)
}

// script declares an action that only the script of formPage calls: its failures are
// problem documents, never pages.
func (r router) script(path string, g gate, handler echo.HandlerFunc, formPage string) {
	r.scripts[path] = true
	r.post(path, g, func(c echo.Context) error {
		noDocument(c.Response().Header())
		return handler(c)
	}, formPage)
}

// noDocument removes the headers that matter only for documents. They would be a tenth
// of the bytes of the sign-in page.
func noDocument(header http.Header) {
	for _, name := range []string{"Permissions-Policy", "Cross-Origin-Opener-Policy", "Origin-Agent-Cluster"} {
		header.Del(name)
	}
	header.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
}

// either answers a request in tutorial dialect by program, and any other by
// page.
func either(program, page echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if api.InTutorialDialect(c.Request()) {
			return program(c)
		}
		return page(c)
	}
}

// before returns the middleware of a route. The cross-origin check comes first: a
// request from another site must not rotate a session.
func (r router) before(g gate) []echo.MiddlewareFunc {
	chain := []echo.MiddlewareFunc{r.crossOrigin}
	if g.authenticate {
		chain = append(chain, r.authenticate)
		if r.verified != nil && !g.unverified {
			chain = append(chain, r.verified)
		}
		// An address is confirmed before a second step is added, so the page to correct it
		// must not lead back to the pages that ask for the step.
		if correcting := r.verified != nil && g.unverified; r.twoSteps != nil && !g.oneStep && !correcting {
			chain = append(chain, r.twoSteps)
		}
	}
	if g.require != nil {
		chain = append(chain, g.require)
	}
	switch {
	case g.confirmed && g.password:
		chain = append(chain, site.UnlessPassword(r.confirmed))
	case g.confirmed:
		chain = append(chain, r.confirmed)
	}
	return chain
}

// files serves static files, which are the same for every visitor. With shared,
// pages of other origins may load them, because the pages about protected apps
// do (forward.Refusal).
func files(handler http.Handler, shared bool) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Response().Header()
		header.Del("Vary") // the files do not depend on cookies
		noDocument(header)
		if shared {
			header.Set("Cross-Origin-Resource-Policy", "cross-origin")
		}
		handler.ServeHTTP(c.Response(), c.Request())
		return nil
	}
}
