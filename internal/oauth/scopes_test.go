package oauth_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/oauth"
)

func TestParseScopes(t *testing.T) {
	for _, test := range []struct {
		list  string
		want  oauth.Scopes
		known bool
	}{
		{"", nil, true},
		{"  ", nil, true},
		{"me", oauth.Scopes{oauth.ScopeMe}, true},
		{" users:write  me me ", oauth.Scopes{oauth.ScopeMe, oauth.ScopeUsersWrite}, true},
		{"introspect users:write apps users me:write me", oauth.AllScopes(), true},
		{"me admin", nil, false},
		{"ME", nil, false},
		{"me,users", nil, false},
	} {
		got, known := oauth.ParseScopes(test.list)
		if diff := cmp.Diff(test.want, got); diff != "" || known != test.known {
			t.Errorf("ParseScopes(%q): known %v, want %v (-want +got):\n%s", test.list, known, test.known, diff)
		}
	}
}

func TestAllowedScopes(t *testing.T) {
	if got, want := oauth.AllowedScopes(false).String(), "me me:write apps"; got != want {
		t.Errorf("a user may %q, want %q", got, want)
	}
	if got, want := oauth.AllowedScopes(true).String(), "me me:write apps users users:write introspect"; got != want {
		t.Errorf("an admin may %q, want %q", got, want)
	}
	if (oauth.Scopes{oauth.ScopeUsersWrite}).Has(oauth.ScopeUsers) {
		t.Error("users:write implies users")
	}
}
