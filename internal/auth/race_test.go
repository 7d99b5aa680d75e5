package auth_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/models"
)

// TestDisableRace disables an account while it refreshes and signs in twenty
// times each. Whatever came first, nothing is accepted afterwards.
func TestDisableRace(t *testing.T) {
	each(t, nil, func(p *portal) {
		for round := range 10 {
			name := fmt.Sprintf("ada%d", round)
			p.signUp(name)
			user := p.user(name)
			var before []*auth.Tokens
			for range 20 {
				before = append(before, p.login(name).Tokens)
			}
			p.clock.advance(accessDead)
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
					if _, _, err := p.Disable(p.t.Context(), auth.Shell(), user.ID, ""); err != nil {
						p.t.Errorf("disable: %v", err)
					}
				case i < 20:
					result, err := p.Authenticate(p.t.Context(), auth.Presented{Refresh: before[i].Refresh}, p.client)
					if err != nil && apperr.KindOf(err) != apperr.Unavailable {
						p.t.Errorf("refresh: %v", err)
					}
					if result.Tokens != nil {
						keep(result.Tokens)
					}
				default:
					in, err := p.Login(p.t.Context(), p.credentials(name))
					if err != nil && apperr.KindOf(err) != apperr.Disabled {
						p.t.Errorf("login: %v", err)
					}
					if in != nil {
						keep(in.Tokens)
					}
				}
			})
			for _, tokens := range given {
				if result := p.present(tokens.Access, tokens.Refresh); result.Identity != nil || result.Tokens != nil {
					p.t.Fatalf("round %d: tokens of a disabled account are accepted", round)
				}
			}
			if live, err := p.Sessions(p.t.Context(), user.ID, ""); err != nil || len(live) != 0 {
				p.t.Fatalf("round %d: %d live sessions of a disabled account (%v)", round, len(live), err)
			}
			_, err := p.Login(p.t.Context(), p.credentials(name))
			wantKind(p.t, "login of a disabled account", err, apperr.Disabled)
		}
	})
}

// TestDisabledEnabled: enabling brings the account back, not its sessions.
func TestDisabledEnabled(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens := p.signUp("ada").Tokens
		user := p.user("ada")
		_, ended, err := p.Disable(p.t.Context(), auth.Shell(), user.ID, "  spam  ")
		if err != nil || ended != 1 || p.user("ada").DisabledReason != "spam" {
			p.t.Errorf("disable: %d ended, reason %q, %v; want 1 and spam", ended, p.user("ada").DisabledReason, err)
		}
		wrong := p.credentials("ada")
		wrong.Password = "not-" + goodPassword
		_, err = p.Login(p.t.Context(), wrong)
		wantKind(p.t, "wrong password of a disabled account", err, apperr.Unauthorized)
		if _, again, err := p.Disable(p.t.Context(), auth.Shell(), user.ID, "other"); err != nil || again != 0 {
			p.t.Errorf("disable twice: %d ended, %v", again, err)
		}
		if p.user("ada").DisabledReason != "spam" {
			p.t.Error("the second disable replaced the reason")
		}
		for _, reason := range []string{strings.Repeat("é", 501), "spoofed\u202etext", "a\x00b", "\xff"} {
			_, _, err := p.Disable(p.t.Context(), auth.Shell(), user.ID, reason)
			if got := fieldsOf(err); !slices.Equal(got, []string{"reason"}) {
				p.t.Errorf("reason %.20q: %v, want it refused", reason, err)
			}
		}
		p.wantOver(tokens, models.ReasonDisabled)
		if _, err := p.Enable(p.t.Context(), auth.Shell(), user.ID); err != nil {
			p.t.Fatal(err)
		}
		p.wantOver(tokens, models.ReasonAdmin) // it is disabled no more
		p.identity(p.login("ada").Tokens)
	})
}

