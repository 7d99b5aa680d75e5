package cookie

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// domainPrefix is the prefix of token cookies with a Domain, because __Host-
// forbids a Domain (RFC 6265bis §4.1.3). All other cookies stay with the portal's
// own host.
const domainPrefix = "__Secure-"

// name returns a cookie's name with its prefix.
func (j *Jar) name(name string) string {
	if j.domainOf(name) != "" {
		return domainPrefix + name
	}
	return j.prefix + name
}

// domainOf returns a cookie's Domain, or "" if it has none.
func (j *Jar) domainOf(name string) string {
	if name == access || name == refresh {
		return j.domain
	}
	return ""
}

// hostTokens returns the refresh token that a browser still has from before the
// domain was configured. It leaves out the access token, so that the refresh
// replaces both cookies with those for the domain.
func (j *Jar) hostTokens(r *http.Request) (accessToken, refreshToken string, present bool) {
	if j.domain == "" {
		return "", "", false
	}
	value, present := only(r.Cookies(), j.prefix+refresh)
	return "", value, present
}

// expireHostTokens clears the cookies from before the domain was configured.
func (j *Jar) expireHostTokens(h http.Header) {
	if j.domain == "" {
		return
	}
	for _, name := range []string{access, refresh} {
		j.write(h, &http.Cookie{Name: j.prefix + name, MaxAge: -1, Expires: time.Unix(0, 0)})
	}
}

// every returns the values of all token cookies of a name, including those from
// before a domain was configured or removed.
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

// WithoutTokens returns the Cookie header of a request without the token cookies,
// or "" if nothing is left. Everything else stays as the client wrote it. If a
// proxy joined two Cookie headers with a comma, the values next to a token go too.
func (j *Jar) WithoutTokens(r *http.Request) string {
	tokens := []string{j.name(access), j.name(refresh)}
	kept := slices.DeleteFunc(strings.Split(strings.Join(r.Header["Cookie"], "; "), ";"), func(pair string) bool {
		for part := range strings.SplitSeq(pair, ",") {
			name, _, _ := strings.Cut(part, "=")
			if slices.Contains(tokens, strings.TrimSpace(name)) {
				return true
			}
		}
		return false
	})
	return strings.TrimLeft(strings.Join(kept, ";"), " ")
}
