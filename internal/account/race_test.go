package account_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/models"
)

// TestDisableRace disables an account during twenty refreshes and twenty sign-ins.
// Whatever their order, no token is accepted afterwards.
func TestDisableRace(t *testing.T) {
	each(t, nil, func(p *portal) {
		for round := range 10 {
			name := fmt.Sprintf("ada%d", round)
			p.Join(name)
			user := p.User(name)
			var before []*auth.Tokens
			for range 20 {
				before = append(before, p.SignIn(name).Tokens)
			}
			p.Clock.Advance(accessDead)
			var mu sync.Mutex
			given := slices.Clone(before)
			keep := func(tokens *auth.Tokens) {
				mu.Lock()
				defer mu.Unlock()
				given = append(given, tokens)
			}
			parallel(41, func(i int) {
				switch {
				case i == 20:
					if _, _, err := p.Accounts.Disable(p.T.Context(), auth.Shell(), user.ID, ""); err != nil {
						p.T.Errorf("disable: %v", err)
					}
				case i < 20:
					result, err := p.Auth.Authenticate(p.T.Context(), auth.Presented{Refresh: before[i].Refresh}, p.Client)
					if err != nil && apperr.KindOf(err) != apperr.Unavailable {
						p.T.Errorf("refresh: %v", err)
					}
					if result.Tokens != nil {
						keep(result.Tokens)
					}
				default:
					in, err := p.Login(p.T.Context(), p.Credentials(name))
					if err != nil && apperr.KindOf(err) != apperr.Disabled {
						p.T.Errorf("login: %v", err)
					}
					if in != nil {
						keep(in.Tokens)
					}
				}
			})
			for _, tokens := range given {
				if result := p.Present(tokens.Access, tokens.Refresh); result.Identity != nil || result.Tokens != nil {
					p.T.Fatalf("round %d: tokens of a disabled account are accepted", round)
				}
			}
			if live, err := p.Auth.Sessions(p.T.Context(), user.ID, ""); err != nil || len(live) != 0 {
				p.T.Fatalf("round %d: %d live sessions of a disabled account (%v)", round, len(live), err)
			}
			_, err := p.Login(p.T.Context(), p.Credentials(name))
			wantKind(p.T, "login of a disabled account", err, apperr.Disabled)
		}
	})
}

// TestDisabledEnabled checks that enabling restores the account, but not its
// sessions.
func TestDisabledEnabled(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens := p.Join("ada").Tokens
		user := p.User("ada")
		_, ended, err := p.Accounts.Disable(p.T.Context(), auth.Shell(), user.ID, "  spam  ")
		if err != nil || ended != 1 || p.User("ada").DisabledReason != "spam" {
			p.T.Errorf("disable: %d ended, reason %q, %v; want 1 and spam", ended, p.User("ada").DisabledReason, err)
		}
		wrong := p.Credentials("ada")
		wrong.Password = "not-" + goodPassword
		_, err = p.Login(p.T.Context(), wrong)
		wantKind(p.T, "wrong password of a disabled account", err, apperr.Unauthorized)
		if _, again, err := p.Accounts.Disable(p.T.Context(), auth.Shell(), user.ID, "other"); err != nil || again != 0 {
			p.T.Errorf("disable twice: %d ended, %v", again, err)
		}
		if p.User("ada").DisabledReason != "spam" {
			p.T.Error("the second disable replaced the reason")
		}
		for _, reason := range []string{strings.Repeat("é", 501), "spoofed\u202etext", "a\x00b", "\xff"} {
			_, _, err := p.Accounts.Disable(p.T.Context(), auth.Shell(), user.ID, reason)
			if got := fieldsOf(err); !slices.Equal(got, []string{"reason"}) {
				p.T.Errorf("reason %.20q: %v, want it refused", reason, err)
			}
		}
		p.WantOver(tokens, models.ReasonDisabled)
		if _, err := p.Accounts.Enable(p.T.Context(), auth.Shell(), user.ID); err != nil {
			p.T.Fatal(err)
		}
		p.WantOver(tokens, models.ReasonAdmin) // it is no longer disabled
		p.Identity(p.SignIn("ada").Tokens)
	})
}

