package account_test

import (
	"strings"
	"testing"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/auth/factor"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// factorChange is a change of the second step by someone who just signed in.
func factorChange(p *servicetest.Portal, in *auth.SignedIn) account.FactorChange {
	return account.FactorChange{
		Identity: p.Identity(in.Tokens), Device: in.Device, Client: p.Client,
		Presented: auth.Presented{Access: in.Tokens.Access, Refresh: in.Tokens.Refresh},
	}
}

// setUp sets up an app for a person who just signed in.
func setUp(p *servicetest.Portal, in *auth.SignedIn, secret []byte) account.AppSetUp {
	p.T.Helper()
	done, err := p.Accounts.SetUpApp(p.T.Context(), factorChange(p, in), secret, factor.Code(secret, factor.StepAt(p.Clock.Now())))
	if err != nil {
		p.T.Fatal(err)
	}
	return done
}

// TestStepEndsSessionsElsewhere checks that turning two-step sign-in on and off, removing
// a passkey and a reset end the other sessions at once for a second process on the same
// database.
func TestStepEndsSessionsElsewhere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		clock := servicetest.NewClock(servicetest.Start)
		here, there := servicetest.NewPortal(t, store, clock, nil), servicetest.NewPortal(t, store, clock, nil)
		first := here.Join("ada")
		other := there.SignIn("ada")
		there.Identity(other.Tokens)
		done := setUp(here, first, factor.NewSecret())
		there.WantOver(other.Tokens, models.ReasonTwoStep)
		there.Identity(done.SignedIn.Tokens)

		off, err := there.Accounts.TurnOffApp(t.Context(), factorChange(there, done.SignedIn))
		if err != nil {
			t.Fatal(err)
		}
		here.WantOver(done.SignedIn.Tokens, models.ReasonReplaced)
		mine := here.Identity(off.Tokens)

		key := &models.Passkey{ID: models.NewID(), UserID: mine.UserID, CredentialID: "id", RPID: "portal.example", Name: "Phone", PublicKey: "key"}
		if err := store.Passkeys.Create(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		other = there.SignIn("ada")
		there.Identity(other.Tokens)
		if _, _, err := here.Accounts.RemovePasskey(t.Context(), mine, key.ID, here.Client); err != nil {
			t.Fatal(err)
		}
		there.WantOver(other.Tokens, models.ReasonPasskey)
		there.Identity(off.Tokens)

		setUp(here, off, factor.NewSecret())
		live, err := store.Sessions.Live(t.Context(), mine.UserID, clock.Now())
		if err != nil || len(live) != 1 {
			t.Fatalf("%d sessions (%v)", len(live), err)
		}
		if _, ended, err := there.Accounts.ResetTwoStep(t.Context(), auth.Shell(), mine.UserID, ""); err != nil || ended != 1 {
			t.Errorf("the reset ended %d sessions (%v)", ended, err)
		}
	})
}

// TestStepOfEndedSession checks that a session that has ended changes no second step.
func TestStepOfEndedSession(t *testing.T) {
	servicetest.Each(t, nil, func(p *servicetest.Portal) {
		in := p.Join("ada")
		change := factorChange(p, in)
		secret := factor.NewSecret()
		if err := p.Auth.Logout(t.Context(), change.Presented, p.Client); err != nil {
			t.Fatal(err)
		}
		_, err := p.Accounts.SetUpApp(t.Context(), change, secret, factor.Code(secret, factor.StepAt(p.Clock.Now())))
		servicetest.WantKind(t, "set up", err, apperr.Unauthorized)
		_, err = p.Accounts.MakeCodes(t.Context(), change)
		servicetest.WantKind(t, "codes", err, apperr.Unauthorized)
		_, err = p.Accounts.TurnOffApp(t.Context(), change)
		servicetest.WantKind(t, "off", err, apperr.Unauthorized)
		factors, err := p.Store.Users.Factors(t.Context(), p.User("ada").ID)
		if factors.App || err != nil {
			t.Errorf("the account has an app (%v)", err)
		}
	})
}

