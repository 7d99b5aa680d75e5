package auth_test

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/password"
	"latchkey/internal/limit"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

func TestLimitsOff(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		for range 25 {
			wantKind(p.T, "wrong", p.Try("ada", "wrong", ""), apperr.Unauthorized)
		}
		wantKind(p.T, "right", p.Try("ada", goodPassword, ""), "")
	})
}

// TestBusy keeps the only slot for hashes occupied. Sign-ins that find no room get
// apperr.Busy, whether or not the account exists, and are not counted as attempts.
func TestBusy(t *testing.T) {
	slow := password.NewHasher(password.HasherOptions{
		Slots: 1, Wait: time.Millisecond, Params: password.Params{Memory: 128 << 10, Time: 10, Threads: 1},
	})
	each(t, limited, func(p *portal) {
		ctx := p.T.Context()
		in := p.Join("ada")
		change := p.Change(in, "another-"+goodPassword)
		busy := newPortal(p.T, p.Store, p.Clock, func(o *servicetest.Options) { o.Limits, o.Hasher = true, slow })
		cheap, err := servicetest.FastHasher().Hash(ctx, "x")
		if err != nil {
			p.T.Fatal(err)
		}
		var working sync.WaitGroup
		working.Go(func() {
			err := error(apperr.Busy)
			for errors.Is(err, apperr.Busy) { // while the calls below hold the slot
				_, err = slow.Hash(ctx, "x")
			}
		})
		defer working.Wait()
		for err == nil { // until the slot is taken
			_, _, err = slow.Verify(ctx, cheap, "x")
		}
		for i := range 7 { // more than the five free attempts
			for _, name := range []string{"ada", "nobody"} {
				_, err := busy.Login(ctx, auth.Login{Identifier: name, Password: goodPassword, Client: from(fmt.Sprintf("203.0.113.%d", i))})
				wantKind(p.T, "login of "+name, err, apperr.Busy)
			}
		}
		_, err = busy.Accounts.ChangePassword(ctx, change)
		wantKind(p.T, "change password", err, apperr.Busy)
		_, err = busy.Accounts.SignUp(ctx, account.Signup{Account: profile("bob"), Password: goodPassword, Client: p.Client})
		wantKind(p.T, "sign up", err, apperr.Busy)
		for range 5 {
			wantKind(p.T, "a wrong password afterwards", p.Try("ada", "wrong", ""), apperr.Unauthorized)
		}
	})
}

// TestBusyLanes keeps the queue of strangers full and checks that a sign-in on a
// known device succeeds while one on another device is refused.
func TestBusyLanes(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.T.Context()
		device := p.Join("ada").Device
		slow := password.NewHasher(password.HasherOptions{
			Slots: 1, Queue: 1, Wait: time.Minute, Params: password.Params{Memory: 8 << 10, Time: 2, Threads: 1},
		})
		busy := newPortal(p.T, p.Store, p.Clock, func(o *servicetest.Options) { o.Hasher = slow })
		var working sync.WaitGroup
		var enough atomic.Bool
		defer working.Wait()
		defer enough.Store(true)
		for range 3 { // one runs, one waits, one is refused and asks again
			working.Go(func() {
				for !enough.Load() {
					_, _ = slow.Hash(ctx, "x")
				}
			})
		}
		login := auth.Login{Identifier: "ada", Password: goodPassword, Client: from("203.0.113.7")}
		var err error
		for err == nil { // until the lane is full
			_, err = busy.Login(ctx, login)
		}
		wantKind(p.T, "on an unknown device", err, apperr.Busy)
		login.Device = device
		for range 3 {
			if _, err := busy.Login(ctx, login); err != nil {
				p.T.Errorf("on a known device: %v", err)
			}
		}
	})
}

// TestRehash checks that a hash with other costs than new ones is replaced at sign-in.
func TestRehash(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		before := p.User("ada").PasswordHash
		stronger := newPortal(p.T, p.Store, p.Clock, func(o *servicetest.Options) {
			o.Hasher = password.NewHasher(password.HasherOptions{Params: password.Params{Memory: 128, Time: 1, Threads: 1}})
		})
		stronger.SignIn("ada")
		after := p.User("ada").PasswordHash
		if before == after {
			p.T.Error("the weak hash is kept")
		}
		stronger.SignIn("ada")
		if p.User("ada").PasswordHash != after {
			p.T.Error("a hash with the current costs is replaced")
		}
		imported := "$2a$04$" + "tJYCHGLI6PLB1EnZBHYCFe" + "x1bVBmNZM8wj8ImaT2rnVq1kkMKKyxS" // of an unknown password
		if err := p.Store.Users.SetPassword(p.T.Context(), p.User("ada").ID, imported, p.Clock.Now()); err != nil {
			p.T.Fatal(err)
		}
		wantKind(p.T, "another password's bcrypt hash", p.Try("ada", goodPassword, ""), apperr.Unauthorized)
	})
}

// TestRehashInParallel checks that many parallel sign-ins with the same weak hash
// all succeed.
func TestRehashInParallel(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		weak := p.User("ada").PasswordHash
		stronger := newPortal(p.T, p.Store, p.Clock, func(o *servicetest.Options) {
			o.Hasher = password.NewHasher(password.HasherOptions{Slots: 8, Params: password.Params{Memory: 128, Time: 1, Threads: 1}})
		})
		for round := range 10 {
			if err := p.Store.Users.SetPassword(p.T.Context(), p.User("ada").ID, weak, p.Clock.Now()); err != nil {
				p.T.Fatal(err)
			}
			parallel(8, func(int) {
				if _, err := stronger.Login(p.T.Context(), p.Credentials("ada")); err != nil {
					p.T.Errorf("round %d: %v", round, err)
				}
			})
			if p.User("ada").PasswordHash == weak {
				p.T.Errorf("round %d: the weak hash is kept", round)
			}
		}
	})
}

// TestSecurityLog checks that the log has one line for each event, without the
// input.
func TestSecurityLog(t *testing.T) {
	each(t, nil, func(p *portal) {
		var lines recorder
		logged := newPortal(p.T, p.Store, p.Clock, func(o *servicetest.Options) { o.Logger = slog.New(&lines) })
		in := logged.Join("ada")
		_ = logged.Try("ada", "typed-by-mistake", "")
		_ = logged.Try("typed-in-the-wrong-field", "x", "")
		logged.Identity(in.Tokens)
		if err := logged.Auth.Logout(p.T.Context(), auth.Presented{Refresh: in.Tokens.Refresh}, p.Client); err != nil {
			p.T.Fatal(err)
		}
		want := []string{audit.SignUp, audit.LoginFailed, audit.LoginFailed, audit.Logout}
		lines.check(p.T, want, goodPassword, "typed-by-mistake", "typed-in-the-wrong-field", in.Tokens.Access, in.Tokens.Refresh,
			in.Device, logged.SID(in.Tokens), p.User("ada").PasswordHash)
	})
}

// wantPaused checks the pauses of an account. Another account is not paused.
func (p *portal) wantPaused(name string, want limit.Pauses) {
	p.T.Helper()
	user := p.User(name)
	got, err := p.Accounts.Paused(p.T.Context(), models.NewID(), user.ID)
	if diff := cmp.Diff(map[string]limit.Pauses{user.ID: want}, got); diff != "" || err != nil {
		p.T.Errorf("paused accounts (%v, -want +got):\n%s", err, diff)
	}
}
