package cookie

import (
	"net/http"
	"time"
)

// Token cookies that subdomains get too have a Domain, which the __Host-
// prefix forbids: __Secure- takes its place (RFC 6265bis §4.1.3). All other
// cookies stay with the portal's own host.
const domainPrefix = "__Secure-"

// name returns a cookie's name with its prefix.
func (j *Jar) name(name string) string {
	if j.domainOf(name) != "" {
		return domainPrefix + name
	}
	return j.prefix + name
}

// domainOf returns a cookie's Domain, "" for none.
func (j *Jar) domainOf(name string) string {
	if name == access || name == refresh {
		return j.domain
	}
	return ""
}

// hostTokens returns what a browser has from the time before there was a
// domain: the refresh token alone, so that its first use brings the cookies
// that subdomains get.
func (j *Jar) hostTokens(r *http.Request) (accessToken, refreshToken string, present bool) {
	if j.domain == "" {
		return "", "", false
	}
	value, present := only(r.Cookies(), j.prefix+refresh)
	return "", value, present
}

// expireHostTokens takes back what a browser may have from that time.
func (j *Jar) expireHostTokens(h http.Header) {
	if j.domain == "" {
		return
	}
	for _, name := range []string{access, refresh} {
		j.write(h, &http.Cookie{Name: j.prefix + name, MaxAge: -1, Expires: time.Unix(0, 0)})
	}
}

// every returns the values of all token cookies of a name, also of those from
// before there was a domain, or from when there was one.
func (j *Jar) every(r *http.Request, name string) []string {
	found := r.CookiesNamed(j.name(name))
	switch {
	case j.domain != "":
		found = append(found, r.CookiesNamed(j.prefix+name)...)
	case j.prefix != "":
		found = append(found, r.CookiesNamed(domainPrefix+name)...)
	}
	var values []string
	for _, c := range found {
		values = append(values, c.Value)
	}
	return values
}
