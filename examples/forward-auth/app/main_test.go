package main

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// TestShow checks that the app shows the person the proxy tells it about.
func TestShow(t *testing.T) {
	for _, test := range []struct{ target, user, want string }{
		{"/", "ana", "Hello Ana Silva: you are ana <ana@example.org>, of users.\n"},
		{"/", "", "Hello. You are not signed in.\n"},
		{"/docs?json", "ana", `{"Method":"GET","URI":"/docs?json","User":"ana","Email":"ana@example.org","Name":"Ana Silva","Groups":"users",`},
	} {
		r := httptest.NewRequest("GET", test.target, nil)
		if test.user != "" {
			for name, value := range map[string]string{"User": test.user, "Email": "ana@example.org", "Name": "Ana Silva", "Groups": "users"} {
				r.Header.Set("Remote-"+name, value)
			}
		}
		w := httptest.NewRecorder()
		show(w, r)
		if got := w.Body.String(); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s for %q: got %q, want %q", test.target, test.user, got, test.want)
		}
	}
}
