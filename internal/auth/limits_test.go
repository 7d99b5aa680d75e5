package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/password"
	"latchkey/internal/limit"
	"latchkey/internal/oauth"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

// TestAccountLimit checks the waits of docs/security.md, "Limits", which are the
// same for accounts that exist and for others.
func TestAccountLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.Join("ada")
		for _, name := range []string{"ada", "nobody-here", "nobody@example.org"} {
			for i := range 5 {
				wantKind(p.T, fmt.Sprintf("%s, attempt %d", name, i+1), p.Try(name, "wrong", ""), apperr.Unauthorized)
			}
			for _, wait := range []time.Duration{
				30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute,
			} {
				wantWait(p.T, name+", wrong", p.Try(name, "wrong", ""), wait)
				wantWait(p.T, name+", right", p.Try(name, goodPassword, ""), wait)
				p.Clock.Advance(wait - time.Millisecond)
				wantWait(p.T, name+", a moment too early", p.Try(name, goodPassword, ""), time.Second)
				p.Clock.Advance(time.Millisecond)
				wantKind(p.T, name+", after the wait", p.Try(name, "wrong", ""), apperr.Unauthorized)
			}
			p.Clock.Advance(24 * time.Hour)
			for range 5 {
				wantKind(p.T, name+", a day later", p.Try(name, "wrong", ""), apperr.Unauthorized)
			}
			wantWait(p.T, name+", a day later", p.Try(name, "wrong", ""), 30*time.Second)
		}
	})
}

// TestLimitSpelling checks that all spellings of a name share one bucket.
func TestLimitSpelling(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.Join("ada")
		p.Join("kate")
		for _, names := range [][]string{
			{"ada", "ADA", "ada@example.org", " Ada ", "ADA@Example.ORG"},
			{"kate", "\u212aate", "\uff4bate", "\u200bkate", "kate\u00a0"},
			{"nobody-here", "NOBODY-here", " nobody-here", "Nobody-Here\t", "nobody-herE"},
			{"nobody@example.org", "Nobody@Example.org", "NOBODY@EXAMPLE.ORG", " nobody@example.org", "noBody@example.org"},
		} {
			for _, name := range names {
				wantKind(p.T, name, p.Try(name, "wrong", ""), apperr.Unauthorized)
			}
			for _, name := range names {
				wantWait(p.T, name, p.Try(name, goodPassword, ""), 30*time.Second)
			}
		}
	})
}

// TestOtherLetters checks that a name whose letters only look like those of a
// username has its own bucket, whether or not that account exists.
func TestOtherLetters(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.Join("kevin")
		for _, name := range []string{"kevin", "kirsten"} {
			for range 5 {
				wantKind(p.T, name+" with a Cyrillic letter", p.Try("\u043a"+name[1:], "wrong", ""), apperr.Unauthorized)
			}
			wantKind(p.T, name, p.Try(name, "wrong", ""), apperr.Unauthorized)
		}
	})
}

// TestSameAnswer checks that the result does not reveal which accounts exist.
func TestSameAnswer(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.Join("ada")
		if _, _, err := p.Accounts.CreateUser(p.T.Context(), auth.Shell(), account.NewUser{Account: profile("fresh"), Role: models.RoleUser}); err != nil {
			p.T.Fatal(err)
		}
		for _, secret := range []string{"", "wrong", strings.Repeat("x", password.MaxBytes+1)} {
			want := apperr.Details(p.Try("ada", secret, ""))
			for _, name := range []string{"nobody", "nobody@example.org", "fresh", "", "' OR 1=1 --", strings.Repeat("n", 300)} {
				err := p.Try(name, secret, "")
				got := apperr.Details(err)
				if got.Kind != want.Kind || got.Message != want.Message || got.RetryAfter != want.RetryAfter || err.Error() != want.Error() {
					p.T.Errorf("%q: %v, want the answer of a wrong password: %v", name, err, want)
				}
			}
		}
	})
}

