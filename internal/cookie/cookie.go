// Package cookie reads and writes the portal's cookies: their names, attributes
// and values. No other package touches cookies.
//
// It decides how a value is transported (RFC 6265bis). Package auth decides
// whether a token is valid, and package handlers/site what a message says.
package cookie

import (
	"net/http"
	"strings"
	"time"

	"latchkey/internal/seal"
)

// The names of the cookies without their prefix.
const (
	access  = "access"
	refresh = "refresh"
	device  = "device"
	flash   = "flash"
	once    = "once"
	theme   = "theme"
	ticket  = "ticket"
	app     = "app"
	draft   = "draft"
)

const (
	deviceLife = 400 * 24 * time.Hour // the longest that browsers allow (RFC 6265bis §5.5)
	themeLife  = deviceLife
	flashLife  = time.Minute
)

// maxValue is the maximum length of a cookie value in bytes; longer ones count as
// absent.
const maxValue = 2048

// Jar reads and writes the portal's cookies.
type Jar struct {
	prefix string
	domain string // of the token cookies; "" for this host only
	secure bool
	sealer seal.Sealer
	now    func() time.Time
}

// Options configure a Jar.
type Options struct {
	Secure bool     // the public URL is https: __Host- names and Secure
	Domain string   // a domain whose hosts all receive the token cookies; needs Secure
	Keys   [][]byte // of 32 bytes: the first seals messages and secrets, all of them open them
	Now    func() time.Time
}

// New returns a Jar, or an error if the keys are wrong. Only the public URL decides
// whether cookies are Secure, never a request.
func New(o Options) (*Jar, error) {
	sealer, err := seal.New(o.Keys)
	if err != nil {
		return nil, err
	}
	jar := &Jar{domain: o.Domain, secure: o.Secure, sealer: sealer, now: o.Now}
	if o.Secure {
		jar.prefix = "__Host-"
	}
	return jar, nil
}

// Tokens returns the token cookies. A cookie that occurs twice counts as absent,
// because one of the two was planted (RFC 6265bis §8.6). present reports whether
// the request has any token cookie.
func (j *Jar) Tokens(r *http.Request) (accessToken, refreshToken string, present bool) {
	all := r.Cookies() // parsed once: nearly every request has them
	a, sawAccess := only(all, j.name(access))
	b, sawRefresh := only(all, j.name(refresh))
	if !sawAccess && !sawRefresh {
		return j.hostTokens(r)
	}
	return a, b, true
}

// Access returns only the access token, by the rules of Tokens.
func (j *Jar) Access(r *http.Request) string {
	value, _ := j.read(r, access)
	return value
}

// EveryToken returns all token cookies, including duplicates. Use it to end
// sessions, not to trust a token.
func (j *Jar) EveryToken(r *http.Request) (accessTokens, refreshTokens []string) {
	return j.every(r, access), j.every(r, refresh)
}

// TokenCookies are the tokens of one generation and when they expire.
type TokenCookies struct {
	Access         string
	AccessExpires  time.Time
	Refresh        string
	RefreshExpires time.Time
	Remember       bool // if false, the refresh cookie ends with the browser session
}

// SetTokens sets the token cookies. Each cookie lives as long as its token.
func (j *Jar) SetTokens(h http.Header, t TokenCookies) {
	j.expireHostTokens(h)
	j.set(h, access, t.Access, j.until(t.AccessExpires))
	if t.Remember {
		j.set(h, refresh, t.Refresh, j.until(t.RefreshExpires))
		return
	}
	j.set(h, refresh, t.Refresh, 0)
}

// until returns the time left in whole seconds, rounded up. It is never 0, because
// that would mean a session cookie.
func (j *Jar) until(expires time.Time) time.Duration {
	left := expires.Sub(j.now())
	return max((left + time.Second - 1).Truncate(time.Second), time.Second)
}

// ClearTokens clears the token cookies, and drops those that this response was
// about to set.
func (j *Jar) ClearTokens(h http.Header) {
	j.expireHostTokens(h)
	j.expire(h, access)
	j.expire(h, refresh)
}

// Device returns the cookie that identifies a browser that a person has signed in
// with before, or "" if there is none.
func (j *Jar) Device(r *http.Request) string {
	value, _ := j.read(r, device)
	return value
}

// SetDevice sets the cookie that Device returns.
func (j *Jar) SetDevice(h http.Header, value string) { j.set(h, device, value, deviceLife) }

// Theme returns "light", "dark", or "" for the system's theme.
func (j *Jar) Theme(r *http.Request) string {
	if value, _ := j.read(r, theme); value == "light" || value == "dark" {
		return value
	}
	return ""
}

// SetTheme stores the choice of light or dark; any other value clears it.
func (j *Jar) SetTheme(h http.Header, value string) {
	if value == "light" || value == "dark" {
		j.set(h, theme, value, themeLife)
		return
	}
	j.expire(h, theme)
}

// read returns a cookie's value, or "" if it occurs twice or is too long, and
// whether the request has it.
func (j *Jar) read(r *http.Request, name string) (value string, present bool) {
	name = j.name(name)
	if !mentioned(r, name) {
		return "", false
	}
	return only(r.CookiesNamed(name), name)
}

// only returns the value of the cookie name, or "" if it occurs twice or is too
// long, and whether it occurs.
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

// mentioned reports whether a Cookie header contains a name. It saves parsing the
// cookies of most requests, because few have a message or a theme.
func mentioned(r *http.Request, name string) bool {
	for _, line := range r.Header["Cookie"] {
		if strings.Contains(line, name) {
			return true
		}
	}
	return false
}

// set writes a cookie; with a maxAge of 0 it ends with the browser session.
func (j *Jar) set(h http.Header, name, value string, maxAge time.Duration) {
	j.write(h, &http.Cookie{Name: j.name(name), Domain: j.domainOf(name), Value: value, MaxAge: int(maxAge.Seconds())})
}

func (j *Jar) expire(h http.Header, name string) {
	j.write(h, &http.Cookie{Name: j.name(name), Domain: j.domainOf(name), MaxAge: -1, Expires: time.Unix(0, 0)})
}

// write sets a cookie in place of an earlier one of that name in the response.
func (j *Jar) write(h http.Header, c *http.Cookie) {
	c.Path, c.HttpOnly, c.SameSite, c.Secure = "/", true, http.SameSiteLaxMode, j.secure
	h["Set-Cookie"] = append(others(h, c.Name), c.String())
}

// others returns the Set-Cookie lines of a response for cookies of other names.
func others(h http.Header, name string) []string {
	var lines []string
	for _, line := range h.Values("Set-Cookie") {
		if !strings.HasPrefix(line, name+"=") {
			lines = append(lines, line)
		}
	}
	return lines
}