// TestTwoAdmins lets two admins demote, disable or delete each other at the same
// time, and checks that one admin is always left.
func TestTwoAdmins(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.T.Context()
		admins := []auth.Actor{p.Admin("ada"), p.Admin("bob")}
		for round := range 100 {
			errs := make([]error, 2)
			parallel(2, func(i int) {
				other := admins[1-i].UserID
				if (round+i)%2 == 0 {
					_, errs[i] = p.Accounts.SetRole(ctx, admins[i], other, models.RoleUser)
					return
				}
				_, _, errs[i] = p.Accounts.Disable(ctx, admins[i], other, "")
			})
			n, err := p.Store.Users.CountActiveAdmins(ctx)
			if err != nil || n != 1 {
				p.T.Fatalf("round %d: %d active admins (%v), want 1; the actions returned %v", round, n, err, errs)
			}
			for i, err := range errs {
				if kind := apperr.KindOf(err); err != nil && kind != apperr.Forbidden && kind != apperr.Conflict {
					p.T.Fatalf("round %d, admin %d: %v", round, i, err)
				}
			}
			for i, admin := range admins {
				if _, err := p.Accounts.Enable(ctx, auth.Shell(), admin.UserID); err != nil {
					p.T.Fatal(err)
				}
				if _, err := p.Accounts.SetRole(ctx, auth.Shell(), admin.UserID, models.RoleAdmin); err != nil {
					p.T.Fatal(err)
				}
				admins[i].SessionID = p.SessionOf(p.User(admin.Name)) // disabling ended it
			}
		}
	})
}

func TestAdminGuards(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.T.Context()
		ada := p.Admin("ada")
		p.Join("carol")
		carol := p.User("carol")
		type act struct {
			name string
			do   func(actor auth.Actor, userID string) error
		}
		acts := []act{
			{"disable", func(a auth.Actor, id string) error { _, _, err := p.Accounts.Disable(ctx, a, id, ""); return err }},
			{"demote", func(a auth.Actor, id string) error {
				_, err := p.Accounts.SetRole(ctx, a, id, models.RoleUser)
				return err
			}},
			{"delete", func(a auth.Actor, id string) error {
				_, _, err := p.Accounts.Delete(ctx, a, id, "ada@example.org")
				return err
			}},
			{"sign out", func(a auth.Actor, id string) error { _, _, err := p.Accounts.SignOutUser(ctx, a, id); return err }},
			{"reset link", func(a auth.Actor, id string) error { _, _, err := p.Accounts.CreateResetLink(ctx, a, id); return err }},
			{"unlock", func(a auth.Actor, id string) error { _, err := p.Accounts.Unlock(ctx, a, id); return err }},
			{"enable", func(a auth.Actor, id string) error { _, err := p.Accounts.Enable(ctx, a, id); return err }},
		}
		for i, act := range acts {
			wantKind(p.T, act.name+" oneself", act.do(ada, ada.UserID), apperr.Conflict)
			if i < 3 {
				wantKind(p.T, act.name+" the last admin from the shell", act.do(auth.Shell(), ada.UserID), apperr.Conflict)
			}
			carols := auth.Actor{UserID: carol.ID, Name: "carol"}
			wantKind(p.T, act.name+" by a person without the role", act.do(carols, ada.UserID), apperr.Forbidden)
			wantKind(p.T, act.name+" of an unknown account", act.do(ada, models.NewID()), apperr.NotFound)
			wantKind(p.T, act.name+" what is no id", act.do(ada, "' OR 1=1 --"), apperr.NotFound)
			wantKind(p.T, act.name+" the empty id", act.do(ada, ""), apperr.NotFound)
		}
		if n, err := p.Store.Users.CountActiveAdmins(ctx); n != 1 || err != nil {
			p.T.Fatalf("%d active admins left (%v)", n, err)
		}
		_, err := p.Accounts.SetRole(ctx, ada, carol.ID, "owner")
		if got := fieldsOf(err); !slices.Equal(got, []string{"role"}) {
			p.T.Errorf("unknown role: %v", err)
		}
		_, _, err = p.Accounts.Delete(ctx, ada, carol.ID, "somebody@example.org")
		if got := fieldsOf(err); !slices.Equal(got, []string{"confirm"}) {
			p.T.Errorf("delete without the address: %v", err)
		}
		_, _, err = p.Accounts.CreateUser(ctx, auth.Actor{UserID: carol.ID}, account.NewUser{Account: profile("eve"), Role: models.RoleAdmin})
		wantKind(p.T, "create user without the role", err, apperr.Forbidden)
	})
}