// TestSuccessClears checks that the right password clears the failures of its
// account, but not those of its network address.
func TestSuccessClears(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.T.Context()
		p.Join("ada")
		p.Join("mallory")
		wrong := p.Credentials("ada")
		wrong.Password = "wrong"
		for range 4 {
			_, err := p.Login(ctx, wrong)
			wantKind(p.T, "wrong", err, apperr.Unauthorized)
		}
		p.SignIn("ada")
		for range 4 {
			_, err := p.Login(ctx, wrong)
			wantKind(p.T, "wrong again", err, apperr.Unauthorized)
		}
		for range 20 {
			p.SignIn("mallory") // the attacker's own account does not help
		}
		p.Clock.Advance(time.Minute) // past the limit of attempts
		for i := range 12 {
			wrong.Identifier = fmt.Sprintf("victim%d", i)
			_, err := p.Login(ctx, wrong)
			wantKind(p.T, "the address's failure", err, apperr.Unauthorized)
		}
		_, err := p.Login(ctx, p.Credentials("mallory"))
		wantWait(p.T, "after 20 failures of the address", err, 10*time.Minute)
		p.Clock.Advance(10*time.Minute - time.Second)
		_, err = p.Login(ctx, p.Credentials("mallory"))
		wantWait(p.T, "a second too early", err, time.Second)
		p.Clock.Advance(time.Second)
		p.SignIn("mallory")
	})
}

func TestAttemptsPerAddress(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.Join("ada")
		p.Clock.Advance(time.Hour)
		for range 60 {
			p.SignIn("ada")
		}
		_, err := p.Login(p.T.Context(), p.Credentials("ada"))
		wantWait(p.T, "61st attempt of a minute", err, time.Minute)
		p.Clock.Advance(time.Minute)
		p.SignIn("ada")
	})
}

// TestNetworks checks that IPv6 is counted by /64, and that all spellings of an
// address share one bucket.
func TestNetworks(t *testing.T) {
	tests := []struct {
		name, a, b string
		shared     bool
	}{
		{"one /64", "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		{"two /64", "2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"v4-mapped", "192.0.2.1", "::ffff:192.0.2.1", true},
		{"two v4-mapped", "::ffff:192.0.2.10", "::ffff:192.0.2.11", false},
		{"zones", "fe80::1%eth0", "fe80::1%eth1", true},
		{"neighbours", "198.51.100.1", "198.51.100.2", false},
	}
	each(t, limited, func(p *portal) {
		ctx := p.T.Context()
		p.Join("ada")
		for _, test := range tests {
			for i := range 20 {
				name := fmt.Sprintf("%s %d", test.name, i)
				_, err := p.Login(ctx, auth.Login{Identifier: name, Password: "wrong", Client: from(test.a)})
				wantKind(p.T, name, err, apperr.Unauthorized)
			}
			login := p.Credentials("ada")
			login.Client = from(test.b)
			_, err := p.Login(ctx, login)
			if got := apperr.KindOf(err) == apperr.TooMany; got != test.shared {
				p.T.Errorf("%s: %s refused after failures of %s: %v, want %v (%v)", test.name, test.b, test.a, got, test.shared, err)
			}
			p.Clock.Advance(time.Hour)
		}
	})
}

// TestKnownDevice checks that the owner's browser can sign in while strangers lock
// the account, with its own limit, and that a device cookie does not help with
// other accounts.
func TestKnownDevice(t *testing.T) {
	each(t, limited, func(p *portal) {
		owner, mallory := p.Join("ada"), p.Join("mallory")
		if owner.Device == "" || owner.Device == mallory.Device {
			p.T.Fatal("sign-up gives no device of its own")
		}
		for range 6 {
			_ = p.Try("ada", "wrong", "")
		}
		for name, device := range map[string]string{"none": "", "made up": models.NewID(), "of another person": mallory.Device} {
			wantWait(p.T, "device "+name, p.Try("ada", goodPassword, device), 30*time.Second)
		}
		wantKind(p.T, "the owner's device", p.Try("ada", goodPassword, owner.Device), "")
		p.wantPaused("ada", limit.Pauses{Pages: models.Pause{Until: p.Clock.Now().Add(15 * time.Second)}}) // half of the pause before
		wantKind(p.T, "the owner's device", p.Try("ada", goodPassword, owner.Device), "")
		wantWait(p.T, "a stranger after two successes", p.Try("ada", goodPassword, ""), 7500*time.Millisecond)
		for range 10 {
			wantKind(p.T, "wrong on the owner's device", p.Try("ada", "wrong", owner.Device), apperr.Unauthorized)
		}
		wantWait(p.T, "11th on the owner's device", p.Try("ada", goodPassword, owner.Device), 15*time.Minute)
		p.Clock.Advance(15 * time.Minute)
		wantKind(p.T, "after the wait", p.Try("ada", goodPassword, owner.Device), "")
		in, err := p.Login(p.T.Context(), auth.Login{Identifier: "ada", Password: goodPassword, Device: mallory.Device, Client: p.Client})
		if err != nil || in.Device == "" || in.Device == mallory.Device {
			p.T.Errorf("a planted device cookie became the owner's: %v, %+v", err, in)
		}
		login := p.Credentials("ada")
		login.Device = owner.Device
		if in, err := p.Login(p.T.Context(), login); err != nil || in.Device != "" {
			p.T.Errorf("the owner's device gets another cookie: %v, %+v", err, in)
		}
	})
}

