package account_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

// TestCredentialChange checks that a new password or address ends every session and
// opens a new one for this browser, with the same settings.
func TestCredentialChange(t *testing.T) {
	tests := []struct {
		name     string
		remember bool
		reason   models.Reason
		action   string
		detail   string // of the line in the audit log
		change   func(p *portal, in *auth.SignedIn) (*auth.SignedIn, error)
	}{
		{"ada", true, models.ReasonPassword, audit.PasswordChange, "2 sessions ended", func(p *portal, in *auth.SignedIn) (*auth.SignedIn, error) {
			return p.Accounts.ChangePassword(p.T.Context(), p.Change(in, "another-"+goodPassword))
		}},
		{"bob", false, models.ReasonEmail, audit.EmailChange, "bob@example.org → New@example.org, 2 sessions ended", func(p *portal, in *auth.SignedIn) (*auth.SignedIn, error) {
			return p.Accounts.ChangeEmail(p.T.Context(), p.Change(in, "  New@example.org "))
		}},
	}
	each(t, nil, func(p *portal) {
		for _, test := range tests {
			other := p.Join(test.name)
			login := p.Credentials(test.name)
			login.Remember = test.remember
			here, err := p.Login(p.T.Context(), login)
			if err != nil {
				p.T.Fatal(err)
			}
			before := p.Identity(here.Tokens)
			p.Clock.Advance(time.Second)
			after, err := test.change(p, here)
			if err != nil {
				p.T.Fatal(err)
			}
			p.WantOver(other.Tokens, test.reason)
			p.WantOver(here.Tokens, models.ReasonReplaced)
			identity := p.Identity(after.Tokens)
			if identity.SessionID == before.SessionID || after.Tokens.Remember != test.remember || (after.Device != "") != (test.reason == models.ReasonPassword) {
				p.T.Errorf("%s: sid %v, was %v; %+v", test.reason, identity.SessionID, before.SessionID, after)
			}
			if test.reason == models.ReasonEmail && (identity.Email != "New@example.org" || p.User("NEW@EXAMPLE.ORG").ID != identity.UserID) {
				p.T.Errorf("the address is %q", identity.Email)
			}
			p.WantDetail(test.action, test.detail)
			if changed := p.User("ada").PasswordChangedAt == models.At(p.Clock.Now()); changed != (test.reason == models.ReasonPassword) {
				p.T.Errorf("%s: the password was changed: %v", test.reason, changed)
			}
		}
	})
}

func TestCredentialChangeRefused(t *testing.T) {
	each(t, nil, func(p *portal) {
		in := p.Join("ada")
		change := p.Change(in, "")
		for _, test := range []struct {
			name, current, value string
			want                 []string
		}{
			{"nothing", "", "", []string{"current_password", "new_password"}},
			{"the same", goodPassword, goodPassword, []string{"new_password"}},
			{"short", goodPassword, "short", []string{"new_password"}},
			{"common", goodPassword, "password1234", []string{"new_password"}},
			{"wrong current one", "wrong", "another-" + goodPassword, []string{"current_password"}},
		} {
			change := change
			change.Current, change.New = test.current, test.value
			_, err := p.Accounts.ChangePassword(p.T.Context(), change)
			if got := fieldsOf(err); !slices.Equal(got, test.want) {
				p.T.Errorf("password, %s: %v, want wrong fields %v", test.name, err, test.want)
			}
		}
		for _, test := range []struct {
			name, current, value string
			want                 []string
		}{
			{"nothing", "", "", []string{"email", "current_password"}},
			{"the same", goodPassword, "ada@example.org", []string{"email"}},
			{"no address", goodPassword, "ada", []string{"email"}},
			{"wrong current password", "wrong", "new@example.org", []string{"current_password"}},
		} {
			change := change
			change.Current, change.New = test.current, test.value
			_, err := p.Accounts.ChangeEmail(p.T.Context(), change)
			if got := fieldsOf(err); !slices.Equal(got, test.want) {
				p.T.Errorf("email, %s: %v, want wrong fields %v", test.name, err, test.want)
			}
		}
		p.Identity(in.Tokens)

		// The session ended, or the account was disabled, while the form was open.
		change.Current, change.New = goodPassword, "another-"+goodPassword
		if _, _, err := p.Accounts.Disable(p.T.Context(), auth.Shell(), change.Identity.UserID, ""); err != nil {
			p.T.Fatal(err)
		}
		_, err := p.Accounts.ChangePassword(p.T.Context(), change)
		wantKind(p.T, "disabled meanwhile", err, apperr.Unauthorized)
		if _, _, err := p.Accounts.Delete(p.T.Context(), auth.Shell(), change.Identity.UserID, "ada@example.org"); err != nil {
			p.T.Fatal(err)
		}
		_, err = p.Accounts.ChangePassword(p.T.Context(), change)
		wantKind(p.T, "deleted meanwhile", err, apperr.Unauthorized)
	})
}

