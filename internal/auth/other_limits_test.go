package auth_test

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/password"
	"latchkey/models"
)

func TestSignUpLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.t.Context()
		signUp := func(name string, client auth.Client) error {
			_, err := p.SignUp(ctx, auth.Signup{Account: account(name), Password: goodPassword, Client: client})
			return err
		}
		for i := range 15 { // what breaks a rule is not counted
			_, err := p.SignUp(ctx, auth.Signup{Account: account(fmt.Sprintf("short%d", i)), Password: "short", Client: p.client})
			wantKind(p.t, "a short password", err, apperr.Invalid)
		}
		for i := range 10 {
			wantKind(p.t, "sign-up", signUp(fmt.Sprintf("user%d", i), p.client), "")
		}
		wantWait(p.t, "11th of an hour", signUp("user10", p.client), time.Hour)
		wantKind(p.t, "from elsewhere", signUp("user10", from("192.0.2.77")), "")
		p.clock.advance(time.Hour)
		wantKind(p.t, "an hour later", signUp("user11", p.client), "")
	})
}

// TestAddressLimit: the answers of the form must not tell thousands of addresses
// that have an account.
func TestAddressLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		in := p.signUp("ada")
		p.signUp("bob")
		for range 10 {
			_, err := p.ChangeEmail(p.t.Context(), p.change(in, "bob@example.org"))
			wantKind(p.t, "a taken address", err, apperr.Invalid)
		}
		_, err := p.ChangeEmail(p.t.Context(), p.change(in, "free@example.org"))
		wantWait(p.t, "11th address of an hour", err, time.Hour)
		p.clock.advance(time.Hour)
		again := p.login("ada")
		if _, err := p.ChangeEmail(p.t.Context(), p.change(again, "free@example.org")); err != nil {
			p.t.Errorf("an hour later: %v", err)
		}
	})
}

func TestAdminWriteLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.t.Context()
		ada, bob := p.admin("ada"), p.admin("bob")
		p.signUp("carol")
		id := p.user("carol").ID
		for i := range 60 {
			_, err := p.Enable(ctx, ada, id)
			wantKind(p.t, fmt.Sprintf("write %d", i+1), err, "")
		}
		_, _, err := p.SignOutUser(ctx, ada, id)
		wantWait(p.t, "61st write of a minute", err, time.Minute)
		_, _, err = p.CreateUser(ctx, ada, auth.NewUser{Account: account("dan"), Role: models.RoleUser})
		wantKind(p.t, "61st write, of another kind", err, apperr.TooMany)
		_, _, err = p.SignOutUser(ctx, bob, id)
		wantKind(p.t, "another admin", err, "")
		_, _, err = p.SignOutUser(ctx, auth.Shell(), id)
		wantKind(p.t, "the shell", err, "")
		p.clock.advance(time.Minute)
		_, _, err = p.SignOutUser(ctx, ada, id)
		wantKind(p.t, "a minute later", err, "")
	})
}

// TestRenameLimit: the answers of the rename form must not tell thousands of
// names that are taken.
func TestRenameLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		tokens := p.signUp("ada").Tokens
		p.signUp("taken")
		for range 10 {
			err := p.UpdateProfile(p.t.Context(), p.identity(tokens), "taken", "", p.client)
			wantKind(p.t, "a taken name", err, apperr.Invalid)
		}
		err := p.UpdateProfile(p.t.Context(), p.identity(tokens), "free-one", "", p.client)
		wantWait(p.t, "11th name of an hour", err, time.Hour)
		err = p.UpdateProfile(p.t.Context(), p.identity(tokens), "ada", "Ada Lovelace", p.client)
		wantKind(p.t, "the full name alone", err, "")
	})
}

// TestLimitEveryRoad: the current password of a change counts like a sign-in.
func TestLimitEveryRoad(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.t.Context()
		in := p.signUp("ada")
		change := p.change(in, "another-"+goodPassword)
		change.Device, change.Current = "", "wrong"
		for i := range 5 {
			change := change
			road := p.ChangePassword
			if i%2 == 1 {
				road, change.New = p.ChangeEmail, "new@example.org"
			}
			_, err := road(ctx, change)
			if got := fieldsOf(err); len(got) != 1 || got[0] != "current_password" {
				p.t.Errorf("wrong current password: %v", err)
			}
		}
		change.Current = goodPassword
		_, err := p.ChangePassword(ctx, change)
		wantWait(p.t, "the right one too late", err, 30*time.Second)
		wantWait(p.t, "a sign-in too", p.try("ada", goodPassword, ""), 30*time.Second)
		if n := p.events(audit.PasswordFailed); n != 5 {
			p.t.Errorf("%d failed checks in the audit log, want 5", n)
		}
		p.identity(in.Tokens)
		p.clock.advance(30 * time.Second)
		_, err = p.ChangePassword(ctx, change)
		wantKind(p.t, "after the wait", err, "")
	})
}

func TestLimitsOff(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.signUp("ada")
		for range 25 {
			wantKind(p.t, "wrong", p.try("ada", "wrong", ""), apperr.Unauthorized)
		}
		wantKind(p.t, "right", p.try("ada", goodPassword, ""), "")
	})
}