// TestLockedOut checks that a hundred failures without a success lock the account
// for strangers until an admin clears the limits or the password is reset (NIST SP
// 800-63B-4).
func TestLockedOut(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.T.Context()
		owner := p.Join("ada")
		user := p.User("ada")
		lock := func() {
			p.T.Helper()
			for i := range 100 {
				if err := p.Try("ada", "wrong", ""); apperr.KindOf(err) != apperr.Unauthorized {
					p.T.Fatalf("failure %d: %v", i+1, err)
				}
				p.Clock.Advance(20 * time.Minute)
			}
			p.Pass(30 * 24 * time.Hour)
			err := p.Try("ada", goodPassword, "")
			if apperr.KindOf(err) != apperr.Locked {
				p.T.Errorf("after 100 failures: %v, want it locked", err)
			}
			p.wantPaused("ada", limit.Pauses{Pages: models.Pause{Locked: true}})
		}
		lock()
		wantKind(p.T, "the owner's device", p.Try("ada", goodPassword, owner.Device), "")
		err := p.Try("ada", goodPassword, "")
		wantKind(p.T, "a stranger after the owner", err, apperr.Locked)
		if _, err := p.Accounts.Unlock(ctx, auth.Shell(), user.ID); err != nil {
			p.T.Fatal(err)
		}
		wantKind(p.T, "after the unlock", p.Try("ada", goodPassword, ""), "")

		lock()
		_, token, err := p.Accounts.CreateResetLink(ctx, auth.Shell(), user.ID)
		if err != nil {
			p.T.Fatal(err)
		}
		if _, err := p.Accounts.ResetPassword(ctx, account.Reset{Token: token, Password: "another-" + goodPassword, Client: p.Client}); err != nil {
			p.T.Fatal(err)
		}
		wantKind(p.T, "after the reset", p.Try("ada", "another-"+goodPassword, ""), "")
	})
}

// TestParallelGuesses checks that attempts are counted before passwords are
// compared.
func TestParallelGuesses(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.Join("ada")
		for _, name := range []string{"ada", "nobody"} {
			var compared atomic.Int64
			parallel(40, func(i int) {
				_, err := p.Login(p.T.Context(), auth.Login{Identifier: name, Password: "wrong", Client: from(fmt.Sprintf("203.0.113.%d", i))})
				switch apperr.KindOf(err) {
				case apperr.Unauthorized:
					compared.Add(1)
				case apperr.TooMany:
				default:
					p.T.Errorf("%s: %v", name, err)
				}
			})
			if got := compared.Load(); got != 5 {
				p.T.Errorf("%s: %d of 40 parallel guesses were compared, want 5", name, got)
			}
		}
	})
}

// TestLeavingCostsNothing checks that a client that disconnects at any moment of a
// sign-in with the right password is not counted as a failure.
func TestLeavingCostsNothing(t *testing.T) {
	var looked, leaveAt int
	var leave context.CancelFunc
	change := func(o *servicetest.Options) {
		limited(o)
		now := o.Now
		o.Now = func() time.Time {
			if looked++; looked == leaveAt {
				leave()
			}
			return now()
		}
	}
	each(t, change, func(p *portal) {
		p.Join("ada")
		grant := oauth.PasswordGrant{Username: "ada", Password: goodPassword}
		for name, signIn := range map[string]func(ctx context.Context) error{
			"form":  func(ctx context.Context) error { _, err := p.Login(ctx, p.Credentials("ada")); return err },
			"grant": func(ctx context.Context) error { _, err := p.OAuth.PasswordGrant(ctx, grant, p.Client); return err },
		} {
			left := 0
			for at := range 6 {
				for range 6 { // an account has five attempts
					var ctx context.Context
					ctx, leave = context.WithCancel(p.T.Context())
					looked, leaveAt = 0, at+1
					if err := signIn(ctx); err != nil {
						left++
						wantKind(p.T, fmt.Sprintf("%s, left at %d", name, at), err, apperr.Canceled)
					}
					leave()
					leaveAt = 0
				}
				p.Clock.Advance(time.Minute) // past the limits of the address
			}
			if left < 18 {
				p.T.Errorf("%s: only %d sign-ins were interrupted", name, left)
			}
		}
		wantKind(p.T, "afterwards", p.Try("ada", goodPassword, ""), "")
	})
}