// TestTwoAdmins lets two admins take the role from each other, and disable or
// delete each other, at the same moment: one is always left.
func TestTwoAdmins(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.t.Context()
		admins := []auth.Actor{p.admin("ada"), p.admin("bob")}
		for round := range 100 {
			errs := make([]error, 2)
			parallel(2, func(i int) {
				other := admins[1-i].UserID
				if (round+i)%2 == 0 {
					_, errs[i] = p.SetRole(ctx, admins[i], other, models.RoleUser)
					return
				}
				_, _, errs[i] = p.Disable(ctx, admins[i], other, "")
			})
			n, err := p.store.Users.CountActiveAdmins(ctx)
			if err != nil || n != 1 {
				p.t.Fatalf("round %d: %d active admins (%v), want 1; the acts gave %v", round, n, err, errs)
			}
			for i, err := range errs {
				if kind := apperr.KindOf(err); err != nil && kind != apperr.Forbidden && kind != apperr.Conflict {
					p.t.Fatalf("round %d, admin %d: %v", round, i, err)
				}
			}
			for i, admin := range admins {
				if _, err := p.Enable(ctx, auth.Shell(), admin.UserID); err != nil {
					p.t.Fatal(err)
				}
				if _, err := p.SetRole(ctx, auth.Shell(), admin.UserID, models.RoleAdmin); err != nil {
					p.t.Fatal(err)
				}
				admins[i].SessionID = p.sessionOf(p.user(admin.Name)) // disabling ended it
			}
		}
	})
}

func TestAdminGuards(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.t.Context()
		ada := p.admin("ada")
		p.signUp("carol")
		carol := p.user("carol")
		type act struct {
			name string
			do   func(actor auth.Actor, userID string) error
		}
		acts := []act{
			{"disable", func(a auth.Actor, id string) error { _, _, err := p.Disable(ctx, a, id, ""); return err }},
			{"demote", func(a auth.Actor, id string) error { _, err := p.SetRole(ctx, a, id, models.RoleUser); return err }},
			{"delete", func(a auth.Actor, id string) error { _, _, err := p.Delete(ctx, a, id, "ada@example.org"); return err }},
			{"sign out", func(a auth.Actor, id string) error { _, _, err := p.SignOutUser(ctx, a, id); return err }},
			{"reset link", func(a auth.Actor, id string) error { _, _, err := p.CreateResetLink(ctx, a, id); return err }},
			{"unlock", func(a auth.Actor, id string) error { _, err := p.Unlock(ctx, a, id); return err }},
			{"enable", func(a auth.Actor, id string) error { _, err := p.Enable(ctx, a, id); return err }},
		}
		for i, act := range acts {
			wantKind(p.t, act.name+" oneself", act.do(ada, ada.UserID), apperr.Conflict)
			if i < 3 {
				wantKind(p.t, act.name+" the last admin from the shell", act.do(auth.Shell(), ada.UserID), apperr.Conflict)
			}
			carols := auth.Actor{UserID: carol.ID, Name: "carol"}
			wantKind(p.t, act.name+" by somebody without the role", act.do(carols, ada.UserID), apperr.Forbidden)
			wantKind(p.t, act.name+" nobody", act.do(ada, models.NewID()), apperr.NotFound)
			wantKind(p.t, act.name+" what is no id", act.do(ada, "' OR 1=1 --"), apperr.NotFound)
			wantKind(p.t, act.name+" the empty id", act.do(ada, ""), apperr.NotFound)
		}
		if n, err := p.store.Users.CountActiveAdmins(ctx); n != 1 || err != nil {
			p.t.Fatalf("%d active admins left (%v)", n, err)
		}
		_, err := p.SetRole(ctx, ada, carol.ID, "owner")
		if got := fieldsOf(err); !slices.Equal(got, []string{"role"}) {
			p.t.Errorf("unknown role: %v", err)
		}
		_, _, err = p.Delete(ctx, ada, carol.ID, "somebody@example.org")
		if got := fieldsOf(err); !slices.Equal(got, []string{"confirm"}) {
			p.t.Errorf("delete without the address: %v", err)
		}
		_, _, err = p.CreateUser(ctx, auth.Actor{UserID: carol.ID}, auth.NewUser{Account: account("eve"), Role: models.RoleAdmin})
		wantKind(p.t, "create user without the role", err, apperr.Forbidden)
	})
}

