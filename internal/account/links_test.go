package account_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

const newPassword = "copper-lantern-orchard-26"

// resetLink creates a reset link for a person.
func (p *portal) resetLink(name string) string {
	p.T.Helper()
	_, token, err := p.Accounts.CreateResetLink(p.T.Context(), auth.Shell(), p.User(name).ID)
	if err != nil {
		p.T.Fatal(err)
	}
	return token
}

func (p *portal) wantLink(token string, want account.LinkState) {
	p.T.Helper()
	link, err := p.Accounts.SetPasswordLink(p.T.Context(), token)
	if err != nil || link.State != want {
		p.T.Errorf("the link is %v (%v), want %v", link.State, err, want)
	}
	_, err = p.Accounts.ResetPassword(p.T.Context(), account.Reset{Token: token, Password: newPassword, Client: p.Client})
	if want != account.LinkGood {
		wantKind(p.T, "use a dead link", err, apperr.Conflict)
	}
}

func TestResetLink(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens := p.Join("ada").Tokens
		token := p.resetLink("ada")
		if len(token) != 43 {
			p.T.Errorf("the token has %d characters, want 256 bits", len(token))
		}
		for range 2 { // reading the state does not use the link
			link, err := p.Accounts.SetPasswordLink(p.T.Context(), token)
			if err != nil || link.State != account.LinkGood || link.Username != "ada" || !link.Until.Equal(p.Clock.Now().Add(24*time.Hour)) {
				p.T.Errorf("the link is %+v (%v)", link, err)
			}
		}
		_, err := p.Accounts.ResetPassword(p.T.Context(), account.Reset{Token: token, Password: "short", Client: p.Client})
		if got := fieldsOf(err); !slices.Equal(got, []string{"password"}) {
			p.T.Errorf("a short password: %v", err)
		}
		p.Identity(tokens)
		if _, err := p.Accounts.ResetPassword(p.T.Context(), account.Reset{Token: token, Password: newPassword, Client: p.Client}); err != nil {
			p.T.Fatal(err)
		}
		p.WantOver(tokens, models.ReasonPassword)
		p.wantLink(token, account.LinkUsed)
		wantKind(p.T, "the old password", p.Try("ada", goodPassword, ""), apperr.Unauthorized)
		wantKind(p.T, "the new password", p.Try("ada", newPassword, ""), "")

		first := p.resetLink("ada")
		second := p.resetLink("ada")
		p.wantLink(first, account.LinkReplaced)
		p.Clock.Advance(24 * time.Hour)
		p.wantLink(second, account.LinkExpired)
		third := p.resetLink("ada")
		if _, _, err := p.Accounts.Disable(p.T.Context(), auth.Shell(), p.User("ada").ID, ""); err != nil {
			p.T.Fatal(err)
		}
		p.wantLink(third, account.LinkDisabled)
		if _, err := p.Accounts.Enable(p.T.Context(), auth.Shell(), p.User("ada").ID); err != nil {
			p.T.Fatal(err)
		}
		p.wantLink(third, account.LinkEnded) // neither expired nor replaced
		_, err = p.Accounts.ResetPassword(p.T.Context(), account.Reset{Token: third, Password: newPassword, Client: p.Client})
		wantKind(p.T, "a link of before the account was disabled", err, apperr.Conflict)
		if _, _, err := p.Accounts.Disable(p.T.Context(), auth.Shell(), p.User("ada").ID, ""); err != nil {
			p.T.Fatal(err)
		}
		_, _, err = p.Accounts.CreateResetLink(p.T.Context(), auth.Shell(), p.User("ada").ID)
		wantKind(p.T, "a link for a disabled account", err, apperr.Conflict)

		setup, err := p.Accounts.CreateSetup(p.T.Context())
		if err != nil {
			p.T.Fatal(err)
		}
		for _, token := range []string{
			"", strings.Repeat("A", 43), strings.Repeat("A", 5000), setup, models.HashToken(third), "' OR 1=1 --", "%", "a\x00b", "\xff",
		} {
			p.wantLink(token, account.LinkUnknown)
		}
	})
}

func TestResetLinkOnce(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		token := p.resetLink("ada")
		var used atomic.Int64
		parallel(20, func(i int) {
			_, err := p.Accounts.ResetPassword(p.T.Context(), account.Reset{Token: token, Password: fmt.Sprintf("%s-%d", newPassword, i), Client: p.Client})
			if err == nil {
				used.Add(1)
				return
			}
			wantKind(p.T, "a parallel use", err, apperr.Conflict)
		})
		if got := used.Load(); got != 1 {
			p.T.Errorf("the link worked %d times, want once", got)
		}
		if n := p.Events(audit.PasswordReset); n != 1 {
			p.T.Errorf("%d resets in the audit log, want 1", n)
		}
	})
}