// TestRoleIsLive checks that only the current role counts, not the one when the
// token was issued.
func TestRoleIsLive(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.T.Context()
		p.Admin("ada")
		bob := p.Admin("bob")
		tokens := p.SignIn("bob").Tokens
		if !p.Identity(tokens).Admin {
			p.T.Error("an admin is not one")
		}
		if _, err := p.Accounts.SetRole(ctx, auth.Shell(), bob.UserID, models.RoleUser); err != nil {
			p.T.Fatal(err)
		}
		if p.Identity(tokens).Admin {
			p.T.Error("an existing token keeps the old role")
		}
		_, _, err := p.Accounts.Disable(ctx, bob, p.User("ada").ID, "")
		wantKind(p.T, "act after the role was taken", err, apperr.Forbidden)
		if _, _, err := p.Accounts.Disable(ctx, auth.Shell(), bob.UserID, ""); err != nil {
			p.T.Fatal(err)
		}
		_, err = p.Accounts.SetRole(ctx, auth.Shell(), bob.UserID, models.RoleAdmin)
		wantKind(p.T, "give a disabled account the role", err, "")
		_, _, err = p.Accounts.SignOutUser(ctx, bob, p.User("ada").ID)
		wantKind(p.T, "act of a disabled admin", err, apperr.Forbidden)
	})
}

func TestDelete(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens := p.Join("ada").Tokens
		user, ended, err := p.Accounts.Delete(p.T.Context(), auth.Shell(), p.User("ada").ID, " ADA@example.org ")
		if err != nil || ended != 1 || user.Username != "ada" {
			p.T.Fatalf("delete: %v, %d ended", err, ended)
		}
		if result := p.Present(tokens.Access, tokens.Refresh); result.Identity != nil || !result.Over {
			p.T.Errorf("tokens of a deleted account: %+v", result)
		}
		_, err = p.Login(p.T.Context(), p.Credentials("ada"))
		wantKind(p.T, "login of a deleted account", err, apperr.Unauthorized)
		_, err = p.Accounts.SignUp(p.T.Context(), account.Signup{Account: profile("ada"), Password: goodPassword, Client: p.Client})
		if got := fieldsOf(err); !slices.Equal(got, []string{"username"}) {
			p.T.Errorf("a namesake of a deleted account: %v, want the username refused", err)
		}
	})
}

// TestLockOrder runs all actions that lock an account, its sessions and its limits
// in parallel. They lock in the same order, so no request fails with a deadlock.
func TestLockOrder(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.T.Context()
		in := p.Join("ada")
		user := p.User("ada")
		for range 10 {
			change := p.Change(p.SignIn("ada"), goodPassword+"!")
			_, link, err := p.Accounts.CreateResetLink(ctx, auth.Shell(), user.ID)
			if err != nil {
				p.T.Fatal(err)
			}
			errs := make([]error, 12)
			parallel(len(errs), func(i int) {
				login := p.Credentials("ada")
				login.Device = in.Device
				login.Client = from(fmt.Sprintf("203.0.113.%d", i))
				switch i % 4 {
				case 0, 1:
					_, errs[i] = p.Login(ctx, login)
				case 2:
					_, errs[i] = p.Accounts.Unlock(ctx, auth.Shell(), user.ID)
				case 3:
					if i == 3 {
						_, errs[i] = p.Accounts.ChangePassword(ctx, change)
						return
					}
					_, errs[i] = p.Accounts.ResetPassword(ctx, account.Reset{Token: link, Password: goodPassword, Client: login.Client})
				}
			})
			for i, err := range errs {
				if kind := apperr.KindOf(err); kind == apperr.Unavailable || err != nil && kind == "" {
					p.T.Errorf("caller %d: %v", i, err)
				}
			}
			_, link, err = p.Accounts.CreateResetLink(ctx, auth.Shell(), user.ID)
			if err != nil {
				p.T.Fatal(err)
			}
			if _, err := p.Accounts.ResetPassword(ctx, account.Reset{Token: link, Password: goodPassword, Client: p.Client}); err != nil {
				p.T.Fatal(err)
			}
			p.Clock.Advance(accessDead)
		}
	})
}
