package account_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

// TestUsernamesAreNotRecycled checks for every form and command that no account can
// get the username of a deleted account, and the one of a renamed account only
// after 90 days.
func TestUsernamesAreNotRecycled(t *testing.T) {
	const refused = "This username used to belong to another account and cannot be used again. Choose another."
	each(t, nil, func(p *portal) {
		ctx := p.T.Context()
		boss := p.Admin("boss")
		ada := p.Join("ada")
		p.Join("bob")
		p.Join("eve")
		rename := func(in *auth.SignedIn, name string) error {
			return p.rename(p.Identity(in.Tokens), name, "")
		}
		wantKind(p.T, "rename", rename(ada, "ada.new"), "")
		gone := p.User("bob")
		if _, _, err := p.Accounts.Delete(ctx, boss, gone.ID, gone.Email); err != nil {
			p.T.Fatal(err)
		}
		roads := map[string]func(name string) error{
			"sign up": func(name string) error {
				_, err := p.Accounts.SignUp(ctx, account.Signup{
					Account: account.Profile{Username: name, Email: "new@example.org"}, Password: goodPassword, Client: p.Client,
				})
				return err
			},
			"admin": func(name string) error {
				boss := p.Identity(p.SignIn("boss").Tokens).Actor(p.Client)
				_, _, err := p.Accounts.CreateUser(ctx, boss, account.NewUser{Account: account.Profile{Username: name, Email: "new@example.org"}, Role: models.RoleUser})
				return err
			},
			"shell": func(name string) error {
				_, _, err := p.Accounts.CreateUser(ctx, auth.Shell(), account.NewUser{Account: account.Profile{Username: name, Email: "new@example.org"}, Role: models.RoleAdmin})
				return err
			},
			"rename": func(name string) error { return rename(p.SignIn("eve"), name) },
		}
		wantRefused := func(when, name string) {
			p.T.Helper()
			for road, take := range roads {
				var wrong apperr.Fields
				if err := take(name); !errors.As(err, &wrong) || len(wrong) != 1 || wrong[0] != (apperr.FieldError{Field: "username", Message: refused}) {
					p.T.Errorf("%s, %s of %q: %v, want the username refused", when, road, name, err)
				}
			}
		}
		for _, name := range []string{"ada", "ADA", "\uff41da", "bob", "Bob\u200b"} {
			wantRefused("at once", name)
		}
		wantKind(p.T, "sign in with the old name", p.Try("ada", goodPassword, ""), apperr.Unauthorized)
		// Its own account may take it back; then it is no longer retired.
		wantKind(p.T, "take it back", rename(ada, "ada"), "")
		wantKind(p.T, "and change it again", rename(ada, "ada.newer"), "")
		wantRefused("after it was taken back", "ada")
		p.Clock.Advance(89 * 24 * time.Hour)
		wantRefused("after 89 days", "ada")
		p.Pass(2 * 24 * time.Hour)
		wantRefused("after 91 days", "bob")
		wantKind(p.T, "a renamed account's name after 91 days", roads["sign up"]("ada"), "")
	})
}

// TestUsernameFreedMeanwhile checks that an account cannot get a username at the
// moment when another account gives it up.
func TestUsernameFreedMeanwhile(t *testing.T) {
	each(t, nil, func(p *portal) {
		ada := p.Join("ada")
		var got atomic.Int32
		parallel(8, func(i int) {
			if i == 0 {
				if err := p.rename(p.Identity(ada.Tokens), "ada.new", ""); err != nil {
					p.T.Errorf("rename: %v", err)
				}
				return
			}
			_, _, err := p.Accounts.CreateUser(p.T.Context(), auth.Shell(), account.NewUser{
				Account: account.Profile{Username: "ada", Email: string(rune('a'+i)) + "@example.net"}, Role: models.RoleUser,
			})
			if err == nil {
				got.Add(1)
			}
		})
		if n := got.Load(); n != 0 {
			p.T.Errorf("%d accounts got the username", n)
		}
	})
}

// TestNamedUsernamesAreReserved checks that people cannot gain the access that a
// rule of forward-auth gives to a username by taking that username.
func TestNamedUsernamesAreReserved(t *testing.T) {
	const refused = "This username is reserved. Choose another."
	each(t, func(o *servicetest.Options) { o.Reserved = []string{"ana", "bo.chen"} }, func(p *portal) {
		ctx := p.T.Context()
		eve := p.Join("eve")
		for _, name := range []string{"ana", "ANA", "\uff41na", "BO.chen"} {
			_, err := p.Accounts.SignUp(ctx, account.Signup{
				Account: account.Profile{Username: name, Email: "new@example.org"}, Password: goodPassword, Client: p.Client,
			})
			for road, err := range map[string]error{
				"sign up": err, "rename": p.rename(p.Identity(eve.Tokens), name, ""),
			} {
				var wrong apperr.Fields
				if !errors.As(err, &wrong) || len(wrong) != 1 || wrong[0].Field != "username" || wrong[0].Message != refused {
					p.T.Errorf("%s as %+q: %v, want %q", road, name, err, refused)
				}
			}
		}
		// The operator can assign it, and its owner keeps it.
		ana, _, err := p.Accounts.CreateUser(ctx, auth.Shell(), account.NewUser{
			Account: profile("ana"), Role: models.RoleUser, Password: goodPassword,
		})
		if err != nil {
			p.T.Fatal(err)
		}
		identity := p.Identity(p.SignIn("ana").Tokens)
		if err := p.rename(identity, "ana", "Ana Silva"); err != nil || identity.UserID != ana.ID {
			p.T.Errorf("the owner changes the full name: %v", err)
		}
	})
}
