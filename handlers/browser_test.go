package handlers_test

import (
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// firefox is the User-Agent of the browsers in the tests.
const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

// browser is an HTTP client that keeps cookies until they expire by the site's
// clock.
type browser struct {
	site    *site
	cookies map[string]kept
	agent   string
	address string // ip:port
}

type kept struct {
	value   string
	expires time.Time // zero: until the browser closes
}

func (s *site) browser() *browser {
	return &browser{site: s, cookies: map[string]kept{}, agent: firefox, address: "192.0.2.1:1234"}
}

// clone returns another browser with the same cookies. Later changes in one do not
// affect the other.
func (b *browser) clone() *browser {
	twin := *b
	twin.cookies = maps.Clone(b.cookies)
	return &twin
}

// signIn signs in and stays signed in.
func (b *browser) signIn(name string) {
	b.site.T.Helper()
	b.post("/login", "username", name, "password", secretWord, "remember", "on").redirects("/profile")
}

// confirm confirms with the password that it is the person, as they are asked before
// what only they may do when they last signed in more than 15 minutes ago.
func (b *browser) confirm() {
	b.site.T.Helper()
	b.post("/confirm", "next", "/profile", "password", secretWord).redirects("/profile")
}

// cookie returns the value of a cookie that has not expired, or "".
func (b *browser) cookie(name string) string { return b.cookies[name].value }

// forget removes cookies, as if they had expired.
func (b *browser) forget(names ...string) {
	for _, name := range names {
		delete(b.cookies, name)
	}
}

func (b *browser) get(path string) *answer { return b.do(b.request(http.MethodGet, path, "")) }

// post sends a form of name and value pairs.
func (b *browser) post(path string, pairs ...string) *answer {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return b.do(b.request(http.MethodPost, path, values.Encode()))
}

// request returns the browser's request, which the test can change.
func (b *browser) request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	u, err := url.Parse(b.site.URL)
	if err != nil {
		b.site.T.Fatal(err)
	}
	r.Host, r.RemoteAddr = u.Host, b.address
	r.Header.Set("User-Agent", b.agent)
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.site.URL)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, c := range b.cookies {
		if c.expires.IsZero() || b.site.Clock.Now().Before(c.expires) {
			r.AddCookie(&http.Cookie{Name: name, Value: c.value})
		}
	}
	return r
}

// do sends a request and keeps the cookies of the response.
func (b *browser) do(r *http.Request) *answer {
	b.site.T.Helper()
	recorder := httptest.NewRecorder()
	b.site.Echo.ServeHTTP(recorder, r)
	response := recorder.Result()
	a := &answer{
		t: b.site.T, asked: r.Method + " " + r.URL.RequestURI(), code: response.StatusCode,
		header: response.Header, body: recorder.Body.String(), cookies: response.Cookies(),
	}
	for _, c := range a.cookies {
		switch {
		case c.MaxAge < 0:
			delete(b.cookies, c.Name)
		case c.MaxAge == 0:
			b.cookies[c.Name] = kept{value: c.Value}
		default:
			b.cookies[c.Name] = kept{value: c.Value, expires: b.site.Clock.Now().Add(time.Duration(c.MaxAge) * time.Second)}
		}
	}
	return a
}

// follow follows the redirect of a response.
func (b *browser) follow(a *answer) *answer {
	b.site.T.Helper()
	if a.code != http.StatusSeeOther {
		b.site.T.Fatalf("%s: got status %d, want a redirect to follow\n%s", a.asked, a.code, a.text())
	}
	return b.get(a.header.Get("Location"))
}

// answer is a response.
type answer struct {
	t       *testing.T
	asked   string
	code    int
	header  http.Header
	body    string
	cookies []*http.Cookie
}

// status checks the status.
func (a *answer) status(want int) *answer {
	a.t.Helper()
	if a.code != want {
		a.t.Errorf("%s: got status %d (Location %q), want %d\n%s", a.asked, a.code, a.header.Get("Location"), want, a.text())
	}
	return a
}

// redirects checks for a 303 to location want.
func (a *answer) redirects(want string) *answer {
	a.t.Helper()
	a.status(http.StatusSeeOther)
	if got := a.header.Get("Location"); got != want {
		a.t.Errorf("%s: got Location %q, want %q", a.asked, got, want)
	}
	return a
}