// TestInvitedUser checks that a person without a password can sign in only with
// their link.
func TestInvitedUser(t *testing.T) {
	each(t, nil, func(p *portal) {
		user, token, err := p.Accounts.CreateUser(p.T.Context(), auth.Shell(), account.NewUser{Account: profile("ada"), Role: models.RoleUser})
		if err != nil || token == "" || user.PasswordHash != "" {
			p.T.Fatalf("create: %v", err)
		}
		for _, guess := range []string{"", "password", goodPassword} {
			wantKind(p.T, "a guess", p.Try("ada", guess, ""), apperr.Unauthorized)
		}
		link, err := p.Accounts.SetPasswordLink(p.T.Context(), token)
		if err != nil || !link.Invited {
			p.T.Errorf("the link is %+v (%v), want one of an invited person", link, err)
		}
		signedIn, err := p.Accounts.ResetPassword(p.T.Context(), account.Reset{Token: token, Password: newPassword, Client: p.Client})
		if err != nil {
			p.T.Fatal(err)
		}
		if signedIn == nil {
			p.T.Fatal("the invited person is not signed in")
		}
		if got := p.Identity(signedIn.Tokens).UserID; got != user.ID {
			p.T.Errorf("signed in %s, want %s", got, user.ID)
		}
		again := p.resetLink("ada") // the second link is for a new password
		signedIn, err = p.Accounts.ResetPassword(p.T.Context(), account.Reset{Token: again, Password: newPassword + "-2", Client: p.Client})
		if err != nil || signedIn != nil {
			p.T.Errorf("a new password signed in %v (%v), want no one", signedIn, err)
		}
		wantKind(p.T, "the chosen password", p.Try("ada", newPassword+"-2", ""), "")
		_, _, err = p.Accounts.CreateUser(p.T.Context(), auth.Shell(), account.NewUser{Account: profile("ada"), Role: "root", Password: "x"})
		if got := fieldsOf(err); !slices.Equal(got, []string{"role", "password"}) {
			p.T.Errorf("wrong fields %v (%v)", got, err)
		}
		_, _, err = p.Accounts.CreateUser(p.T.Context(), auth.Shell(), account.NewUser{Account: profile("ada"), Role: models.RoleUser})
		if got := fieldsOf(err); !slices.Equal(got, []string{"email", "username"}) {
			p.T.Errorf("taken fields %v (%v)", got, err)
		}
	})
}

func (p *portal) setup() string {
	p.T.Helper()
	token, err := p.Accounts.CreateSetup(p.T.Context())
	if err != nil || token == "" {
		p.T.Fatalf("no setup link: %v", err)
	}
	return token
}

func (p *portal) setupState(token string, want account.LinkState) {
	p.T.Helper()
	link, err := p.Accounts.SetupLink(p.T.Context(), token)
	if err != nil || link.State != want {
		p.T.Errorf("the setup link is %v (%v), want %v", link.State, err, want)
	}
}

func TestSetup(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.T.Context()
		p.Join("first") // the first person to sign up must not become an admin
		if p.User("first").Role != models.RoleUser {
			p.T.Error("the first sign-up is an admin")
		}
		old := p.setup()
		p.Clock.Advance(time.Hour)
		p.setupState(old, account.LinkExpired)
		one, other := p.setup(), p.setup() // each replica prints its own
		p.setupState(one, account.LinkGood)
		_, err := p.Accounts.Setup(ctx, one, account.Signup{Account: profile("x"), Password: goodPassword, Client: p.Client})
		if got := fieldsOf(err); !slices.Equal(got, []string{"username"}) {
			p.T.Errorf("a short name: %v", err)
		}
		in, err := p.Accounts.Setup(ctx, one, account.Signup{Account: profile("ada"), Password: goodPassword, Client: p.Client})
		if err != nil || !p.Identity(in.Tokens).Admin {
			p.T.Fatalf("setup: %v, or no admin", err)
		}
		for name, token := range map[string]string{"used": one, "another replica's": other, "expired": old, "empty": "", "unknown": strings.Repeat("x", 43)} {
			_, err := p.Accounts.Setup(ctx, token, account.Signup{Account: profile("eve"), Password: goodPassword, Client: p.Client})
			wantKind(p.T, name, err, apperr.Conflict)
		}
		p.setupState(one, account.LinkUsed)
		p.setupState(other, account.LinkReplaced)
		if token, err := p.Accounts.CreateSetup(ctx); token != "" || err != nil {
			p.T.Errorf("a setup link although there is an admin (%v)", err)
		}
	})
}

// TestSetupOnce uses two links, and one link twice, at the same moment.
func TestSetupOnce(t *testing.T) {
	each(t, nil, func(p *portal) {
		links := []string{p.setup(), p.setup()}
		links = append(links, links...)
		var made atomic.Int64
		parallel(len(links), func(i int) {
			_, err := p.Accounts.Setup(p.T.Context(), links[i], account.Signup{
				Account: profile(fmt.Sprintf("admin%d", i)), Password: goodPassword, Client: p.Client,
			})
			if err == nil {
				made.Add(1)
				return
			}
			wantKind(p.T, "a parallel setup", err, apperr.Conflict)
		})
		n, err := p.Store.Users.CountActiveAdmins(p.T.Context())
		if made.Load() != 1 || n != 1 || err != nil {
			p.T.Errorf("%d setups made %d admins (%v), want one", made.Load(), n, err)
		}
	})
}

// TestSetupEnds checks that the links stop working once there is an admin, however
// it was created.
func TestSetupEnds(t *testing.T) {
	tests := map[string]func(p *portal) error{
		"admin create": func(p *portal) error {
			_, _, err := p.Accounts.CreateUser(p.T.Context(), auth.Shell(), account.NewUser{Account: profile("ada"), Role: models.RoleAdmin})
			return err
		},
		"user promote": func(p *portal) error {
			_, err := p.Accounts.SetRole(p.T.Context(), auth.Shell(), p.User("carol").ID, models.RoleAdmin)
			return err
		},
	}
	for name, road := range tests {
		t.Run(name, func(t *testing.T) {
			each(t, nil, func(p *portal) {
				p.Join("carol")
				token := p.setup()
				if err := road(p); err != nil {
					p.T.Fatal(err)
				}
				p.setupState(token, account.LinkReplaced)
				_, err := p.Accounts.Setup(p.T.Context(), token, account.Signup{Account: profile("eve"), Password: goodPassword, Client: p.Client})
				wantKind(p.T, "setup", err, apperr.Conflict)
			})
		})
	}
}
