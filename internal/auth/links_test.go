package auth_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

const newPassword = "copper-lantern-orchard-26"

// resetLink makes a link for somebody.
func (p *portal) resetLink(name string) string {
	p.t.Helper()
	_, token, err := p.CreateResetLink(p.t.Context(), auth.Shell(), p.user(name).ID)
	if err != nil {
		p.t.Fatal(err)
	}
	return token
}

func (p *portal) wantLink(token string, want auth.LinkState) {
	p.t.Helper()
	link, err := p.SetPasswordLink(p.t.Context(), token)
	if err != nil || link.State != want {
		p.t.Errorf("the link is %v (%v), want %v", link.State, err, want)
	}
	err = p.ResetPassword(p.t.Context(), token, newPassword, p.client)
	if want != auth.LinkGood {
		wantKind(p.t, "use a dead link", err, apperr.Conflict)
	}
}

func TestResetLink(t *testing.T) {
	each(t, nil, func(p *portal) {
		tokens := p.signUp("ada").Tokens
		token := p.resetLink("ada")
		if len(token) != 43 {
			p.t.Errorf("the token has %d characters, want 256 bits", len(token))
		}
		for range 2 { // looking does not use it up
			link, err := p.SetPasswordLink(p.t.Context(), token)
			if err != nil || link.State != auth.LinkGood || link.Username != "ada" || !link.Until.Equal(p.clock.now().Add(24*time.Hour)) {
				p.t.Errorf("the link is %+v (%v)", link, err)
			}
		}
		err := p.ResetPassword(p.t.Context(), token, "short", p.client)
		if got := fieldsOf(err); !slices.Equal(got, []string{"password"}) {
			p.t.Errorf("a short password: %v", err)
		}
		p.identity(tokens)
		if err := p.ResetPassword(p.t.Context(), token, newPassword, p.client); err != nil {
			p.t.Fatal(err)
		}
		p.wantOver(tokens, models.ReasonPassword)
		p.wantLink(token, auth.LinkUsed)
		wantKind(p.t, "the old password", p.try("ada", goodPassword, ""), apperr.Unauthorized)
		wantKind(p.t, "the new password", p.try("ada", newPassword, ""), "")

		first := p.resetLink("ada")
		second := p.resetLink("ada")
		p.wantLink(first, auth.LinkReplaced)
		p.clock.advance(24 * time.Hour)
		p.wantLink(second, auth.LinkExpired)
		third := p.resetLink("ada")
		if _, _, err := p.Disable(p.t.Context(), auth.Shell(), p.user("ada").ID, ""); err != nil {
			p.t.Fatal(err)
		}
		p.wantLink(third, auth.LinkDisabled)
		if _, err := p.Enable(p.t.Context(), auth.Shell(), p.user("ada").ID); err != nil {
			p.t.Fatal(err)
		}
		p.wantLink(third, auth.LinkEnded) // neither expired nor replaced
		wantKind(p.t, "a link of before the account was disabled", p.ResetPassword(p.t.Context(), third, newPassword, p.client), apperr.Conflict)
		if _, _, err := p.Disable(p.t.Context(), auth.Shell(), p.user("ada").ID, ""); err != nil {
			p.t.Fatal(err)
		}
		_, _, err = p.CreateResetLink(p.t.Context(), auth.Shell(), p.user("ada").ID)
		wantKind(p.t, "a link for a disabled account", err, apperr.Conflict)

		setup, err := p.CreateSetup(p.t.Context())
		if err != nil {
			p.t.Fatal(err)
		}
		for _, token := range []string{
			"", strings.Repeat("A", 43), strings.Repeat("A", 5000), setup, models.HashToken(third), "' OR 1=1 --", "%", "a\x00b", "\xff",
		} {
			p.wantLink(token, auth.LinkUnknown)
		}
	})
}

func TestResetLinkOnce(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.signUp("ada")
		token := p.resetLink("ada")
		var used atomic.Int64
		parallel(20, func(i int) {
			err := p.ResetPassword(p.t.Context(), token, fmt.Sprintf("%s-%d", newPassword, i), p.client)
			if err == nil {
				used.Add(1)
				return
			}
			wantKind(p.t, "a parallel use", err, apperr.Conflict)
		})
		if got := used.Load(); got != 1 {
			p.t.Errorf("the link worked %d times, want once", got)
		}
		if n := p.events(audit.PasswordReset); n != 1 {
			p.t.Errorf("%d resets in the audit log, want 1", n)
		}
	})
}

