package forward

import (
	"net/http"
	"strings"
	"unicode"

	"latchkey/internal/auth"
)

// remoteHeaders tell an app who asks. They are never read from a request.
var remoteHeaders = [...]string{"Remote-User", "Remote-Id", "Remote-Email", "Remote-Name", "Remote-Groups"}

// setRemote tells the app who asks. Names are plain UTF-8: proxies treat header
// values as bytes (RFC 9110 §5.5), and every app would have to decode anything
// else.
func setRemote(h http.Header, person *auth.Identity) {
	groups := "users"
	if person.Admin {
		groups = "admins,users"
	}
	values := []string{headerText(person.Username), person.UserID, headerText(person.Email), headerText(person.Name()), groups} // one allocation for all
	for i, name := range remoteHeaders {
		h[name] = values[i : i+1 : i+1]
	}
}

// setNobody tells the app that nobody is signed in. The headers are empty and
// not left out: for a missing one some proxies pass on the client's own.
func setNobody(h http.Header) {
	for _, name := range remoteHeaders {
		h[name] = []string{""}
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