// TestParallelChange checks that only one of many changes with the same current
// password succeeds.
func TestParallelChange(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		changes := make([]account.CredentialChange, 6)
		for i := range changes {
			changes[i] = p.Change(p.SignIn("ada"), goodPassword+string(rune('a'+i)))
		}
		errs := make([]error, len(changes))
		parallel(len(changes), func(i int) { _, errs[i] = p.Accounts.ChangePassword(p.T.Context(), changes[i]) })
		won := -1
		for i, err := range errs {
			switch {
			case err == nil && won < 0:
				won = i
			case err == nil:
				p.T.Error("two changes succeeded")
			case !errors.Is(err, apperr.Conflict) && !errors.Is(err, apperr.Unauthorized) && !errors.Is(err, apperr.Invalid):
				p.T.Errorf("change %d: %v", i, err)
			}
		}
		if won < 0 {
			p.T.Fatalf("no change succeeded: %v", errs)
		}
		wantKind(p.T, "the password that won", p.Try("ada", changes[won].New, ""), "")
		wantKind(p.T, "the old password", p.Try("ada", goodPassword, ""), apperr.Unauthorized)
	})
}

// TestNewPasswordForgetsDevices checks that a password change or a reset forgets
// all known devices. The browser that changed the password gets a new device cookie
// and does not count as a new device.
func TestNewPasswordForgetsDevices(t *testing.T) {
	each(t, limited, func(p *portal) {
		ctx := p.T.Context()
		known := func(device string) bool {
			p.T.Helper()
			known, err := p.Store.Devices.Known(ctx, models.HashToken(device), p.User("ada").ID)
			if err != nil {
				p.T.Fatal(err)
			}
			return known
		}
		other, bystander := p.Join("ada"), p.Join("bob")
		here := p.SignIn("ada")
		after, err := p.Accounts.ChangePassword(ctx, p.Change(here, "another-"+goodPassword))
		if err != nil {
			p.T.Fatal(err)
		}
		if after.Device == "" || after.Device == here.Device || !known(after.Device) || known(here.Device) || known(other.Device) {
			p.T.Errorf("after a new password: device %q, known: the new one %t, this one %t, another %t",
				after.Device, known(after.Device), known(here.Device), known(other.Device))
		}
		if p.Session(after.SessionID).NewDevice {
			p.T.Error("the browser that changed the password counts as a new device")
		}
		_, token, err := p.Accounts.CreateResetLink(ctx, auth.Shell(), p.User("ada").ID)
		if err != nil {
			p.T.Fatal(err)
		}
		if _, err := p.Accounts.ResetPassword(ctx, account.Reset{Token: token, Password: "third-" + goodPassword, Client: p.Client}); err != nil {
			p.T.Fatal(err)
		}
		if known(after.Device) {
			p.T.Error("a device is known after a reset")
		}
		if list, err := p.Auth.Devices(ctx, p.User("bob").ID, bystander.Device); err != nil || len(list) != 1 || !list[0].ThisDevice {
			p.T.Errorf("the devices of another person: %+v (%v)", list, err)
		}
	})
}
