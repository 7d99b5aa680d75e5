package config

import (
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// cookieDomain reads the domain of the token cookies: the host of the public
// URL, or a parent of it that belongs to one owner (RFC 6265 §5.3, step 5).
// It is empty if no domain is set or if there is a problem.
func (l *loader) cookieDomain(name string, c *Config) string {
	value := l.value(name)
	if value == "" {
		return ""
	}
	domain := l.domain(name, value)
	u, err := url.Parse(c.PublicURL)
	switch {
	case c.PublicURL == "" || err != nil: // already reported
		return ""
	case !c.Secure():
		// The __Secure- prefix needs https. localhost needs no domain, because
		// its cookies go to every port.
		l.problem(name, "needs an https %s; on %s the cookies stay with that host", namePublicURL, quote(c.PublicURL))
		return ""
	case domain != "" && !within(u.Hostname(), domain):
		l.problem(name, "is %s, which is neither the host of %s (%s) nor a parent of it; browsers would refuse the cookies", quote(value), namePublicURL, u.Hostname())
		return ""
	}
	return domain
}

// domain checks a cookie domain as far as that does not depend on the public
// URL.
func (l *loader) domain(name, value string) string {
	domain, ok := normalHost(strings.TrimPrefix(value, "."))
	if _, err := netip.ParseAddr(domain); !ok || err == nil {
		l.problem(name, "is %s; set it to a domain such as example.org", quote(value))
		return ""
	}
	if _, err := publicsuffix.EffectiveTLDPlusOne(domain); err != nil {
		l.problem(name, "is %s, below which anyone can register a host; name your own domain", quote(value))
		return ""
	}
	return domain
}

// within reports whether host is domain or below it.
func within(host, domain string) bool {
	return host == domain || strings.HasSuffix(host, "."+domain)
}

// getsCookies reports whether browsers send the token cookies of the portal to
// an origin.
func (c *Config) getsCookies(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	own, err := url.Parse(c.PublicURL)
	if err != nil || own.Scheme == "https" && u.Scheme != "https" {
		return false // the cookies are Secure
	}
	if c.CookieDomain != "" {
		return within(u.Hostname(), c.CookieDomain)
	}
	return u.Hostname() == own.Hostname()
}
