// Package forwardauth decides who may open which part of a protected app, and to
// which apps the portal may redirect a browser.
//
// It knows origins, paths and kinds of people, and nothing about HTTP, cookies
// or tokens: package handlers reads the proxy's description of a request and
// identifies the person. The rules come from package config, already checked.
package forwardauth

import (
	"net/url"
	"slices"
	"strings"
)

// Origin is a protected app.
type Origin struct {
	URL   string // as a browser writes it: https://app.example.org
	Name  string // the name shown to people; may be empty
	Rules []Rule // the first matching rule decides; without one, signed-in people may pass
}

// Rule says who may use a part of an app, with which methods.
type Rule struct {
	Path    string   // "/admin" is /admin and everything below it; "/" is all
	Methods []string // in upper case; GET includes HEAD. Empty: every method
	Allow   Allow
}

// ValidPath reports whether a rule can have the path: it is written as people see
// it, can be read in one way only, and has no slash at its end.
func ValidPath(path string) bool {
	clean, plain := plainPath(path)
	return plain && clean == path && !strings.ContainsAny(path, "*%") && (path == "/" || !strings.HasSuffix(path, "/"))
}

// ValidMethod reports whether a rule can have the method: an HTTP method (RFC
// 9110 §9.1) in upper case.
func ValidMethod(method string) bool {
	return method != "" && strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == ""
}

// Covers reports whether the rule matches every request that the other rule
// matches.
func (r Rule) Covers(other Rule) bool {
	if !below(r.Path, other.Path) {
		return false
	}
	return len(r.Methods) == 0 || len(other.Methods) > 0 &&
		!slices.ContainsFunc(other.Methods, func(method string) bool { return r.takes(method) != exactly })
}

// takes tells whether the rule covers a method. Methods are case-sensitive (RFC
// 9110 §9.1), but some programs ignore case.
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

// Allow says who may pass: everyone whom one of its parts names.
type Allow struct {
	Public    bool     // everyone, signed in or not
	Preflight bool     // everyone's preflights: see Request
	Users     bool     // everyone who is signed in
	Admins    bool     // people with the admin role
	Usernames []string // in lower case
	UserIDs   []string
}

// Person has the facts about the signed-in person that rules use.
type Person struct {
	ID       string
	Username string
	Admin    bool
}

func (a Allow) person(p Person) bool {
	return a.Public || a.Users || a.Admins && p.Admin || slices.Contains(a.Usernames, p.Username) || slices.Contains(a.UserIDs, p.ID)
}

// otherwise applies to requests that no rule covers.
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

// Usernames returns every username that a rule names. People may not take one of
// them by signing up or renaming.
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

// Request is a request to an app, as the proxy describes it.
type Request struct {
	Method       string
	Scheme, Host string // those that the client used
	URI          string // the request target as it was sent, path and query
	// Preflight says that the request is a CORS preflight: a browser asks, without
	// cookies, whether a page of another origin may send a request (Fetch §3.3.2).
	Preflight bool
}

// Access has the rules that apply to one request: each of them must let a person
// pass.
type Access struct {
	rules     []Rule
	preflight bool
}

// Public reports whether everyone may pass, signed in or not.
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

// Find returns the rules that apply to a request, and the app that it goes to. It
// reports false when no such app is protected.
//
// A request that could be read in more than one way (see plainPath) must be
// allowed by every rule that any reading matches, so that no rule is evaded,
// however the app reads the request.
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
		case place != not: // a lenient app would read it as this rule's path or method
			return access, app, true
		}
	}
	return access, app, true // not reached: the last rule covers everything
}

// maxReturn is the maximum length of a URL that leads back to an app, in bytes.
const maxReturn = 8 << 10

// Return checks a URL that leads back to an app, as a URL of the portal carries
// it: it must be absolute, with a protected origin. The result is rebuilt from its
// parsed form.
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

// URL returns the URL that a client requested, in the form that Return accepts;
// "" when it has no such form.
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
