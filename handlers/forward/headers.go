package forward

import (
	"net/http"
	"strings"
	"unicode"

	"latchkey/internal/auth"
)

// remoteHeaders tell an app who sent the request. They are never read from a
// request.
var remoteHeaders = [...]string{"Remote-User", "Remote-Id", "Remote-Email", "Remote-Name", "Remote-Groups"}

// setRemote tells the app who sent the request. Names are plain UTF-8: proxies
// treat header values as bytes (RFC 9110 §5.5), and every app would have to decode
// any other encoding. If no one is signed in, the headers are empty instead of
// missing: some proxies replace a missing header with the client's own.
// Where addresses are verified, an app gets only one that is.
func setRemote(h http.Header, person *auth.Identity, verifies bool) {
	values := make([]string, len(remoteHeaders)) // one allocation for all
	if person != nil {
		groups := "users"
		if person.Admin {
			groups = "admins,users"
		}
		email := person.Email
		if verifies && !person.Verified {
			email = ""
		}
		values = []string{headerText(person.Username), person.UserID, headerText(email), headerText(person.Name()), groups}
	}
	for i, name := range remoteHeaders {
		h[name] = values[i : i+1 : i+1]
	}
}

// headerText makes text fit for a header: one line of valid UTF-8.
func headerText(text string) string {
	text = strings.ToValidUTF8(text, "")
	if !strings.ContainsFunc(text, unicode.IsControl) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}
