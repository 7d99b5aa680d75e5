// Package authheader reads the Authorization header and writes the
// WWW-Authenticate header that asks for it (RFC 6750). Package oauth checks the
// tokens.
package authheader

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// Realm is the realm of every challenge.
const Realm = "Latchkey"

// Bearer returns the token in the value of an Authorization header, and whether
// the value is of the Bearer scheme (RFC 6750 §2.1).
func Bearer(value string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(value, " ")
	return strings.Trim(token, " "), strings.EqualFold(scheme, "Bearer")
}

// Basic returns the name and the password in the value of an Authorization
// header, and whether the value is of the Basic scheme (RFC 7617 §2).
func Basic(value string) (name, password string, ok bool) {
	scheme, encoded, _ := strings.Cut(value, " ")
	text, err := base64.StdEncoding.DecodeString(strings.Trim(encoded, " "))
	if !strings.EqualFold(scheme, "Basic") || err != nil {
		return "", "", false
	}
	return strings.Cut(string(text), ":")
}

// ChallengeBasic is the value of WWW-Authenticate that asks for a name and a
// password. Browsers open their own dialog for it.
const ChallengeBasic = `Basic realm="` + Realm + `", charset="UTF-8"`

// ChallengeStepUp returns the value of WWW-Authenticate that asks for a token of a newer
// sign-in (RFC 9470 §3). why is a sentence without quotes.
func ChallengeStepUp(why string, maxAge time.Duration) string {
	return Challenge("insufficient_user_authentication", "") +
		fmt.Sprintf(`, error_description="%s", max_age=%d`, why, int(maxAge.Seconds()))
}

// Challenge returns the value of WWW-Authenticate that asks for a token (RFC
// 6750 §3). code is "" when no token was sent; scope may be "" too.
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
