package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/password"
	"latchkey/models"
)

// try signs in from an address of its own each time, so that limits of
// addresses stay out of what is tested.
func (p *portal) try(name, password, device string) error {
	p.tries++
	_, err := p.Login(p.t.Context(), auth.Login{
		Identifier: name, Password: password, Device: device,
		Client: from(fmt.Sprintf("10.%d.%d.%d", p.tries>>16, p.tries>>8&255, p.tries&255)),
	})
	return err
}

// wantWait checks that an error says to wait, and how long.
func wantWait(t *testing.T, what string, err error, want time.Duration) {
	t.Helper()
	if got := apperr.Details(err).RetryAfter; apperr.KindOf(err) != apperr.TooMany || got != want {
		t.Errorf("%s: %v, wait %v; want to wait %v", what, err, got, want)
	}
}

// TestAccountLimit goes through the waits of docs/security.md, "Limits". Known and
// unknown accounts have the same.
func TestAccountLimit(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.signUp("ada")
		for _, name := range []string{"ada", "nobody-here", "nobody@example.org"} {
			for i := range 5 {
				wantKind(p.t, fmt.Sprintf("%s, attempt %d", name, i+1), p.try(name, "wrong", ""), apperr.Unauthorized)
			}
			for _, wait := range []time.Duration{
				30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute,
			} {
				wantWait(p.t, name+", wrong", p.try(name, "wrong", ""), wait)
				wantWait(p.t, name+", right", p.try(name, goodPassword, ""), wait)
				p.clock.advance(wait - time.Millisecond)
				wantWait(p.t, name+", a moment too early", p.try(name, goodPassword, ""), time.Second)
				p.clock.advance(time.Millisecond)
				wantKind(p.t, name+", after the wait", p.try(name, "wrong", ""), apperr.Unauthorized)
			}
			p.clock.advance(24 * time.Hour)
			for range 5 {
				wantKind(p.t, name+", a day later", p.try(name, "wrong", ""), apperr.Unauthorized)
			}
			wantWait(p.t, name+", a day later", p.try(name, "wrong", ""), 30*time.Second)
		}
	})
}

// TestLimitSpelling: one account is one bucket, whatever it is called.
func TestLimitSpelling(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.signUp("ada")
		for _, names := range [][]string{
			{"ada", "ADA", "ada@example.org", " Ada ", "ADA@Example.ORG"},
			{"nobody-here", "NOBODY-here", " nobody-here", "Nobody-Here\t", "nobody-herE"},
			{"nobody@example.org", "Nobody@Example.org", "NOBODY@EXAMPLE.ORG", " nobody@example.org", "noBody@example.org"},
		} {
			for _, name := range names {
				wantKind(p.t, name, p.try(name, "wrong", ""), apperr.Unauthorized)
			}
			for _, name := range names {
				wantWait(p.t, name, p.try(name, goodPassword, ""), 30*time.Second)
			}
		}
	})
}

// TestOtherLetters: letters that only look like those of a username, or fold to
// them elsewhere, are another name, for one that exists and for one that does
// not.
func TestOtherLetters(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.signUp("kevin")
		for _, name := range []string{"kevin", "kirsten"} {
			for range 5 {
				wantKind(p.t, name+" with a Kelvin sign", p.try("\u212a"+name[1:], "wrong", ""), apperr.Unauthorized)
			}
			wantKind(p.t, name, p.try(name, "wrong", ""), apperr.Unauthorized)
		}
	})
}

// TestSameAnswer: a stranger cannot tell who has an account.
func TestSameAnswer(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.signUp("ada")
		if _, _, err := p.CreateUser(p.t.Context(), auth.Shell(), auth.NewUser{Account: account("fresh"), Role: models.RoleUser}); err != nil {
			p.t.Fatal(err)
		}
		for _, secret := range []string{"", "wrong", strings.Repeat("x", password.MaxBytes+1)} {
			want := apperr.Details(p.try("ada", secret, ""))
			for _, name := range []string{"nobody", "nobody@example.org", "fresh", "", "' OR 1=1 --", strings.Repeat("n", 300)} {
				err := p.try(name, secret, "")
				got := apperr.Details(err)
				if got.Kind != want.Kind || got.Message != want.Message || got.RetryAfter != want.RetryAfter || err.Error() != want.Error() {
					p.t.Errorf("%q: %v, want the answer of a wrong password: %v", name, err, want)
				}
			}
		}
	})
}