// TestStepRequiredFor checks who cannot turn off their only second step.
func TestStepRequiredFor(t *testing.T) {
	for _, test := range []struct {
		policy  auth.StepPolicy
		admin   bool
		passkey bool
		want    apperr.Kind
	}{
		{auth.StepOff, true, false, ""},
		{auth.StepAdmins, false, false, ""},
		{auth.StepAdmins, true, false, apperr.Conflict},
		{auth.StepAll, false, false, apperr.Conflict},
		{auth.StepAll, false, true, ""},
	} {
		servicetest.Each(t, func(o *servicetest.Options) { o.RequireStep = test.policy }, func(p *servicetest.Portal) {
			if test.admin {
				p.Admin("ada")
			} else {
				p.Join("ada")
			}
			done := setUp(p, p.SignIn("ada"), factor.NewSecret())
			if test.passkey {
				key := &models.Passkey{ID: models.NewID(), UserID: p.User("ada").ID, CredentialID: models.NewID(), CreatedAt: models.At(p.Clock.Now())}
				if err := p.Store.Passkeys.Create(t.Context(), key); err != nil {
					t.Fatal(err)
				}
			}
			_, err := p.Accounts.TurnOffApp(t.Context(), factorChange(p, done.SignedIn))
			servicetest.WantKind(t, string(test.policy), err, test.want)
		})
	}
}

// TestResealApps changes the master secret: as long as the previous one is known, apps
// work, and the housekeeping seals their secrets so that it can be given up.
func TestResealApps(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		clock := servicetest.NewClock(servicetest.Start)
		fresh := []byte("another-secret-of-the-portal-that-is-32-bytes-long")
		before := servicetest.NewPortal(t, store, clock, nil)
		secret := factor.NewSecret()
		setUp(before, before.Join("ada"), secret)
		reseal := func(p *servicetest.Portal, want int) {
			t.Helper()
			if n, err := p.Auth.ResealApps(t.Context()); n != want || err != nil {
				t.Errorf("sealed %d secrets again (%v), want %d", n, err, want)
			}
		}
		reseal(before, 0)
		between := servicetest.NewPortal(t, store, clock, func(o *servicetest.Options) {
			o.Secret, o.PreviousSecret = fresh, []byte(servicetest.Secret)
		})
		stranger := servicetest.NewPortal(t, store, clock, func(o *servicetest.Options) {
			o.Secret, o.PreviousSecret = fresh, []byte("a-secret-that-this-portal-never-had-before-now")
		})
		reseal(stranger, 0) // nothing opens it: it stays
		reseal(between, 1)
		reseal(between, 0)
		after := servicetest.NewPortal(t, store, clock, func(o *servicetest.Options) { o.Secret = fresh })
		clock.Advance(factor.Step)
		outcome, err := after.Auth.Login(t.Context(), after.Credentials("ada"))
		if err != nil || outcome.Ticket == "" {
			t.Fatalf("got %+v (%v), want a ticket", outcome, err)
		}
		done, err := after.Auth.FinishLogin(t.Context(), auth.StepAttempt{
			Ticket: outcome.Ticket, Code: factor.Code(secret, factor.StepAt(clock.Now())), Client: after.Client,
		})
		if err != nil || done.SignedIn == nil {
			t.Errorf("the code is refused after the secret was sealed again: %+v (%v)", done, err)
		}
	})
}

// TestRecoveryLetter checks the letter about a sign-in with a recovery code: one, also in
// a new browser.
func TestRecoveryLetter(t *testing.T) {
	for known, want := range map[bool]string{
		true:  "one of your recovery codes. The code does not work again.",
		false: "one of your recovery codes, in a browser that you had not used before. The code does not work again.",
	} {
		servicetest.Each(t, func(o *servicetest.Options) { o.Mail = true }, func(p *servicetest.Portal) {
			in := p.Join("ada")
			codes := setUp(p, in, factor.NewSecret()).Codes
			p.Deliver(t)
			before := len(p.Mailbox.All())
			device := ""
			if known {
				device = in.Device
			}
			outcome, err := p.Auth.Login(t.Context(), p.Credentials("ada"))
			if err != nil {
				t.Fatal(err)
			}
			done, err := p.Auth.FinishLogin(t.Context(), auth.StepAttempt{
				Ticket: outcome.Ticket, Code: codes[3], Recovery: true, Device: device, Client: p.Client,
			})
			if err != nil || done.SignedIn == nil {
				t.Fatalf("got %+v (%v)", done, err)
			}
			p.Deliver(t)
			letters := p.Mailbox.All()[before:]
			if len(letters) != 1 || letters[0].Subject != "A recovery code was used to sign in" || !strings.Contains(unfolded(letters[0].Text), want) {
				t.Errorf("known device %t: got %+v, want one letter that says %q", known, letters, want)
			}
		})
	}
}

// unfolded returns a text on one line.
func unfolded(text string) string { return strings.Join(strings.Fields(text), " ") }
