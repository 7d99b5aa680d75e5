// Package cookie is the only code that touches cookies: their names, their
// attributes, and what stands in them.
//
// It decides how a value travels (RFC 6265bis). What a token is worth is
// decided in package auth, what a message says in package handlers.
package cookie

import (
	"net/http"
	"strings"
	"time"
)

// The cookies without their prefix.
const (
	access  = "access"
	refresh = "refresh"
	device  = "device"
	flash   = "flash"
	once    = "once"
	theme   = "theme"
)

const (
	deviceLife = 400 * 24 * time.Hour // the most that browsers keep (RFC 6265bis §5.5)
	themeLife  = deviceLife
	flashLife  = time.Minute
)

// maxValue bounds what is read of a cookie.
const maxValue = 2048

// Jar reads and writes the portal's cookies.
type Jar struct {
	prefix string
	domain string // of the token cookies; "": this host alone
	secure bool
	sealer sealer
	now    func() time.Time
}

// Options say how cookies are made.
type Options struct {
	Secure bool     // the public URL is https: __Host- names and Secure
	Domain string   // whose subdomains get the token cookies too; only with Secure
	Keys   [][]byte // of 32 bytes: the first seals what a redirect carries, all of them open it
	Now    func() time.Time
}

// New returns a Jar, or what is wrong with the keys. Whether cookies are
// Secure follows the public URL alone, never a request.
func New(o Options) (*Jar, error) {
	sealer, err := newSealer(o.Keys)
	if err != nil {
		return nil, err
	}
	jar := &Jar{domain: o.Domain, secure: o.Secure, sealer: sealer, now: o.Now}
	if o.Secure {
		jar.prefix = "__Host-"
	}
	return jar, nil
}

// Tokens returns the token cookies. A name that came twice counts as absent:
// one of the two was planted (RFC 6265bis §8.6). present reports that there
// was any token cookie at all.
func (j *Jar) Tokens(r *http.Request) (accessToken, refreshToken string, present bool) {
	all := r.Cookies() // once: these come with nearly every request
	a, sawAccess := only(all, j.name(access))
	b, sawRefresh := only(all, j.name(refresh))
	if !sawAccess && !sawRefresh {
		return j.hostTokens(r)
	}
	return a, b, true
}

// Access returns the access token alone, as Tokens does.
func (j *Jar) Access(r *http.Request) string {
	value, _ := j.read(r, access)
	return value
}

// EveryToken returns all token cookies, also those that came more than once:
// to end what they point to, not to trust them.
func (j *Jar) EveryToken(r *http.Request) (accessTokens, refreshTokens []string) {
	return j.every(r, access), j.every(r, refresh)
}

// TokenCookies are the tokens of one generation and when they die.
type TokenCookies struct {
	Access         string
	AccessExpires  time.Time
	Refresh        string
	RefreshExpires time.Time
	Remember       bool // without it the refresh cookie goes with the browser's window
}

// SetTokens gives the browser a pair of tokens. Each cookie lives as long as
// its token.
func (j *Jar) SetTokens(h http.Header, t TokenCookies) {
	j.expireHostTokens(h)
	j.set(h, access, t.Access, j.until(t.AccessExpires))
	if t.Remember {
		j.set(h, refresh, t.Refresh, j.until(t.RefreshExpires))
		return
	}
	j.set(h, refresh, t.Refresh, 0)
}

// until is the time left, in whole seconds and never zero, which would mean
// the browser's window.
func (j *Jar) until(expires time.Time) time.Duration {
	left := expires.Sub(j.now())
	return max((left + time.Second - 1).Truncate(time.Second), time.Second)
}

// ClearTokens takes the token cookies back, and those that this response was
// about to give.
func (j *Jar) ClearTokens(h http.Header) {
	j.expireHostTokens(h)
	j.expire(h, access)
	j.expire(h, refresh)
}

// Device returns the cookie that tells a browser somebody signed in with
// before; "" when there is none.
func (j *Jar) Device(r *http.Request) string {
	value, _ := j.read(r, device)
	return value
}

// SetDevice remembers the browser.
func (j *Jar) SetDevice(h http.Header, value string) { j.set(h, device, value, deviceLife) }

// Theme returns "light", "dark", or "" for the system's.
func (j *Jar) Theme(r *http.Request) string {
	if value, _ := j.read(r, theme); value == "light" || value == "dark" {
		return value
	}
	return ""
}

// SetTheme keeps a choice of light or dark; anything else forgets it.
func (j *Jar) SetTheme(h http.Header, value string) {
	if value == "light" || value == "dark" {
		j.set(h, theme, value, themeLife)
		return
	}
	j.expire(h, theme)
}

// read returns a cookie's value, "" when it came twice or is too long, and
// whether it came at all.
func (j *Jar) read(r *http.Request, name string) (value string, present bool) {
	name = j.name(name)
	if !mentioned(r, name) {
		return "", false
	}
	return only(r.CookiesNamed(name), name)
}

// only is the rule for every cookie that is read: its value, "" when it came
// twice or is too long, and whether it came at all.
func only(all []*http.Cookie, name string) (value string, present bool) {
	times := 0
	for _, c := range all {
		if c.Name == name {
			value = c.Value
			times++
		}
	}
	if times != 1 || len(value) > maxValue {
		return "", times > 0
	}
	return value, true
}

// mentioned spares most requests most of the parsing: a message or a choice of
// colours seldom comes along.
func mentioned(r *http.Request, name string) bool {
	for _, line := range r.Header["Cookie"] {
		if strings.Contains(line, name) {
			return true
		}
	}
	return false
}

// set writes a cookie; a maxAge of 0 makes it go with the browser's window.
func (j *Jar) set(h http.Header, name, value string, maxAge time.Duration) {
	j.write(h, &http.Cookie{Name: j.name(name), Domain: j.domainOf(name), Value: value, MaxAge: int(maxAge.Seconds())})
}

func (j *Jar) expire(h http.Header, name string) {
	j.write(h, &http.Cookie{Name: j.name(name), Domain: j.domainOf(name), MaxAge: -1, Expires: time.Unix(0, 0)})
}

// write replaces what the response said of the cookie before.
func (j *Jar) write(h http.Header, c *http.Cookie) {
	c.Path, c.HttpOnly, c.SameSite, c.Secure = "/", true, http.SameSiteLaxMode, j.secure
	h["Set-Cookie"] = append(others(h, c.Name), c.String())
}

// others are the lines of a response about cookies of another name.
func others(h http.Header, name string) []string {
	var lines []string
	for _, line := range h.Values("Set-Cookie") {
		if !strings.HasPrefix(line, name+"=") {
			lines = append(lines, line)
		}
	}
	return lines
}
