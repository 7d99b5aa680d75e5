package middleware

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
)

// errPanic marks the errors that Recover returns.
var errPanic = errors.New("panic")

// Recover turns a panic into an error that is logged with its stack; the
// connection survives.
func Recover(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch cause := recover(); cause {
			case nil:
			case http.ErrAbortHandler:
				panic(cause)
			default:
				err = fmt.Errorf("%w: %v\n%s", errPanic, cause, debug.Stack())
			}
		}()
		return next(c)
	}
}

// HeaderOptions configure the security headers.
type HeaderOptions struct {
	HTTPS                 bool // the public URL is https
	HSTSIncludeSubdomains bool
}

// Headers sets the security headers on every response, errors included. A
// request with a chunked body is the last one on its connection.
func Headers(o HeaderOptions) echo.MiddlewareFunc {
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; " +
		"object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	if o.HTTPS {
		policy += "; upgrade-insecure-requests"
	}
	fixed := []headerLine{
		{"Content-Security-Policy", policy},
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "same-origin"},
		{"X-Frame-Options", "DENY"},
		{"Cross-Origin-Opener-Policy", "same-origin"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Origin-Agent-Cluster", "?1"},
		{"Permissions-Policy", "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), " +
			"payment=(), usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)"},
		{"X-Permitted-Cross-Domain-Policies", "none"},
		{"X-Xss-Protection", "0"},
		{"Cache-Control", "no-store"},
		{"Vary", "Cookie, Sec-Fetch-Site"},
	}
	if o.HTTPS {
		hsts := "max-age=63072000"
		if o.HSTSIncludeSubdomains {
			hsts += "; includeSubDomains"
		}
		fixed = append(fixed, headerLine{"Strict-Transport-Security", hsts})
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			values := make([]string, len(fixed)) // one allocation for all
			for i, line := range fixed {
				values[i] = line.value
				h[line.name] = values[i : i+1 : i+1]
			}
			if len(c.Request().TransferEncoding) > 0 {
				// RFC 9112 §6.1: net/http drops a Content-Length beside
				// Transfer-Encoding, so its presence cannot be checked.
				h.Set("Connection", "close")
			}
			return next(c)
		}
	}
}

// headerLine is a header with its name in canonical form.
type headerLine struct{ name, value string }

// Origin is the portal's origin. While it is a loopback address, every loopback
// name with its port is the same host and the same origin.
type Origin struct {
	origins map[string]bool
	hosts   map[string]bool
}

// NewOrigin reads a public URL: scheme and host, without a path.
func NewOrigin(publicURL string) (*Origin, error) {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("public URL %q is not an origin", publicURL)
	}
	o := &Origin{origins: map[string]bool{}, hosts: map[string]bool{}}
	names := []string{u.Hostname()}
	if isLoopback(u.Hostname()) {
		names = append(names, "localhost", "127.0.0.1", "::1")
	}
	port := u.Port()
	for _, name := range names {
		host := name
		if strings.Contains(name, ":") {
			host = "[" + name + "]"
		}
		defaultPort := map[string]string{"http": "80", "https": "443"}[u.Scheme]
		if port == "" || port == defaultPort {
			o.hosts[host], o.hosts[host+":"+defaultPort] = true, true
			o.origins[u.Scheme+"://"+host] = true
			continue
		}
		o.hosts[host+":"+port] = true
		o.origins[u.Scheme+"://"+host+":"+port] = true
	}
	return o, nil
}

// IsLoopback reports whether only this computer can open a URL.
func IsLoopback(publicURL string) bool {
	u, err := url.Parse(publicURL)
	return err == nil && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// CheckHost refuses a request for another host (421): the portal must not
// create links and cookies for a host name that is not its own. Health checks
// may use any name, and proxies that ask about an app use the app's name.
func (o *Origin) CheckHost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if !o.hosts[strings.ToLower(r.Host)] && !isHealth(r.URL.Path) && r.URL.Path != "/forward-auth" {
			return apperr.New(apperr.Misdirected, "", nil)
		}
		return next(c)
	}
}

func isHealth(path string) bool { return path == "/healthz" || path == "/readyz" }

// CrossOrigin refuses requests that another site causes: writes whose
// Sec-Fetch-Site or Origin is foreign, and reads that are not a person
// following a link. It stands before Authenticate, so that a foreign write
// cannot rotate a session.
func (o *Origin) CrossOrigin() (echo.MiddlewareFunc, error) {
	protection := http.NewCrossOriginProtection()
	for origin := range o.origins {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trust own origin: %w", err)
		}
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if err := protection.Check(r); err != nil {
				return foreign(err)
			}
			switch r.Method {
			case http.MethodGet, http.MethodHead, http.MethodOptions:
				mode := r.Header.Get("Sec-Fetch-Mode")
				if r.Header.Get("Sec-Fetch-Site") == "cross-site" && mode != "" && mode != "navigate" {
					return foreign(errors.New("embedded by another site"))
				}
			default:
				if !o.own(r.Header.Values("Origin"), r.Header.Values("Sec-Fetch-Site")) {
					return foreign(errors.New("origin is not ours"))
				}
			}
			return next(c)
		}
	}, nil
}

// own reports whether the Origin and Sec-Fetch-Site headers of a write come
// from one of our pages. A browser that sends no referrers sends "null" as the
// Origin even for our own forms (Fetch Standard §3.1). Sec-Fetch-Site
// distinguishes these from sandboxed pages of other sites, which are
// cross-site.
func (o *Origin) own(origin, fetchSite []string) bool {
	switch {
	case len(origin) == 0:
		return true // CrossOriginProtection has decided
	case len(origin) > 1:
		return false
	case origin[0] == "null":
		return len(fetchSite) == 1 && fetchSite[0] == "same-origin"
	}
	return o.origins[origin[0]]
}

func foreign(cause error) error {
	return apperr.New(apperr.Forbidden, "This request came from another website, so it was refused.", cause)
}
