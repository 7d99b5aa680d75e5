package site

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"latchkey/models"
)

// returnKey is the key in the context of Echo for the page that FormOn or
// SetReturn named.
const returnKey = "latchkey/return-to"

// ReturnTo returns the page of the portal that the visitor of this request can
// come back to. Used as next after sign-in, for Try again and Go back on error
// pages, and by the theme switch. It is
//   - the page named with SetReturn;
//   - for a read, the page itself;
//   - for a POST, the page its form is on (FormOn, in routes.go);
//   - for a POST without a route, the portal's page that it came from, or "/".
func (s *Site) ReturnTo(c echo.Context) string {
	switch set := c.Get(returnKey).(type) {
	case string:
		return set
	case formPage:
		return set.path + set.query(c)
	}
	if m := c.Request().Method; m == http.MethodGet || m == http.MethodHead {
		return c.Request().URL.RequestURI()
	}
	return s.CameFrom(c)
}

// SetReturn names the page that ReturnTo returns for this request.
func SetReturn(c echo.Context, page string) { c.Set(returnKey, page) }

// FormOn returns the middleware of a POST route whose form is on page. A field
// named after a "?" is part of the page's URL too; :id and :token are the route's own.
func FormOn(page string) echo.MiddlewareFunc {
	page, keeps, _ := strings.Cut(page, "?")
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ids := strings.NewReplacer(":id", safeID(c.Param("id")), ":token", safeID(c.Param("token")))
			c.Set(returnKey, formPage{ids.Replace(page), keeps})
			return next(c)
		}
	}
}

// formPage is the page that a POST's form is on, and the field that is part of
// its URL, "" for none.
type formPage struct{ path, keeps string }

// query returns the part of the URL after the path, or "" if the body cannot be
// read.
func (p formPage) query(c echo.Context) string {
	if p.keeps == "" {
		return ""
	}
	in, err := ReadForm(c)
	if err != nil {
		return ""
	}
	value := in.Get(p.keeps)
	if p.keeps == "next" {
		return withNext(SafeNext(value))
	}
	if value == "" || len(value) > maxNext {
		return ""
	}
	return "?" + p.keeps + "=" + url.QueryEscape(value)
}

// CameFrom returns the page of the portal that the request says it came from
// (its Referer), or "/".
func (s *Site) CameFrom(c echo.Context) string {
	if from := s.Referer(c.Request()); from != nil {
		return cmp.Or(SafePage(from.RequestURI()), "/")
	}
	return "/"
}

// Referer returns the page of the portal that a request says it came from, nil
// when it came from elsewhere or does not say.
func (s *Site) Referer(r *http.Request) *url.URL {
	from, err := url.Parse(r.Referer())
	if err != nil || from.Scheme+"://"+from.Host != s.PublicURL {
		return nil
	}
	return from
}

// Bounds of next in bytes. A next that leads to a protected app contains the app's
// address, percent-encoded.
const (
	maxNext     = 512
	MaxContinue = 1024
)

// SafeNext returns the path that a visitor may be sent to after signing in,
// rebuilt from its parsed form. It returns "" for anything that is not a
// path of the portal, and for pages that make no sense after signing in.
func SafeNext(next string) string {
	limit := maxNext
	if strings.HasPrefix(next, PathContinue+"?") {
		limit = MaxContinue
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

// SafePage is SafeNext for any page of the portal: it also accepts the pages
// before sign-in, with their own next.
func SafePage(page string) string {
	u, err := url.Parse(page)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return ""
	}
	switch u.Path {
	case "/login", "/login/code", "/login/recovery", "/login/lost", "/signup", "/forgot":
		return u.Path + withNext(SafeNext(u.Query().Get("next")))
	}
	return SafeNext(page)
}

// LoginPath returns the path of the sign-in page that then leads to next.
func LoginPath(next string) string { return WithNext("/login", next) }

// WithNext returns a path of a page before sign-in that then leads to next.
func WithNext(path, next string) string { return path + withNext(SafeNext(next)) }

// PathVerify is the page on which people confirm their email address.
const PathVerify = "/verify"

// PathSecurity is the page of everything that protects an account, and PathConfirm the
// page on which people confirm that it is them.
const (
	PathSecurity = "/profile/security"
	PathConfirm  = "/confirm"
)

// VerifyPath returns the path of that page, which then leads to next.
func VerifyPath(next string) string { return PathVerify + withNext(SafeNext(next)) }

func withNext(next string) string {
	if next == "" {
		return ""
	}
	return "?next=" + url.QueryEscape(next)
}

// escapeText percent-encodes the bytes that are not ASCII, which a Location
// cannot carry (RFC 3986 §2). The rest of the query belongs to the page.
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

// safeID returns id if it is a valid id, so that nothing else gets into a URL.
func safeID(id string) string {
	if models.IsID(id) {
		return id
	}
	return "unknown"
}

// PathContinue is the path of the page that continues to a protected app.
const PathContinue = "/continue"

// Marks in the query of PathContinue.
const (
	MarkAfterSignIn = "after=sign-in&" // the visitor comes from a form
	MarkCut         = "cut=1&"         // the app's address was too long to remember whole
)

// ContinuePath returns the path of the portal that continues to an app's URL.
func ContinuePath(target string, marks ...string) string {
	return PathContinue + "?" + strings.Join(marks, "") + "rd=" + url.QueryEscape(target)
}
