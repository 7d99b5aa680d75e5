package account_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

// TestDisableAll checks that every account that can be disabled is, each with its
// own event, and that the others are left out with the reason.
func TestDisableAll(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.T.Context()
		boss := p.Admin("boss")
		for _, name := range []string{"ada", "bob", "carol", "dan"} {
			p.Join(name)
		}
		ada, bob, carol, dan := p.User("ada"), p.User("bob"), p.User("carol"), p.User("dan")
		if _, _, err := p.Accounts.Disable(ctx, boss, bob.ID, "earlier"); err != nil {
			p.T.Fatal(err)
		}
		if _, _, err := p.Accounts.Delete(ctx, boss, dan.ID, dan.Email); err != nil {
			p.T.Fatal(err)
		}
		got, err := p.Accounts.DisableAll(ctx, boss, []string{boss.UserID, ada.ID, bob.ID, dan.ID, carol.ID}, " left  the team ")
		if err != nil {
			p.T.Fatal(err)
		}
		want := []account.BulkResult{{boss.UserID, account.OutOwn}, {ada.ID, ""}, {bob.ID, account.OutDisabled}, {dan.ID, account.OutGone}, {carol.ID, ""}}
		if diff := cmp.Diff(want, got); diff != "" {
			p.T.Errorf("results (-want +got):\n%s", diff)
		}
		for name, reason := range map[string]string{"ada": "left the team", "bob": "earlier", "carol": "left the team"} {
			if user := p.User(name); !user.Disabled() || user.DisabledReason != reason {
				p.T.Errorf("%s: disabled %t, reason %q, want %q", name, user.Disabled(), user.DisabledReason, reason)
			}
		}
		if user := p.User("boss"); user.Disabled() {
			p.T.Error("the admin disabled their own account")
		}
		if n := p.Events(audit.UserDisable); n != 3 { // with the earlier one
			p.T.Errorf("got %d events, want 3", n)
		}
		_, err = p.Accounts.DisableAll(ctx, boss, []string{ada.ID}, fmt.Sprintf("%0501d", 0))
		wantKind(p.T, "a long reason", err, apperr.Invalid)
		_, err = p.Accounts.DisableAll(ctx, boss, make([]string, account.MostAtOnce+1), "")
		wantKind(p.T, "too many", err, apperr.Invalid)

		// The shell can disable any account but the last active admin.
		got, err = p.Accounts.DisableAll(ctx, auth.Shell(), []string{boss.UserID}, "")
		if diff := cmp.Diff([]account.BulkResult{{boss.UserID, account.OutLast}}, got); diff != "" || err != nil {
			p.T.Errorf("the last admin: %v (-want +got):\n%s", err, diff)
		}
	})
}

// TestSignOutAll ends the sessions of the given people, and no others.
func TestSignOutAll(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.T.Context()
		boss := p.Admin("boss")
		p.Join("ada")
		p.Join("bob")
		p.Join("carol")
		ada, bob := p.User("ada").ID, p.User("bob").ID
		got, err := p.Accounts.SignOutAll(ctx, boss, []string{ada, bob, boss.UserID})
		if diff := cmp.Diff([]account.BulkResult{{ada, ""}, {bob, ""}, {boss.UserID, account.OutOwn}}, got); diff != "" || err != nil {
			p.T.Errorf("results: %v (-want +got):\n%s", err, diff)
		}
		for name, want := range map[string]int{"ada": 0, "bob": 0, "carol": 1} {
			live, err := p.Auth.Sessions(ctx, p.User(name).ID, "")
			if err != nil || len(live) != want {
				p.T.Errorf("%s has %d sessions (%v), want %d", name, len(live), err, want)
			}
		}
		if n := p.Events(audit.UserSignOut); n != 2 {
			p.T.Errorf("got %d events, want 2", n)
		}
		// A former admin is refused.
		if _, err := p.Accounts.SetRole(ctx, auth.Shell(), p.User("carol").ID, models.RoleAdmin); err != nil {
			p.T.Fatal(err)
		}
		if _, err := p.Accounts.SetRole(ctx, auth.Shell(), boss.UserID, models.RoleUser); err != nil {
			p.T.Fatal(err)
		}
		_, err = p.Accounts.SignOutAll(ctx, boss, []string{ada})
		wantKind(p.T, "a former admin", err, apperr.Forbidden)
	})
}

// TestBulkLimit checks that a bulk action is counted only once, so that it is never
// refused half-way, and against a limit of its own.
func TestBulkLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.T.Context()
		boss := p.Admin("boss")
		p.Join("ada")
		id := p.User("ada").ID
		ids := make([]string, account.MostAtOnce)
		for i := range ids {
			ids[i] = id
		}
		for i := range 6 {
			got, err := p.Accounts.SignOutAll(ctx, boss, ids)
			if err != nil || len(got) != len(ids) {
				p.T.Errorf("bulk action %d: %d results, %v", i+1, len(got), err)
			}
		}
		_, err := p.Accounts.DisableAll(ctx, boss, []string{id}, "")
		wantWait(p.T, "7th bulk action of a minute", err, time.Minute)
		if p.User("ada").Disabled() {
			p.T.Error("a refused action disabled an account")
		}
		_, _, err = p.Accounts.SignOutUser(ctx, boss, id)
		wantKind(p.T, "a single action", err, "")
	})
}
