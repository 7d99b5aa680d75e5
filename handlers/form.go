package handlers

import (
	"errors"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/middleware"
	"latchkey/models"
	"latchkey/views/components"
)

// maxFields is how many values a form may bring.
const maxFields = 50

// form are the fields of a POST's body, each of which came at most once.
type form url.Values

// Get returns a field as it was typed, "" when it did not come.
func (f form) Get(name string) string { return url.Values(f).Get(name) }

// readForm reads the body, never the query. It returns apperr.TooLarge,
// apperr.Unsupported or apperr.Malformed: too many fields, one that came
// twice, a NUL, text that is not UTF-8.
func readForm(c echo.Context) (form, error) {
	r := c.Request()
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		if r.ContentLength == 0 {
			return form{}, nil
		}
		return nil, apperr.New(apperr.Unsupported, "", nil)
	}
	if err := r.ParseForm(); err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, apperr.New(apperr.TooLarge, "", tooLarge)
		}
		return nil, apperr.New(apperr.Malformed, "The form could not be read.", err)
	}
	if err := checkValues(r.PostForm); err != nil {
		return nil, err
	}
	return form(r.PostForm), nil
}

// readQuery returns the query with the same rules.
func readQuery(c echo.Context) (form, error) {
	values, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return nil, apperr.New(apperr.Malformed, "The address of this page could not be read.", err)
	}
	return form(values), checkValues(values)
}

func checkValues(values url.Values) error {
	if len(values) > maxFields {
		return apperr.New(apperr.Malformed, "The request has too many fields.", nil)
	}
	for name, list := range values {
		if len(list) > 1 {
			return apperr.New(apperr.Malformed, "The request names a field twice.", nil)
		}
		if !utf8.ValidString(name) || !utf8.ValidString(list[0]) || strings.ContainsRune(list[0], 0) {
			return apperr.New(apperr.Malformed, "The request has characters that cannot be read.", nil)
		}
	}
	return nil
}

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

// maxNext bounds a way back in bytes.
const maxNext = 512

// safeNext returns where a person may be sent after signing in: a path on this
// site, written anew from what was understood of it; "" for anything else, and
// for pages that make no sense as an arrival.
func safeNext(next string) string {
	if next == "" || len(next) > maxNext || next[0] != '/' {
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
	return (&url.URL{Path: clean, RawQuery: u.RawQuery}).RequestURI()
}

// formPage is the page that a request's form stands on; for a read it is the
// page itself.
func formPage(c echo.Context) string {
	if state := middleware.Of(c); state.FormPage != "" {
		return state.FormPage
	}
	if m := c.Request().Method; m == http.MethodGet || m == http.MethodHead {
		return c.Request().URL.RequestURI()
	}
	return "/"
}

// safeID passes ids and nothing else.
func safeID(id string) string {
	if models.IsID(id) {
		return id
	}
	return "unknown"
}

// pathID is the id in a route's path, or apperr.NotFound.
func pathID(c echo.Context) (string, error) {
	id := c.Param("id")
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
