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
	Rules []Rule // the first whose path matches decides; none: signed-in people
}

// Rule says who may open a part of an app.
type Rule struct {
	Path  string // "/admin" is /admin and everything below it; "/" is all
	Allow Allow
}

// ValidPath reports whether path can stand in a rule: as people see it, in one
// reading only, without a slash at its end.
func ValidPath(path string) bool {
	clean, plain := plainPath(path)
	return plain && clean == path && !strings.ContainsAny(path, "?*%") && (path == "/" || !strings.HasSuffix(path, "/"))
}

// Covers reports whether the rule decides over everything that a rule for path
// would.
func (r Rule) Covers(path string) bool { return covers(r.Path, path) == exactly }

// Allow says who may pass. Whoever is named by one of its parts may.
type Allow struct {
	Public    bool     // everybody, signed in or not
	Users     bool     // everybody who is signed in
	Admins    bool     // people with the admin role
	Usernames []string // in lower case
}

// Person is who asks, as far as rules are concerned.
type Person struct {
	Username string
	Admin    bool
}

func (a Allow) person(p Person) bool {
	return a.Public || a.Users || a.Admins && p.Admin || slices.Contains(a.Usernames, p.Username)
}

// otherwise is what holds where no rule says anything.
var otherwise = Rule{Path: "/", Allow: Allow{Users: true}}

// Rules are the protected apps. The zero value protects none. It is safe for
// concurrent use.
type Rules struct{ origins map[string][]Rule }

// New returns the rules of the given apps.
func New(origins []Origin) *Rules {
	r := &Rules{origins: make(map[string][]Rule, len(origins))}
	for _, o := range origins {
		rules := slices.Clone(o.Rules)
		if len(rules) == 0 || rules[len(rules)-1].Path != "/" {
			rules = append(rules, otherwise)
		}
		r.origins[o.URL] = rules
	}
	return r
}

// Empty reports whether there is nothing to protect.
func (r *Rules) Empty() bool { return len(r.origins) == 0 }

// Access is what the rules say of one request: each of them must let a person
// pass.
type Access struct{ rules []Rule }

// Public reports whether everybody may pass, signed in or not.
func (a Access) Public() bool {
	for _, rule := range a.rules {
		if !rule.Allow.Public {
			return false
		}
	}
	return len(a.rules) > 0
}

// Allows reports whether a signed-in person may pass.
func (a Access) Allows(p Person) bool {
	for _, rule := range a.rules {
		if !rule.Allow.person(p) {
			return false
		}
	}
	return len(a.rules) > 0
}

// Find returns what holds for a request: scheme and host are those that the
// client used, uri is the request target as it was sent, path and query. It
// reports false when no such app is protected.
//
// A target that could be read in more than one way (see plainPath) must be
// allowed by every rule of its app: whichever the app chooses, none is walked
// past.
func (r *Rules) Find(scheme, host, uri string) (Access, bool) {
	rules, known := r.origins[origin(scheme, host)]
	if !known {
		return Access{}, false
	}
	raw, _, _ := strings.Cut(uri, "?")
	path, plain := plainPath(raw)
	if !plain {
		return Access{rules: rules}, true
	}
	for i, rule := range rules {
		switch covers(rule.Path, path) {
		case exactly:
			return Access{rules: rules[i : i+1]}, true
		case inOtherCase: // an app that does not mind would take it for this rule's
			return Access{rules: rules}, true
		}
	}
	return Access{}, true // not reached: the last rule covers everything
}

// maxReturn bounds a way back to an app in bytes.
const maxReturn = 8 << 10

// Return checks a way back to an app, as it stands in an address of the
// portal: an absolute URL whose origin is protected. What it returns is written
// anew from what was understood of it.
func (r *Rules) Return(target string) (*url.URL, bool) {
	if target == "" || len(target) > maxReturn {
		return nil, false
	}
	for i := range len(target) {
		if target[i] <= ' ' || target[i] == 0x7f || target[i] == '\\' {
			return nil, false
		}
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
