package account_test

import (
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/internal/mail"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

func verifying(o *servicetest.Options) { o.Mail, o.Verify = true, account.VerifyOn }

// begin signs up with the address name@example.org.
func (p *portal) begin(name string) account.Joining {
	p.T.Helper()
	joining, err := p.Accounts.BeginSignUp(p.T.Context(), account.Signup{Account: profile(name), Password: goodPassword, Client: p.Client})
	if err != nil {
		p.T.Fatalf("sign up %s: %v", name, err)
	}
	return joining
}

// letter delivers the mail and returns the latest message to an address.
func (p *portal) letter(to string) mail.Message {
	p.T.Helper()
	p.Deliver(p.T)
	list := p.Mailbox.To(to)
	if len(list) == 0 {
		p.T.Fatalf("no letter to %s", to)
	}
	return list[len(list)-1]
}

func (p *portal) link(to string) account.Confirmation {
	p.T.Helper()
	return account.Confirmation{ByLink: true, Token: servicetest.LinkIn(p.letter(to), "/verify"), Client: p.Client}
}

// TestConfirmRace confirms one link twenty times at once, in browsers that signed up
// and others: exactly one succeeds, and the account is verified.
func TestConfirmRace(t *testing.T) {
	each(t, verifying, func(p *portal) {
		joining := p.begin("ada")
		in := p.link("ada@example.org")
		var won atomic.Int64
		parallel(20, func(i int) {
			try := in
			if i%2 == 0 {
				try.Joining = joining
			}
			done, err := p.Accounts.Confirm(p.T.Context(), try)
			if err != nil {
				wantKind(p.T, "a second confirmation", err, apperr.Conflict)
				return
			}
			won.Add(1)
			if (done.SignedIn != nil) != (try.Joining == joining) {
				p.T.Errorf("signed in %v in the browser with %+v", done.SignedIn != nil, try.Joining)
			}
		})
		if got := won.Load(); got != 1 {
			t.Errorf("the link worked %d times, want once", got)
		}
		if p.User("ada").EmailVerifiedAt.IsZero() {
			t.Error("the address is not verified")
		}
	})
}

// TestBeginRace signs up twenty times at once with one address: one account, and
// nobody learns which sign-up it is.
func TestBeginRace(t *testing.T) {
	each(t, verifying, func(p *portal) {
		parallel(20, func(i int) {
			name := "name" + string(rune('a'+i))
			_, err := p.Accounts.BeginSignUp(p.T.Context(), account.Signup{
				Account: account.Profile{Username: name, Email: "ada@example.org"}, Password: goodPassword, Client: p.Client,
			})
			if err != nil {
				p.T.Errorf("sign up: %v", err)
			}
		})
		if all, err := p.Store.Users.Figures(t.Context()); err != nil || all.Total != 1 {
			t.Errorf("got %d accounts (%v), want 1", all.Total, err)
		}
	})
}

// TestConfirmThief checks that nobody can verify an address without a letter to it,
// or act for an account that someone else uses.
func TestConfirmThief(t *testing.T) {
	each(t, verifying, func(p *portal) {
		// The thief's own link does not verify the victim's address.
		p.begin("victim")
		p.begin("thief")
		if _, err := p.Accounts.Confirm(t.Context(), p.link("thief@example.org")); err != nil {
			t.Fatal(err)
		}
		if !p.User("victim").EmailVerifiedAt.IsZero() {
			t.Error("another account's link has verified the address")
		}
		// A code belongs to one account.
		code := regexp.MustCompile(`(?m)^[2-9A-Z]{4} [2-9A-Z]{4}$`).FindString(p.letter("victim@example.org").Text)
		thief := p.SignIn("thief")
		_, err := p.Accounts.Confirm(t.Context(), account.Confirmation{Code: code, Identity: p.Identity(thief.Tokens), Client: p.Client})
		if got := fieldsOf(err); len(got) != 1 || got[0] != "code" {
			t.Errorf("another account's code: %v", err)
		}

		// Once someone has signed in, the browser that signed up cannot act for the
		// account any more.
		squatter := p.begin("squatter")
		if _, err := p.Login(t.Context(), p.Credentials("squatter")); err != nil {
			t.Fatal(err)
		}
		if joins, err := p.Accounts.Joins(t.Context(), squatter); joins || err != nil {
			t.Errorf("after a sign-in the sign-up goes on: %v (%v)", joins, err)
		}
		next, err := p.Accounts.ContinueSignUp(t.Context(), squatter, "thief2@example.org", p.Client)
		if err != nil || p.User("squatter").Email != "squatter@example.org" {
			t.Errorf("the address has changed: %+v (%v)", next, err)
		}
	})
}

// TestConfirmMailedReset checks that a set-password link that was mailed verifies the
// address, and that one that an admin was shown does not.
func TestConfirmMailedReset(t *testing.T) {
	each(t, verifying, func(p *portal) {
		p.begin("ada")
		p.begin("bob")
		reset := func(name, mailedTo string) {
			user := p.User(name)
			token := models.NewID()
			err := p.Store.Tokens.Create(t.Context(), &models.OneTimeToken{
				TokenHash: models.HashToken(token), Purpose: models.PurposeSetPassword, UserID: &user.ID, Email: mailedTo,
				CreatedAt: models.At(p.Clock.Now()), ExpiresAt: models.At(p.Clock.Now().Add(time.Hour)),
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Accounts.ResetPassword(t.Context(), account.Reset{Token: token, Password: "another-long-mosaic-9", Client: p.Client}); err != nil {
				t.Fatal(err)
			}
		}
		for _, test := range []struct {
			name, mailedTo string
			want           bool
		}{
			{"bob", "", false},
			{"bob", "bob@other.example", false},
			{"ada", "ADA@example.org", true},
		} {
			reset(test.name, test.mailedTo)
			if got := !p.User(test.name).EmailVerifiedAt.IsZero(); got != test.want {
				t.Errorf("%s, mailed to %q: verified %v, want %v", test.name, test.mailedTo, got, test.want)
			}
		}
	})
}

// TestAddressKept checks that nobody can take an address that its earlier account
// can still get back, on any road.
func TestAddressKept(t *testing.T) {
	each(t, nil, func(p *portal) {
		ada := p.Join("ada")
		if _, err := p.Accounts.ChangeEmail(t.Context(), p.Change(ada, "ada@new.example")); err != nil {
			t.Fatal(err)
		}
		bob := p.Join("bob")
		roads := map[string]func() error{
			"sign-up": func() error {
				_, err := p.Accounts.SignUp(t.Context(), account.Signup{
					Account: account.Profile{Username: "eve", Email: "ADA@example.org"}, Password: goodPassword, Client: p.Client,
				})
				return err
			},
			"an admin's new account": func() error {
				_, _, err := p.Accounts.CreateUser(t.Context(), auth.Shell(), account.NewUser{
					Account: account.Profile{Username: "eve", Email: "ada@example.org"}, Role: models.RoleUser,
				})
				return err
			},
			"an admin's edit": func() error {
				_, _, err := p.Accounts.EditUser(t.Context(), auth.Shell(), p.User("bob").ID, account.Edit{
					Account: account.Profile{Username: "bob", Email: "ada@example.org"},
				})
				return err
			},
			"a change": func() error {
				_, err := p.Accounts.ChangeEmail(t.Context(), p.Change(bob, "ada@example.org"))
				return err
			},
		}
		for name, take := range roads {
			if got := fieldsOf(take()); len(got) != 1 || got[0] != "email" {
				t.Errorf("%s: got wrong fields %v, want email", name, got)
			}
		}
		p.Clock.Advance(models.KeepEmail + time.Second)
		if err := roads["an admin's edit"](); err != nil {
			t.Errorf("after a week: %v", err)
		}
	})
}

// TestTakenLetters checks that strangers cannot fill the inbox of an account.
func TestTakenLetters(t *testing.T) {
	each(t, func(o *servicetest.Options) { verifying(o); limited(o) }, func(p *portal) {
		p.begin("ada")
		for i := range 20 {
			client := from("10.0.0." + string(rune('1'+i%9)))
			_, err := p.Accounts.BeginSignUp(t.Context(), account.Signup{
				Account:  account.Profile{Username: "eve" + string(rune('a'+i)), Email: "ada@example.org"},
				Password: goodPassword, Client: client,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		p.Deliver(t)
		if got := len(p.Mailbox.To("ada@example.org")); got != 5 { // with the one that asks to confirm it
			t.Errorf("got %d letters, want 5", got)
		}
		// The account can still ask for its own.
		ada, err := p.Login(t.Context(), p.Credentials("ada"))
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := p.Accounts.SendAgain(t.Context(), p.Identity(ada.Tokens), p.Client); err != nil {
				t.Fatal(err)
			}
		}
		_, err = p.Accounts.SendAgain(t.Context(), p.Identity(ada.Tokens), p.Client)
		wantWait(t, "a fourth letter", err, time.Hour)
		p.Deliver(t)
		if got := len(p.Mailbox.To("ada@example.org")); got != 8 {
			t.Errorf("got %d letters, want 8", got)
		}
	})
}