// TestRoleIsLive: neither the role of a token nor of a second ago counts.
func TestRoleIsLive(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.t.Context()
		p.admin("ada")
		bob := p.admin("bob")
		tokens := p.login("bob").Tokens
		if !p.identity(tokens).Admin {
			p.t.Error("an admin is not one")
		}
		if _, err := p.SetRole(ctx, auth.Shell(), bob.UserID, models.RoleUser); err != nil {
			p.t.Fatal(err)
		}
		if p.identity(tokens).Admin {
			p.t.Error("the token in hand keeps the role")
		}
		_, _, err := p.Disable(ctx, bob, p.user("ada").ID, "")
		wantKind(p.t, "act after the role was taken", err, apperr.Forbidden)
		if _, _, err := p.Disable(ctx, auth.Shell(), bob.UserID, ""); err != nil {
			p.t.Fatal(err)
		}
		_, err = p.SetRole(ctx, auth.Shell(), bob.UserID, models.RoleAdmin)
		wantKind(p.t, "give a disabled account the role", err, "")
		_, _, err = p.SignOutUser(ctx, bob, p.user("ada").ID)
		wantKind(p.t, "act of a disabled admin", err, apperr.Forbidden)
	})
}

func TestDelete(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens := p.signUp("ada").Tokens
		user, ended, err := p.Delete(p.t.Context(), auth.Shell(), p.user("ada").ID, " ADA@example.org ")
		if err != nil || ended != 1 || user.Username != "ada" {
			p.t.Fatalf("delete: %v, %d ended", err, ended)
		}
		if result := p.present(tokens.Access, tokens.Refresh); result.Identity != nil || !result.Clear {
			p.t.Errorf("tokens of a deleted account: %+v", result)
		}
		_, err = p.Login(p.t.Context(), p.credentials("ada"))
		wantKind(p.t, "login of a deleted account", err, apperr.Unauthorized)
		p.signUp("ada")
		if result := p.present(tokens.Access, tokens.Refresh); result.Identity != nil {
			p.t.Error("tokens of a deleted account work for its namesake")
		}
	})
}

// TestLockOrder runs side by side what locks an account, its sessions and its
// limits. All take them in one order: nobody is told that the database failed.
func TestLockOrder(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.t.Context()
		in := p.signUp("ada")
		user := p.user("ada")
		for range 10 {
			change := p.change(p.login("ada"), goodPassword+"!")
			_, link, err := p.CreateResetLink(ctx, auth.Shell(), user.ID)
			if err != nil {
				p.t.Fatal(err)
			}
			errs := make([]error, 12)
			parallel(len(errs), func(i int) {
				login := p.credentials("ada")
				login.Device = in.Device
				login.Client = from(fmt.Sprintf("203.0.113.%d", i))
				switch i % 4 {
				case 0, 1:
					_, errs[i] = p.Login(ctx, login)
				case 2:
					_, errs[i] = p.Unlock(ctx, auth.Shell(), user.ID)
				case 3:
					if i == 3 {
						_, errs[i] = p.ChangePassword(ctx, change)
						return
					}
					errs[i] = p.ResetPassword(ctx, link, goodPassword, login.Client)
				}
			})
			for i, err := range errs {
				if kind := apperr.KindOf(err); kind == apperr.Unavailable || err != nil && kind == "" {
					p.t.Errorf("caller %d: %v", i, err)
				}
			}
			_, link, err = p.CreateResetLink(ctx, auth.Shell(), user.ID)
			if err != nil {
				p.t.Fatal(err)
			}
			if err := p.ResetPassword(ctx, link, goodPassword, p.client); err != nil {
				p.t.Fatal(err)
			}
			p.clock.advance(accessDead)
		}
	})
}