// TestSuccessClears: a right password clears its account's failures, and not
// those of the address it came from.
func TestSuccessClears(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.t.Context()
		p.signUp("ada")
		p.signUp("mallory")
		wrong := p.credentials("ada")
		wrong.Password = "wrong"
		for range 4 {
			_, err := p.Login(ctx, wrong)
			wantKind(p.t, "wrong", err, apperr.Unauthorized)
		}
		p.login("ada")
		for range 4 {
			_, err := p.Login(ctx, wrong)
			wantKind(p.t, "wrong again", err, apperr.Unauthorized)
		}
		for range 20 {
			p.login("mallory") // an account of one's own buys nothing
		}
		p.clock.advance(time.Minute) // past the limit of attempts
		for i := range 12 {
			wrong.Identifier = fmt.Sprintf("victim%d", i)
			_, err := p.Login(ctx, wrong)
			wantKind(p.t, "the address's failure", err, apperr.Unauthorized)
		}
		_, err := p.Login(ctx, p.credentials("mallory"))
		wantWait(p.t, "after 20 failures of the address", err, 10*time.Minute)
		p.clock.advance(10*time.Minute - time.Second)
		_, err = p.Login(ctx, p.credentials("mallory"))
		wantWait(p.t, "a second too early", err, time.Second)
		p.clock.advance(time.Second)
		p.login("mallory")
	})
}

func TestAttemptsPerAddress(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.signUp("ada")
		p.clock.advance(time.Hour)
		for range 60 {
			p.login("ada")
		}
		_, err := p.Login(p.t.Context(), p.credentials("ada"))
		wantWait(p.t, "61st attempt of a minute", err, time.Minute)
		p.clock.advance(time.Minute)
		p.login("ada")
	})
}

// TestNetworks: IPv6 is counted by /64, and one address has one bucket however
// it is written.
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
		ctx := p.t.Context()
		p.signUp("ada")
		for _, test := range tests {
			for i := range 20 {
				name := fmt.Sprintf("%s %d", test.name, i)
				_, err := p.Login(ctx, auth.Login{Identifier: name, Password: "wrong", Client: from(test.a)})
				wantKind(p.t, name, err, apperr.Unauthorized)
			}
			login := p.credentials("ada")
			login.Client = from(test.b)
			_, err := p.Login(ctx, login)
			if got := apperr.KindOf(err) == apperr.TooMany; got != test.shared {
				p.t.Errorf("%s: %s refused after failures of %s: %v, want %v (%v)", test.name, test.b, test.a, got, test.shared, err)
			}
			p.clock.advance(time.Hour)
		}
	})
}

// TestKnownDevice: strangers lock an account, and its owner's browser still
// gets in, with a limit of its own. A device cookie opens no other account.
func TestKnownDevice(t *testing.T) {
	each(t, limited, func(p *portal) {
		owner, mallory := p.signUp("ada"), p.signUp("mallory")
		if owner.Device == "" || owner.Device == mallory.Device {
			p.t.Fatal("sign-up gives no device of its own")
		}
		for range 6 {
			_ = p.try("ada", "wrong", "")
		}
		for name, device := range map[string]string{"none": "", "made up": models.NewID(), "of another person": mallory.Device} {
			wantWait(p.t, "device "+name, p.try("ada", goodPassword, device), 30*time.Second)
		}
		wantKind(p.t, "the owner's device", p.try("ada", goodPassword, owner.Device), "")
		p.wantPaused("ada", models.Pause{Until: p.clock.now().Add(30 * time.Second)})
		for range 10 {
			wantKind(p.t, "wrong on the owner's device", p.try("ada", "wrong", owner.Device), apperr.Unauthorized)
		}
		wantWait(p.t, "11th on the owner's device", p.try("ada", goodPassword, owner.Device), 15*time.Minute)
		p.clock.advance(15 * time.Minute)
		wantKind(p.t, "after the wait", p.try("ada", goodPassword, owner.Device), "")
		in, err := p.Login(p.t.Context(), auth.Login{Identifier: "ada", Password: goodPassword, Device: mallory.Device, Client: p.client})
		if err != nil || in.Device == "" || in.Device == mallory.Device {
			p.t.Errorf("a planted device cookie became the owner's: %v, %+v", err, in)
		}
		login := p.credentials("ada")
		login.Device = owner.Device
		if in, err := p.Login(p.t.Context(), login); err != nil || in.Device != "" {
			p.t.Errorf("the owner's device gets another cookie: %v, %+v", err, in)
		}
	})
}