// says checks for texts that a person can read.
func (a *answer) says(words ...string) *answer {
	a.t.Helper()
	text := a.text()
	for _, want := range words {
		if !strings.Contains(text, want) {
			a.t.Errorf("%s: the page does not say %q; it says:\n%s", a.asked, want, text)
		}
	}
	return a
}

// hides checks that the page does not contain any of the texts.
func (a *answer) hides(texts ...string) *answer {
	a.t.Helper()
	for _, text := range texts {
		if strings.Contains(html.UnescapeString(a.body), text) {
			a.t.Errorf("%s: the page has %q", a.asked, text)
		}
	}
	return a
}

// has checks for a part of the page's source, with entities resolved.
func (a *answer) has(pieces ...string) *answer {
	a.t.Helper()
	for _, want := range pieces {
		if !strings.Contains(html.UnescapeString(a.body), want) {
			a.t.Errorf("%s: the source does not have %q:\n%s", a.asked, want, a.body)
		}
	}
	return a
}

var (
	inlineTags = regexp.MustCompile(`</?(a|bdi|strong|span|time|b|i|wbr)(\s[^>]*)?>`)
	anyTag     = regexp.MustCompile(`(?s)<(script|style|title)[^>]*>.*?</(script|style|title)>|<[^>]*>`)
	spaces     = regexp.MustCompile(`\s+`)
)

// text returns the text that a person can read.
func (a *answer) text() string {
	text := anyTag.ReplaceAllString(inlineTags.ReplaceAllString(a.body, ""), " ")
	return strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(text), " "))
}

// value returns the value of a field in the page's content, and whether the field
// exists.
func (a *answer) value(field string) (string, bool) {
	content, _, _ := strings.Cut(a.body, "</main>")
	input := regexp.MustCompile(`<input[^>]*\sname="` + regexp.QuoteMeta(field) + `"[^>]*>`).FindString(content)
	found := regexp.MustCompile(`\svalue="([^"]*)"`).FindStringSubmatch(input)
	if found == nil {
		return "", input != ""
	}
	return html.UnescapeString(found[1]), true
}

// fieldID returns the id of a field. For a group of checkboxes, which is not an
// input itself, it returns the name.
func (a *answer) fieldID(field string) string {
	input := regexp.MustCompile(`<input[^>]*\sname="` + regexp.QuoteMeta(field) + `"[^>]*>`).FindString(a.body)
	if found := regexp.MustCompile(`\sid="([^"]*)"`).FindStringSubmatch(input); found != nil {
		return found[1]
	}
	return field
}

// fieldError returns the error beside a field, or "".
func (a *answer) fieldError(field string) string {
	found := regexp.MustCompile(`(?s)<p class="error" id="` + regexp.QuoteMeta(a.fieldID(field)) + `-error">(.*?)</p>`).FindStringSubmatch(a.body)
	if found == nil {
		return ""
	}
	return strings.TrimPrefix((&answer{body: found[1]}).text(), "Error: ")
}

// setCookie returns the cookie that the response sets, nil if it does not set it.
func (a *answer) setCookie(name string) *http.Cookie {
	for _, c := range a.cookies {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// touchesNoToken checks that the token cookies do not change.
func (a *answer) touchesNoToken() *answer {
	a.t.Helper()
	for _, c := range a.cookies {
		if strings.HasSuffix(c.Name, "access") || strings.HasSuffix(c.Name, "refresh") {
			a.t.Errorf("%s: sets cookie %s", a.asked, c.Name)
		}
	}
	return a
}

// givesTokens checks that the response sets both token cookies.
func (a *answer) givesTokens() *answer {
	a.t.Helper()
	for _, name := range []string{"access", "refresh"} {
		if c := a.setCookie(name); c == nil || c.Value == "" || c.MaxAge < 0 {
			a.t.Errorf("%s: got cookie %s %v, want a fresh one", a.asked, name, c)
		}
	}
	return a
}

// takesTokens checks that the response clears both token cookies.
func (a *answer) takesTokens() *answer {
	a.t.Helper()
	for _, name := range []string{"access", "refresh"} {
		if c := a.setCookie(name); c == nil || c.Value != "" || c.MaxAge >= 0 {
			a.t.Errorf("%s: got cookie %s %v, want it cleared", a.asked, name, c)
		}
	}
	return a
}