// TestInvitedUser: an account without a password opens with its link alone.
func TestInvitedUser(t *testing.T) {
	each(t, nil, func(p *portal) {
		user, token, err := p.CreateUser(p.t.Context(), auth.Shell(), auth.NewUser{Account: account("ada"), Role: models.RoleUser})
		if err != nil || token == "" || user.PasswordHash != "" {
			p.t.Fatalf("create: %v", err)
		}
		for _, guess := range []string{"", "password", goodPassword} {
			wantKind(p.t, "a guess", p.try("ada", guess, ""), apperr.Unauthorized)
		}
		if err := p.ResetPassword(p.t.Context(), token, newPassword, p.client); err != nil {
			p.t.Fatal(err)
		}
		wantKind(p.t, "the chosen password", p.try("ada", newPassword, ""), "")
		_, _, err = p.CreateUser(p.t.Context(), auth.Shell(), auth.NewUser{Account: account("ada"), Role: "root", Password: "x"})
		if got := fieldsOf(err); !slices.Equal(got, []string{"role", "password"}) {
			p.t.Errorf("wrong fields %v (%v)", got, err)
		}
		_, _, err = p.CreateUser(p.t.Context(), auth.Shell(), auth.NewUser{Account: account("ada"), Role: models.RoleUser})
		if got := fieldsOf(err); !slices.Equal(got, []string{"username", "email"}) {
			p.t.Errorf("taken fields %v (%v)", got, err)
		}
	})
}

func (p *portal) setup() string {
	p.t.Helper()
	token, err := p.CreateSetup(p.t.Context())
	if err != nil || token == "" {
		p.t.Fatalf("no setup link: %v", err)
	}
	return token
}

func (p *portal) setupState(token string, want auth.LinkState) {
	p.t.Helper()
	link, err := p.SetupLink(p.t.Context(), token)
	if err != nil || link.State != want {
		p.t.Errorf("the setup link is %v (%v), want %v", link.State, err, want)
	}
}

func TestSetup(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := p.t.Context()
		p.signUp("first") // the first to sign up is no admin by accident
		if p.user("first").Role != models.RoleUser {
			p.t.Error("the first sign-up is an admin")
		}
		old := p.setup()
		p.clock.advance(time.Hour)
		p.setupState(old, auth.LinkExpired)
		one, other := p.setup(), p.setup() // each replica prints its own
		p.setupState(one, auth.LinkGood)
		_, err := p.Setup(ctx, one, auth.Signup{Account: account("x"), Password: goodPassword, Client: p.client})
		if got := fieldsOf(err); !slices.Equal(got, []string{"username"}) {
			p.t.Errorf("a short name: %v", err)
		}
		in, err := p.Setup(ctx, one, auth.Signup{Account: account("ada"), Password: goodPassword, Client: p.client})
		if err != nil || !p.identity(in.Tokens).Admin {
			p.t.Fatalf("setup: %v, or no admin", err)
		}
		for name, token := range map[string]string{"used": one, "another replica's": other, "expired": old, "empty": "", "unknown": strings.Repeat("x", 43)} {
			_, err := p.Setup(ctx, token, auth.Signup{Account: account("eve"), Password: goodPassword, Client: p.client})
			wantKind(p.t, name, err, apperr.Conflict)
		}
		p.setupState(one, auth.LinkUsed)
		p.setupState(other, auth.LinkReplaced)
		if token, err := p.CreateSetup(ctx); token != "" || err != nil {
			p.t.Errorf("a setup link although there is an admin (%v)", err)
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
			_, err := p.Setup(p.t.Context(), links[i], auth.Signup{
				Account: account(fmt.Sprintf("admin%d", i)), Password: goodPassword, Client: p.client,
			})
			if err == nil {
				made.Add(1)
				return
			}
			wantKind(p.t, "a parallel setup", err, apperr.Conflict)
		})
		n, err := p.store.Users.CountActiveAdmins(p.t.Context())
		if made.Load() != 1 || n != 1 || err != nil {
			p.t.Errorf("%d setups made %d admins (%v), want one", made.Load(), n, err)
		}
	})
}

// TestSetupEnds: the links end with any road to a first admin.
func TestSetupEnds(t *testing.T) {
	tests := map[string]func(p *portal) error{
		"admin create": func(p *portal) error {
			_, _, err := p.CreateUser(p.t.Context(), auth.Shell(), auth.NewUser{Account: account("ada"), Role: models.RoleAdmin})
			return err
		},
		"user promote": func(p *portal) error {
			_, err := p.SetRole(p.t.Context(), auth.Shell(), p.user("carol").ID, models.RoleAdmin)
			return err
		},
	}
	for name, road := range tests {
		t.Run(name, func(t *testing.T) {
			each(t, nil, func(p *portal) {
				p.signUp("carol")
				token := p.setup()
				if err := road(p); err != nil {
					p.t.Fatal(err)
				}
				p.setupState(token, auth.LinkReplaced)
				_, err := p.Setup(p.t.Context(), token, auth.Signup{Account: account("eve"), Password: goodPassword, Client: p.client})
				wantKind(p.t, "setup", err, apperr.Conflict)
			})
		})
	}
}
