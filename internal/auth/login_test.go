package auth_test

import (
	"testing"
	"time"

	"latchkey/internal/auth"
)

// TestOutcome checks that a sign-in either opens a session or returns a refusal.
func TestOutcome(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.Join("ada")
		p.Join("bob")
		if _, _, err := p.Accounts.Disable(p.T.Context(), auth.Shell(), p.User("bob").ID, ""); err != nil {
			p.T.Fatal(err)
		}
		for _, test := range []struct {
			what, name, password string
			want                 auth.Refusal
		}{
			{"right", "ada", goodPassword, ""},
			{"wrong", "ada", "wrong", auth.WrongPassword},
			{"nobody", "nobody", goodPassword, auth.WrongPassword},
			{"disabled, wrong", "bob", "wrong", auth.WrongPassword},
			{"disabled, right", "bob", goodPassword, auth.AccountDisabled},
		} {
			outcome, err := p.Auth.Login(p.T.Context(), auth.Login{Identifier: test.name, Password: test.password, Client: p.Client})
			if err != nil || outcome.Refused != test.want || (outcome.SignedIn == nil) != (test.want != "") || (outcome.Cause == nil) != (test.want == "") {
				p.T.Errorf("%s: %+v (%v), want refusal %q", test.what, outcome, err, test.want)
			}
		}
		for range 5 {
			_ = p.Try("ada", "wrong", "")
		}
		outcome, err := p.Auth.Login(p.T.Context(), p.Credentials("ada"))
		if err != nil || outcome.Refused != auth.Limited || outcome.SignedIn != nil {
			p.T.Errorf("too many attempts: %+v (%v), want it limited", outcome, err)
		}
		wantWait(p.T, "too many attempts", outcome.Cause, 30*time.Second)
	})
}
