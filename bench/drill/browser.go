package main

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// answerTimeout bounds one exchange. People do not wait longer.
const answerTimeout = 12 * time.Second

// browser is the browser of a person: cookies and kept connections. Several tabs
// may send requests at once.
type browser struct {
	addr    string // where it connects
	host    string // of the portal's public URL
	ip      string // the person's address
	client  *http.Client
	mu      sync.Mutex
	cookies map[string]string
}

// answer is a response that has been read.
type answer struct {
	code     int // 0 if there was no complete response
	location string
	body     string
	err      error
}

// signedOut reports whether a response leads to the sign-in page.
func (a answer) signedOut() bool {
	return a.code == http.StatusSeeOther && strings.HasPrefix(a.location, "/login")
}

func newBrowser(addr, host, ip string) *browser {
	return &browser{addr: addr, host: host, ip: ip, cookies: map[string]string{}, client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute}, Timeout: answerTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// copied returns a browser with the same cookies that connects to addr.
func (b *browser) copied(addr, host string) *browser {
	b.mu.Lock()
	defer b.mu.Unlock()
	twin := newBrowser(addr, host, b.ip)
	twin.cookies = maps.Clone(b.cookies)
	return twin
}

// forget drops all cookies.
func (b *browser) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cookies = map[string]string{}
}

// do sends a GET, or a POST if there is a form, and keeps the cookies. Like a
// browser, it keeps them once the head of the response has arrived.
func (b *browser) do(ctx context.Context, path string, form url.Values) answer {
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+b.addr+path, body)
	if err != nil {
		return answer{err: err}
	}
	r.Host = b.host
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	r.Header.Set("X-Forwarded-For", b.ip)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://"+b.host)
		r.GetBody = nil // the transport must not send a form twice
	}
	b.mu.Lock()
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	b.mu.Unlock()
	response, err := b.client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = response.Body.Close() }()
	b.keep(response.Cookies())
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{err: err}
	}
	return answer{code: response.StatusCode, location: response.Header.Get("Location"), body: string(text)}
}

func (b *browser) keep(cookies []*http.Cookie) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range cookies {
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
}
