package proxytest

import (
	"net/http"
	"slices"
	"strings"

	"latchkey/models"
)

// forgedHeaders are the headers that apps could take for the portal's. Frameworks
// that turn header names into variables (CGI, WSGI, PHP) read "_" as "-", and
// some read every other character so.
func forgedHeaders() (names []string) {
	for _, name := range []string{"Remote-User", "Remote-Id", "Remote-Email", "Remote-Name", "Remote-Groups", "X-Remote-User"} {
		names = append(names, name, strings.ToLower(name), strings.ToUpper(name))
		for _, other := range []string{"_", ".", "~", "+"} {
			names = append(names, strings.ReplaceAll(name, "-", other))
		}
	}
	return append(names, "X-Remote_User", "X_Remote-User", "rEMOTE_uSER")
}

// nothingForged checks that a client's own identity headers never reach the app, in
// any spelling. A proxy may also refuse the request.
func nothingForged(w *world) {
	user := w.person("bo", "Bo Chen", models.RoleUser)
	b := w.browser()
	b.signIn("bo", appURL+"/?json")
	bo := seen{User: "bo", ID: user.ID, Email: "bo@example.org", Name: "Bo Chen", Groups: "users"}
	reached := 0
	for _, name := range forgedHeaders() {
		for _, test := range []struct {
			who  *browser
			path string
			want seen
		}{
			{b, "/?json", bo},
			{b, "/status?json", bo},
			{w.browser(), "/status?json", seen{}},
		} {
			test.who.extra = http.Header{name: {"forged"}}
			a := test.who.fetch(http.MethodGet, appURL+test.path)
			if a.code == http.StatusBadRequest {
				continue
			}
			reached++
			got := a.app()
			for header, values := range got.Headers {
				if slices.Contains(values, "forged") {
					w.t.Errorf("%s of the client reaches the app as %s", name, header)
				}
			}
			if got.User != test.want.User || got.ID != test.want.ID || got.Email != test.want.Email || got.Name != test.want.Name || got.Groups != test.want.Groups {
				w.t.Errorf("%s, %s: the app sees %q, %q, %q, %q, %q", name, test.path, got.User, got.ID, got.Email, got.Name, got.Groups)
			}
		}
	}
	if reached < 2*18 { // the headers' own names and two spellings are well formed
		w.t.Errorf("only %d requests reached the app", reached)
	}
}

// nothingPretended checks that a client cannot choose the request that the proxy asks
// about.
func nothingPretended(w *world) {
	w.person("cleo", "", models.RoleUser)
	b := w.browser()
	b.signIn("cleo", appURL+"/")
	forwarded := http.Header{
		"X-Forwarded-Host": {"other.example.org"}, "X-Forwarded-Uri": {"/status"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Method": {"GET"},
	}
	visitor := w.browser()
	b.extra, visitor.extra = forwarded, forwarded
	b.fetch(http.MethodGet, appURL+"/admin").status(http.StatusForbidden)
	b.fetch(http.MethodGet, appURL+"/").status(http.StatusOK)
	visitor.fetch(http.MethodGet, appURL+"/").status(http.StatusUnauthorized)
	visitor.fetch(http.MethodGet, appURL+"/status").status(http.StatusOK)
}