// TestFailureIsNoRefusal checks that the API does not return a refusal that could
// not be recorded in the audit log.
func TestFailureIsNoRefusal(t *testing.T) {
	left := -100 // how often the clock is read until the caller disconnects
	var leave context.CancelFunc
	change := func(o *servicetest.Options) {
		limited(o)
		now := o.Now
		o.Now = func() time.Time {
			if left--; left == 0 {
				leave()
			}
			return now()
		}
	}
	each(t, change, func(p *portal) {
		p.Join("ada")
		if _, _, err := p.Accounts.Disable(p.T.Context(), auth.Shell(), p.User("ada").ID, ""); err != nil {
			p.T.Fatal(err)
		}
		for at := range 4 {
			var ctx context.Context
			ctx, leave = context.WithCancel(p.T.Context())
			left = at + 1
			_, err := p.OAuth.PasswordGrant(ctx, oauth.PasswordGrant{Username: "ada", Password: goodPassword}, p.Client)
			if left > 0 {
				p.T.Fatalf("the clock was looked at %d times too few", left)
			}
			left = -100
			leave()
			if wantKind(p.T, "grant", err, apperr.Canceled); errors.Is(err, oauth.ErrInvalidGrant) {
				p.T.Errorf("disconnected at %d: %v", at, err)
			}
			if n := p.Events(audit.LoginDisabled); n != 0 {
				p.T.Errorf("disconnected at %d: %d events", at, n)
			}
		}
	})
}

// TestAPICountsApart checks that guesses over the API do not pause sign-in on the
// pages, have the same limits there, and are cleared by the same action.
func TestAPICountsApart(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.T.Context()
		p.Join("ada")
		guess := func(name, password string, i int) error {
			_, err := p.OAuth.PasswordGrant(ctx, oauth.PasswordGrant{Username: name, Password: password}, from(fmt.Sprintf("203.0.113.%d", i)))
			return err
		}
		for _, name := range []string{"ada", "nobody-here"} {
			for i := range 5 {
				if err := guess(name, "wrong", i); !errors.Is(err, oauth.ErrInvalidGrant) {
					p.T.Errorf("%s, guess %d over the API: %v", name, i+1, err)
				}
			}
			wantWait(p.T, name+" over the API", guess(name, goodPassword, 6), 30*time.Second)
			if name == "ada" {
				p.wantPaused("ada", limit.Pauses{API: models.Pause{Until: p.Clock.Now().Add(30 * time.Second)}})
			}
			for range 5 {
				wantKind(p.T, name+" on the pages", p.Try(name, "wrong", ""), apperr.Unauthorized)
			}
			wantWait(p.T, name+" on the pages", p.Try(name, goodPassword, ""), 30*time.Second)
		}
		wait := models.Pause{Until: p.Clock.Now().Add(30 * time.Second)}
		p.wantPaused("ada", limit.Pauses{Pages: wait, API: wait})
		if _, err := p.Accounts.Unlock(ctx, auth.Shell(), p.User("ada").ID); err != nil {
			p.T.Fatal(err)
		}
		wantKind(p.T, "on the pages after the unlock", p.Try("ada", goodPassword, ""), "")
		if err := guess("ada", goodPassword, 7); err != nil {
			p.T.Errorf("over the API after the unlock: %v", err)
		}
	})
}

// TestWiderNetworks checks that a client that uses many /64s of a larger IPv6
// network is limited by that network too.
func TestWiderNetworks(t *testing.T) {
	for _, test := range []struct {
		name, address string // with a place for the number of the network
		want          int
	}{
		{"a /56", "2001:db8:0:aa%02x::1", 60},
		{"a /48", "2001:db8:0:%02x00::1", 200},
	} {
		each(t, limited, func(p *portal) {
			wrong := 0
			for i := range 250 {
				_, err := p.Login(p.T.Context(), auth.Login{
					Identifier: fmt.Sprintf("nobody%d", i), Password: "wrong", Client: from(fmt.Sprintf(test.address, i)),
				})
				if apperr.KindOf(err) == apperr.Unauthorized {
					wrong++
				}
			}
			if wrong != test.want {
				p.T.Errorf("%s: %d wrong passwords were let through, want %d", test.name, wrong, test.want)
			}
		})
	}
}
