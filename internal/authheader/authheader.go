// Package authheader reads the header Authorization and writes the header
// WWW-Authenticate that asks for it (RFC 6750). What a token is worth is
// decided in package auth.
package authheader

import "strings"

// Realm is the realm of every challenge.
const Realm = "Latchkey"

// Bearer returns the token in the value of an Authorization header, and whether
// the value is of the Bearer scheme (RFC 6750 §2.1).
func Bearer(value string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(value, " ")
	return strings.Trim(token, " "), strings.EqualFold(scheme, "Bearer")
}

// Challenge returns the value of WWW-Authenticate that asks for a token (RFC
// 6750 §3). code is "" when none was sent; scope may be "" too.
func Challenge(code, scope string) string {
	value := `Bearer realm="` + Realm + `"`
	if code != "" {
		value += `, error="` + code + `"`
	}
	if scope != "" {
		value += `, scope="` + scope + `"`
	}
	return value
}
