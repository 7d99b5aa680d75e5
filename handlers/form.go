package handlers

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/fields"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/components"
)

// form are the fields of a POST's body, each of which came at most once.
type form = fields.Values

// readForm reads the body, never the query (package fields).
func readForm(c echo.Context) (form, error) { return fields.Read(c.Request()) }

// readQuery returns the query with the same rules.
func readQuery(c echo.Context) (form, error) { return fields.Query(c.Request()) }

// fieldErrors turns a service's apperr.Fields into those of a page; any other
// failure comes back as it is.
func fieldErrors(err error) (components.Errors, error) {
	fields, ok := errors.AsType[apperr.Fields](err)
	if !ok {
		return nil, err
	}
	var list components.Errors
	for _, f := range fields {
		list.Add(f.Field, f.Message)
	}
	return list, nil
}

// Bounds of a way back in bytes. One that leads on to a protected app carries
// that app's address, percent-encoded.
const (
	maxNext     = 512
	maxContinue = 1024
)

// safeNext returns where a person may be sent after signing in: a path on this
// site, written anew from what was understood of it; "" for anything else, and
// for pages that make no sense as an arrival.
func safeNext(next string) string {
	limit := maxNext
	if strings.HasPrefix(next, pathContinue+"?") {
		limit = maxContinue
	}
	if next == "" || len(next) > limit || next[0] != '/' {
		return ""
	}
	for i := range len(next) {
		if next[i] <= ' ' || next[i] == 0x7f || next[i] == '\\' {
			return ""
		}
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return ""
	}
	clean := path.Clean(u.Path)
	if strings.HasPrefix(u.Path, "//") || strings.HasPrefix(next, "//") || !strings.HasPrefix(clean, "/") ||
		strings.ContainsAny(u.Path, "\\\r\n\t") {
		return ""
	}
	for _, banned := range []string{"/login", "/logout", "/token", "/api"} {
		if clean == banned || strings.HasPrefix(clean, banned+"/") {
			return ""
		}
	}
	return (&url.URL{Path: clean, RawQuery: escapeText(u.RawQuery)}).RequestURI()
}

// escapeText percent-encodes what is not ASCII, which a Location cannot carry
// (RFC 3986 §2). The rest of the query is the page's own business.
func escapeText(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c < utf8.RuneSelf {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// formPage is the page that a request's form stands on; for a read it is the
// page itself. Where a form was refused before its route had a say, it is the
// page that it says it comes from.
func (h *Handlers) formPage(c echo.Context) string {
	if state := middleware.Of(c); state.FormPage != "" {
		return state.FormPage + keptQuery(c, state.FormKeeps)
	}
	if m := c.Request().Method; m == http.MethodGet || m == http.MethodHead {
		return c.Request().URL.RequestURI()
	}
	return h.cameFrom(c)
}

// cameFrom is the page of ours that a request says it comes from, or "/".
func (h *Handlers) cameFrom(c echo.Context) string {
	from, ours := comesFrom(c.Request(), h.publicURL)
	if !ours {
		return "/"
	}
	return cmp.Or(themeNext(from.RequestURI()), "/")
}

// keptQuery is the query with one field of a request's form, for the page that
// the form stands on. A request that was refused before its handler is read
// here for the first time; one that cannot be read keeps nothing.
func keptQuery(c echo.Context, field string) string {
	if field == "" {
		return ""
	}
	in, err := readForm(c)
	if err != nil {
		return ""
	}
	value := in.Get(field)
	if field == "next" {
		return withQuery(safeNext(value))
	}
	if value == "" || len(value) > maxNext {
		return ""
	}
	return "?" + field + "=" + url.QueryEscape(value)
}

// safeID passes ids and nothing else.
func safeID(id string) string {
	if models.IsID(id) {
		return id
	}
	return "unknown"
}

// pathID is the id in a route's path, or apperr.NotFound.
func pathID(c echo.Context) (string, error) { return pathIDNamed(c, "id") }

// pathIDNamed is pathID for a route with more than one id.
func pathIDNamed(c echo.Context, name string) (string, error) {
	id := c.Param(name)
	if !models.IsID(id) {
		return "", apperr.New(apperr.NotFound, "", nil)
	}
	return id, nil
}

func ipNet(prefix netip.Prefix) *net.IPNet {
	return &net.IPNet{
		IP:   prefix.Addr().AsSlice(),
		Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen()),
	}
}
