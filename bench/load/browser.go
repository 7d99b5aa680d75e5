package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// password is the password of everyone in the bench.
const password = "correct horse battery staple 7"

// answerTimeout bounds one exchange. A server that takes longer is broken.
const answerTimeout = 30 * time.Second

// browser is one keep-alive connection to a server, with its own session.
//
// A load generator such as vegeta does not fit: its attackers share a list of
// requests, while each connection here has a session that its own responses rotate,
// and stops at the first unexpected response.
type browser struct {
	addr     string
	name     string // the person's username
	header   http.Header
	cookies  map[string]string
	program  bool // sends no cookies
	received int  // bytes of the last body
	client   http.Client
}

// answer is a response whose body has been read.
type answer struct {
	*http.Response
	body []byte
}

func newBrowser(addr string) *browser {
	return &browser{
		addr: addr, cookies: map[string]string{},
		header: http.Header{
			"User-Agent":      {"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
			"Accept":          {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
			"Accept-Language": {"en-US,en;q=0.5"},
			"Accept-Encoding": {"gzip, deflate, br, zstd"},
			"Sec-Fetch-Dest":  {"document"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Site": {"same-origin"},
		},
		client: http.Client{
			Transport: &http.Transport{MaxConnsPerHost: 1}, Timeout: answerTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// on returns a browser for another server that sends the same requests.
func (b *browser) on(addr string) *browser {
	twin := newBrowser(addr)
	twin.header, twin.cookies, twin.program = b.header.Clone(), maps.Clone(b.cookies), b.program
	return twin
}

// do sends a GET, or a POST if there is a form, and keeps the cookies.
func (b *browser) do(path string, form url.Values) (answer, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, "http://"+b.addr+path, body)
	if err != nil {
		return answer{}, err
	}
	maps.Copy(r.Header, b.header)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if !b.program {
		if form != nil {
			r.Header.Set("Origin", "http://"+b.addr)
		}
		for name, value := range b.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	response, err := b.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	for _, c := range response.Cookies() {
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	text, err := io.ReadAll(response.Body)
	return answer{response, text}, err
}

// signUp creates an account and leaves b signed in to it.
func (b *browser) signUp() error {
	b.name = "bench-" + strings.ToLower(rand.Text()[:12])
	return b.enter("/signup", url.Values{
		"username": {b.name}, "email": {b.name + "@example.org"}, "full_name": {"Bench Person"}, "password": {password},
	})
}

func (b *browser) signIn(name string) error {
	b.name = name
	return b.enter("/login", signInForm(name))
}

func signInForm(name string) url.Values {
	return url.Values{"username": {name}, "password": {password}, "remember": {"on"}}
}

// enter sends a form that signs a person in, and requests a page once: the first
// page after signing in has a message, and the first use of a token causes a write.
func (b *browser) enter(path string, form url.Values) error {
	a, err := b.do(path, form)
	if err != nil {
		return err
	}
	if err := b.wantTokens(a); err != nil {
		return err
	}
	if a, err = b.do("/profile", nil); err == nil && a.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET /profile: status %d after POST %s", a.StatusCode, path)
	}
	return err
}

// wantTokens returns an error unless a response has signed a person in.
func (b *browser) wantTokens(a answer) error {
	if a.Response != nil && (a.StatusCode != http.StatusSeeOther || b.cookies["access"] == "" || b.cookies["refresh"] == "") {
		return fmt.Errorf("%s: status %d and no tokens", a.Request.URL.Path, a.StatusCode)
	}
	return nil
}
