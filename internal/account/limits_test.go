package account_test

import (
	"fmt"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

func TestSignUpLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.T.Context()
		signUp := func(name string, client auth.Client) error {
			_, err := p.Accounts.SignUp(ctx, account.Signup{Account: profile(name), Password: goodPassword, Client: client})
			return err
		}
		for i := range 15 { // input that violates a rule is not counted
			_, err := p.Accounts.SignUp(ctx, account.Signup{Account: profile(fmt.Sprintf("short%d", i)), Password: "short", Client: p.Client})
			wantKind(p.T, "a short password", err, apperr.Invalid)
		}
		for i := range 10 {
			wantKind(p.T, "sign-up", signUp(fmt.Sprintf("user%d", i), p.Client), "")
		}
		wantWait(p.T, "11th of an hour", signUp("user10", p.Client), time.Hour)
		wantKind(p.T, "from elsewhere", signUp("user10", from("192.0.2.77")), "")
		p.Clock.Advance(time.Hour)
		wantKind(p.T, "an hour later", signUp("user11", p.Client), "")
	})
}

// TestAddressLimit checks that the form cannot be used to find out which of many
// addresses have an account.
func TestAddressLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		in := p.Join("ada")
		p.Join("bob")
		for range 10 {
			_, err := p.Accounts.ChangeEmail(p.T.Context(), p.Change(in, "bob@example.org"))
			wantKind(p.T, "a taken address", err, apperr.Invalid)
		}
		_, err := p.Accounts.ChangeEmail(p.T.Context(), p.Change(in, "free@example.org"))
		wantWait(p.T, "11th address of an hour", err, time.Hour)
		p.Clock.Advance(time.Hour)
		again := p.SignIn("ada")
		if _, err := p.Accounts.ChangeEmail(p.T.Context(), p.Change(again, "free@example.org")); err != nil {
			p.T.Errorf("an hour later: %v", err)
		}
	})
}

func TestAdminWriteLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.T.Context()
		ada, bob := p.Admin("ada"), p.Admin("bob")
		p.Join("carol")
		id := p.User("carol").ID
		for i := range 60 {
			_, err := p.Accounts.Enable(ctx, ada, id)
			wantKind(p.T, fmt.Sprintf("write %d", i+1), err, "")
		}
		_, _, err := p.Accounts.SignOutUser(ctx, ada, id)
		wantWait(p.T, "61st write of a minute", err, time.Minute)
		_, _, err = p.Accounts.CreateUser(ctx, ada, account.NewUser{Account: profile("dan"), Role: models.RoleUser})
		wantKind(p.T, "61st write, of another kind", err, apperr.TooMany)
		_, _, err = p.Accounts.SignOutUser(ctx, bob, id)
		wantKind(p.T, "another admin", err, "")
		_, _, err = p.Accounts.SignOutUser(ctx, auth.Shell(), id)
		wantKind(p.T, "the shell", err, "")
		p.Clock.Advance(time.Minute)
		_, _, err = p.Accounts.SignOutUser(ctx, ada, id)
		wantKind(p.T, "a minute later", err, "")
	})
}

// TestRenameLimit checks that the form cannot be used to find out which of many
// usernames are taken.
func TestRenameLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		tokens := p.Join("ada").Tokens
		p.Join("taken")
		for range 10 {
			err := p.rename(p.Identity(tokens), "taken", "")
			wantKind(p.T, "a taken name", err, apperr.Invalid)
		}
		err := p.rename(p.Identity(tokens), "free-one", "")
		wantWait(p.T, "11th name of an hour", err, time.Hour)
		err = p.rename(p.Identity(tokens), "ada", "Ada Lovelace")
		wantKind(p.T, "the full name alone", err, "")
	})
}

// TestLimitEveryRoad checks that the current password in every form counts as a
// sign-in attempt.
func TestLimitEveryRoad(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.T.Context()
		in := p.Join("ada")
		change := p.Change(in, "another-"+goodPassword)
		change.Device, change.Current = "", "wrong"
		for i := range 5 {
			change := change
			road := p.Accounts.ChangePassword
			if i%2 == 1 {
				road, change.New = p.Accounts.ChangeEmail, "new@example.org"
			}
			_, err := road(ctx, change)
			if got := fieldsOf(err); len(got) != 1 || got[0] != "current_password" {
				p.T.Errorf("wrong current password: %v", err)
			}
		}
		change.Current = goodPassword
		_, err := p.Accounts.ChangePassword(ctx, change)
		wantWait(p.T, "the right one too late", err, 30*time.Second)
		wantWait(p.T, "a sign-in too", p.Try("ada", goodPassword, ""), 30*time.Second)
		if n := p.Events(audit.PasswordFailed); n != 5 {
			p.T.Errorf("%d failed checks in the audit log, want 5", n)
		}
		p.Identity(in.Tokens)
		p.Clock.Advance(30 * time.Second)
		_, err = p.Accounts.ChangePassword(ctx, change)
		wantKind(p.T, "after the wait", err, "")
	})
}
