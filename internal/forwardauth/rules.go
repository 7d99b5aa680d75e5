// Package forwardauth decides who may ask a protected app for what, and where
// the portal may send a browser back to.
//
// It knows origins, paths and kinds of people, and nothing about HTTP, cookies
// or tokens: package handlers reads what a proxy says of a request and finds
// out who asks. The rules come from package config, checked.
package forwardauth

import (
	"net/url"
	"slices"
	"strings"
)

// Origin is a protected app.
type Origin struct {
	URL   string // as a browser writes it: https://app.example.org
	Name  string // what people call it; may be empty
	Rules []Rule // the first that matches decides; none: signed-in people
}

// Rule says who may do something in a part of an app.
type Rule struct {
	Path    string   // "/admin" is /admin and everything below it; "/" is all
	Methods []string // in upper case; GET is HEAD too. None: every method
	Allow   Allow
}

// ValidPath reports whether path can stand in a rule: as people see it, in one
// reading only, without a slash at its end.
func ValidPath(path string) bool {
	clean, plain := plainPath(path)
	return plain && clean == path && !strings.ContainsAny(path, "*%") && (path == "/" || !strings.HasSuffix(path, "/"))
}

// ValidMethod reports whether method can stand in a rule: a method of HTTP (RFC
// 9110 §9.1) in upper case.
func ValidMethod(method string) bool {
	return method != "" && strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == ""
}

// Covers reports whether the rule decides over every request that the other
// would.
func (r Rule) Covers(other Rule) bool {
	if !below(r.Path, other.Path) {
		return false
	}
	return len(r.Methods) == 0 || len(other.Methods) > 0 &&
		!slices.ContainsFunc(other.Methods, func(method string) bool { return r.takes(method) != exactly })
}

// takes tells whether the rule is about a method. Methods differ by case (RFC
// 9110 §9.1), but some programs do not mind.
func (r Rule) takes(method string) coverage {
	if len(r.Methods) == 0 {
		return exactly
	}
	canonical := strings.ToUpper(method)
	if canonical == "HEAD" && !slices.Contains(r.Methods, "HEAD") {
		canonical, method = "GET", strings.Replace(method, "HEAD", "GET", 1) // answered alike (RFC 9110 §9.3.2)
	}
	switch {
	case slices.Contains(r.Methods, method):
		return exactly
	case slices.Contains(r.Methods, canonical):
		return ambiguously
	}
	return not
}

// Allow says who may pass. A person named by one of its parts may.
type Allow struct {
	Public    bool     // everybody, signed in or not
	Preflight bool     // everybody's preflights: see Request
	Users     bool     // everybody who is signed in
	Admins    bool     // people with the admin role
	Usernames []string // in lower case
	UserIDs   []string
}

// Person is who asks, as far as rules are concerned.
type Person struct {
	ID       string
	Username string
	Admin    bool
}

func (a Allow) person(p Person) bool {
	return a.Public || a.Users || a.Admins && p.Admin || slices.Contains(a.Usernames, p.Username) || slices.Contains(a.UserIDs, p.ID)
}

// otherwise is what holds where no rule says anything.
var otherwise = Rule{Path: "/", Allow: Allow{Users: true}}

// Rules are the protected apps. The zero value protects none. It is safe for
// concurrent use.
type Rules struct{ origins map[string]Origin }

// New returns the rules of the given apps.
func New(origins []Origin) *Rules {
	r := &Rules{origins: make(map[string]Origin, len(origins))}
	for _, o := range origins {
		if n := len(o.Rules); n == 0 || !o.Rules[n-1].Covers(otherwise) {
			o.Rules = append(slices.Clone(o.Rules), otherwise)
		}
		r.origins[o.URL] = o
	}
	return r
}

// Usernames returns every username that a rule names. Nobody may take one of
// them who does not have it.
func Usernames(origins []Origin) (names []string) {
	for _, o := range origins {
		for _, rule := range o.Rules {
			names = append(names, rule.Allow.Usernames...)
		}
	}
	return names
}

// Empty reports whether there is nothing to protect.
func (r *Rules) Empty() bool { return len(r.origins) == 0 }

// Request is a request to an app, as a proxy tells of it.
type Request struct {
	Method       string
	Scheme, Host string // those that the client used
	URI          string // the request target as it was sent, path and query
	// Preflight says that a browser asks, without any cookies, whether a
	// page of another origin may send a request (Fetch §3.3.2).
	Preflight bool
}

// Access is what the rules say of one request: each of them must let a person
// pass.
type Access struct {
	rules     []Rule
	preflight bool
}

// Public reports whether everybody may pass, signed in or not.
func (a Access) Public() bool {
	for _, rule := range a.rules {
		if !rule.Allow.Public && !(a.preflight && rule.Allow.Preflight) {
			return false
		}
	}
	return len(a.rules) > 0
}

// Allows reports whether a signed-in person may pass.
func (a Access) Allows(p Person) bool {
	for _, rule := range a.rules {
		if !rule.Allow.person(p) && !(a.preflight && rule.Allow.Preflight) {
			return false
		}
	}
	return len(a.rules) > 0
}

// Find returns what holds for a request, and the app that it goes to. It
// reports false when no such app is protected.
//
// A request that could be read in more than one way (see plainPath) must be
// allowed by every rule that it could meet: whichever the app chooses, none is
// walked past.
func (r *Rules) Find(request Request) (Access, Origin, bool) {
	app, known := r.origins[origin(request.Scheme, request.Host)]
	if !known {
		return Access{}, Origin{}, false
	}
	access := Access{preflight: request.Preflight}
	for _, rule := range app.Rules {
		if rule.takes(request.Method) != not {
			access.rules = append(access.rules, rule)
		}
	}
	raw, _, _ := strings.Cut(request.URI, "?")
	path, plain := plainPath(raw)
	if !plain {
		return access, app, true
	}
	for i, rule := range access.rules {
		place := covers(rule.Path, path)
		switch {
		case place == exactly && rule.takes(request.Method) == exactly:
			access.rules = access.rules[i : i+1]
			return access, app, true
		case place != not: // an app that does not mind would take it for this rule's
			return access, app, true
		}
	}
	return access, app, true // not reached: the last rule covers everything
}

// maxReturn bounds a way back to an app in bytes.
const maxReturn = 8 << 10

// Return checks a way back to an app, as it stands in an address of the
// portal: an absolute URL whose origin is protected. The result is rebuilt from
// its parsed form.
func (r *Rules) Return(target string) (*url.URL, bool) {
	if target == "" || len(target) > maxReturn {
		return nil, false
	}
	if strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return nil, false
	}
	// A browser reads a backslash as a slash, but not in the query.
	if before, _, _ := strings.Cut(target, "?"); strings.Contains(before, `\`) {
		return nil, false
	}
	u, err := url.Parse(target)
	if err != nil || u.User != nil || u.Opaque != "" {
		return nil, false
	}
	if _, known := r.origins[u.Scheme+"://"+u.Host]; !known {
		return nil, false
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, true
}

// URL returns the address that a client asked for, in the form that Return
// takes; "" when it has none.
func (r *Rules) URL(scheme, host, uri string) string {
	u, ok := r.Return(origin(scheme, host) + uri)
	if !ok || !strings.HasPrefix(uri, "/") {
		return ""
	}
	return u.String()
}

// origin writes an origin as browsers do (RFC 6454 §6.2): in lower case,
// without the default port of the scheme.
func origin(scheme, host string) string {
	host = strings.ToLower(host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return scheme + "://" + host
}