// TestLockedOut: a hundred failures without a success shut strangers out until
// an admin unlocks the account or its password is reset (NIST SP 800-63B-4).
func TestLockedOut(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.t.Context()
		owner := p.signUp("ada")
		user := p.user("ada")
		lock := func() {
			p.t.Helper()
			for i := range 100 {
				if err := p.try("ada", "wrong", ""); apperr.KindOf(err) != apperr.Unauthorized {
					p.t.Fatalf("failure %d: %v", i+1, err)
				}
				p.clock.advance(20 * time.Minute)
			}
			p.clock.advance(30 * 24 * time.Hour)
			p.purge()
			err := p.try("ada", goodPassword, "")
			if apperr.KindOf(err) != apperr.Locked {
				p.t.Errorf("after 100 failures: %v, want it locked", err)
			}
			p.wantPaused("ada", models.Pause{Locked: true})
		}
		lock()
		wantKind(p.t, "the owner's device", p.try("ada", goodPassword, owner.Device), "")
		err := p.try("ada", goodPassword, "")
		wantKind(p.t, "a stranger after the owner", err, apperr.Locked)
		if _, err := p.Unlock(ctx, auth.Shell(), user.ID); err != nil {
			p.t.Fatal(err)
		}
		wantKind(p.t, "after the unlock", p.try("ada", goodPassword, ""), "")

		lock()
		_, token, err := p.CreateResetLink(ctx, auth.Shell(), user.ID)
		if err != nil {
			p.t.Fatal(err)
		}
		if err := p.ResetPassword(ctx, token, "another-"+goodPassword, p.client); err != nil {
			p.t.Fatal(err)
		}
		wantKind(p.t, "after the reset", p.try("ada", "another-"+goodPassword, ""), "")
	})
}

// TestParallelGuesses: attempts are counted before they are made.
func TestParallelGuesses(t *testing.T) {
	each(t, limited, func(p *portal) {
		p.signUp("ada")
		for _, name := range []string{"ada", "nobody"} {
			var compared atomic.Int64
			parallel(40, func(i int) {
				_, err := p.Login(p.t.Context(), auth.Login{Identifier: name, Password: "wrong", Client: from(fmt.Sprintf("203.0.113.%d", i))})
				switch apperr.KindOf(err) {
				case apperr.Unauthorized:
					compared.Add(1)
				case apperr.TooMany:
				default:
					p.t.Errorf("%s: %v", name, err)
				}
			})
			if got := compared.Load(); got != 5 {
				p.t.Errorf("%s: %d of 40 parallel guesses were compared, want 5", name, got)
			}
		}
	})
}

// TestLeavingCostsNothing: whoever goes away in the middle of a sign-in, at
// whatever moment, has not failed with a right password.
func TestLeavingCostsNothing(t *testing.T) {
	var looked, leaveAt int
	var leave context.CancelFunc
	change := func(o *auth.Options) {
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
		p.signUp("ada")
		grant := auth.PasswordGrant{Username: "ada", Password: goodPassword}
		for name, signIn := range map[string]func(ctx context.Context) error{
			"form":  func(ctx context.Context) error { _, err := p.Login(ctx, p.credentials("ada")); return err },
			"grant": func(ctx context.Context) error { _, err := p.PasswordGrant(ctx, grant, p.client); return err },
		} {
			left := 0
			for at := range 6 {
				for range 6 { // an account has five attempts
					var ctx context.Context
					ctx, leave = context.WithCancel(p.t.Context())
					looked, leaveAt = 0, at+1
					if err := signIn(ctx); err != nil {
						left++
						wantKind(p.t, fmt.Sprintf("%s, left at %d", name, at), err, apperr.Canceled)
					}
					leave()
					leaveAt = 0
				}
				p.clock.advance(time.Minute) // past the limits of the address
			}
			if left < 18 {
				p.t.Errorf("%s: only %d were left in the middle", name, left)
			}
		}
		wantKind(p.t, "afterwards", p.try("ada", goodPassword, ""), "")
	})
}

// TestFailureIsNoRefusal: when a refusal could not be put into the audit log,
// the API does not give it as the answer.
func TestFailureIsNoRefusal(t *testing.T) {
	left := -100 // how many looks at the clock until the caller goes away
	var leave context.CancelFunc
	change := func(o *auth.Options) {
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
		p.signUp("ada")
		if _, _, err := p.Disable(p.t.Context(), auth.Shell(), p.user("ada").ID, ""); err != nil {
			p.t.Fatal(err)
		}
		for at := range 5 {
			var ctx context.Context
			ctx, leave = context.WithCancel(p.t.Context())
			left = at + 1
			_, err := p.PasswordGrant(ctx, auth.PasswordGrant{Username: "ada", Password: goodPassword}, p.client)
			if left > 0 {
				p.t.Fatalf("the clock was looked at %d times too few", left)
			}
			left = -100
			leave()
			if wantKind(p.t, "grant", err, apperr.Canceled); errors.Is(err, auth.ErrInvalidGrant) {
				p.t.Errorf("left at %d: %v", at, err)
			}
			if n := p.events(audit.LoginDisabled); n != 0 {
				p.t.Errorf("left at %d: %d events", at, n)
			}
		}
	})
}