// TestBusy keeps the only slot for hashes occupied. Who finds no room is told
// so, whether or not the account exists, and no attempt is counted.
func TestBusy(t *testing.T) {
	slow := password.NewHasher(password.HasherOptions{
		Slots: 1, Wait: time.Millisecond, Params: password.Params{Memory: 128 << 10, Time: 10, Threads: 1},
	})
	each(t, limited, func(p *portal) {
		ctx := p.t.Context()
		in := p.signUp("ada")
		change := p.change(in, "another-"+goodPassword)
		busy := newPortal(p.t, p.store, p.clock, func(o *auth.Options) { o.Limits, o.Hasher = true, slow })
		cheap, err := fastHasher().Hash(ctx, "x")
		if err != nil {
			p.t.Fatal(err)
		}
		var working sync.WaitGroup
		working.Go(func() {
			err := error(apperr.Busy)
			for errors.Is(err, apperr.Busy) { // while those below hold the slot
				_, err = slow.Hash(ctx, "x")
			}
		})
		defer working.Wait()
		for err == nil { // until the slot is taken
			_, _, err = slow.Verify(ctx, cheap, "x")
		}
		for i := range 7 { // more than the five that are free
			for _, name := range []string{"ada", "nobody"} {
				_, err := busy.Login(ctx, auth.Login{Identifier: name, Password: goodPassword, Client: from(fmt.Sprintf("203.0.113.%d", i))})
				wantKind(p.t, "login of "+name, err, apperr.Busy)
			}
		}
		_, err = busy.ChangePassword(ctx, change)
		wantKind(p.t, "change password", err, apperr.Busy)
		_, err = busy.SignUp(ctx, auth.Signup{Account: account("bob"), Password: goodPassword, Client: p.client})
		wantKind(p.t, "sign up", err, apperr.Busy)
		for range 5 {
			wantKind(p.t, "a wrong password afterwards", p.try("ada", "wrong", ""), apperr.Unauthorized)
		}
	})
}

// TestRehash: a hash weaker than new ones is replaced at a sign-in.
func TestRehash(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.signUp("ada")
		before := p.user("ada").PasswordHash
		stronger := newPortal(p.t, p.store, p.clock, func(o *auth.Options) {
			o.Hasher = password.NewHasher(password.HasherOptions{Params: password.Params{Memory: 128, Time: 1, Threads: 1}})
		})
		stronger.login("ada")
		after := p.user("ada").PasswordHash
		if before == after {
			p.t.Error("the weak hash is kept")
		}
		stronger.login("ada")
		if p.user("ada").PasswordHash != after {
			p.t.Error("a hash of today is replaced")
		}
		imported := "$2a$04$" + "tJYCHGLI6PLB1EnZBHYCFe" + "x1bVBmNZM8wj8ImaT2rnVq1kkMKKyxS" // of nothing we know
		if err := p.store.Users.SetPassword(p.t.Context(), p.user("ada").ID, imported, p.clock.now()); err != nil {
			p.t.Fatal(err)
		}
		wantKind(p.t, "another password's bcrypt hash", p.try("ada", goodPassword, ""), apperr.Unauthorized)
	})
}

// TestRehashInParallel: of many sign-ins that find the same weak hash none is
// told that the password is wrong.
func TestRehashInParallel(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.signUp("ada")
		weak := p.user("ada").PasswordHash
		stronger := newPortal(p.t, p.store, p.clock, func(o *auth.Options) {
			o.Hasher = password.NewHasher(password.HasherOptions{Slots: 8, Params: password.Params{Memory: 128, Time: 1, Threads: 1}})
		})
		for round := range 10 {
			if err := p.store.Users.SetPassword(p.t.Context(), p.user("ada").ID, weak, p.clock.now()); err != nil {
				p.t.Fatal(err)
			}
			parallel(8, func(int) {
				if _, err := stronger.Login(p.t.Context(), p.credentials("ada")); err != nil {
					p.t.Errorf("round %d: %v", round, err)
				}
			})
			if p.user("ada").PasswordHash == weak {
				p.t.Errorf("round %d: the weak hash is kept", round)
			}
		}
	})
}

// TestSecurityLog: one line for each event, without what was typed.
func TestSecurityLog(t *testing.T) {
	each(t, nil, func(p *portal) {
		var lines recorder
		logged := newPortal(p.t, p.store, p.clock, func(o *auth.Options) { o.Logger = slog.New(&lines) })
		in := logged.signUp("ada")
		_ = logged.try("ada", "typed-by-mistake", "")
		_ = logged.try("typed-in-the-wrong-field", "x", "")
		logged.identity(in.Tokens)
		if err := logged.Logout(p.t.Context(), auth.Presented{Refresh: in.Tokens.Refresh}, p.client); err != nil {
			p.t.Fatal(err)
		}
		want := []string{audit.SignUp, audit.LoginFailed, audit.LoginFailed, audit.Logout}
		lines.check(p.t, want, goodPassword, "typed-by-mistake", "typed-in-the-wrong-field", in.Tokens.Access, in.Tokens.Refresh,
			in.Device, logged.sid(in.Tokens), p.user("ada").PasswordHash)
	})
}

// wantPaused checks what the panel is told of an account, beside another one
// that nothing holds back.
func (p *portal) wantPaused(name string, want models.Pause) {
	p.t.Helper()
	user := p.user(name)
	got, err := p.Paused(p.t.Context(), models.NewID(), user.ID)
	if diff := cmp.Diff(map[string]models.Pause{user.ID: want}, got); diff != "" || err != nil {
		p.t.Errorf("paused accounts (%v, -want +got):\n%s", err, diff)
	}
}
