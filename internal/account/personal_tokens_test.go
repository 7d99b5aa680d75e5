package account_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/oauth"
	"latchkey/models"
)

func TestPersonalToken(t *testing.T) {
	form := regexp.MustCompile(`^lk_[a-z2-7]{52}$`)
	each(t, nil, func(p *portal) {
		browser := p.Join("ada").Tokens
		user, made := p.User("ada"), p.Clock.Now()
		draft := p.Draft(browser)
		draft.Name, draft.Scopes = "  Nightly \t backup ", []string{"me:write", "me"}
		secret, token, err := p.Accounts.CreatePersonalToken(t.Context(), draft)
		if err != nil {
			t.Fatal(err)
		}
		want := account.PersonalToken{
			ID: token.ID, Name: "Nightly backup", Hint: secret[len(secret)-4:], Scopes: oauth.Scopes{oauth.ScopeMe, oauth.ScopeMeWrite},
			CreatedAt: made, ExpiresAt: made.Add(90 * 24 * time.Hour),
		}
		if diff := cmp.Diff(want, token); diff != "" || !form.MatchString(secret) {
			t.Errorf("secret of the form %v, token (-want +got):\n%s", form.MatchString(secret), diff)
		}
		// The stored row.
		row, err := p.Store.PersonalTokens.ByID(t.Context(), token.ID, user.ID)
		if err != nil || row.TokenHash != models.HashToken(secret) || strings.Contains(fmt.Sprintf("%+v", row), secret) {
			t.Errorf("row %+v (%v)", row, err)
		}
		caller := p.Caller(secret)
		if caller.Username != "ada" || caller.Email != "ada@example.org" || caller.SessionID != "" || !caller.Personal || caller.TokenID != token.ID ||
			caller.Scopes.String() != "me me:write" || !caller.ExpiresAt.Equal(want.ExpiresAt) {
			t.Errorf("caller %+v", caller)
		}
		// Its use is written once a minute.
		want.LastUsedAt, want.LastUsedIP = made, "198.51.100.7"
		p.Clock.Advance(59 * time.Second)
		p.Caller(secret)
		live, ended, err := p.Accounts.PersonalTokens(t.Context(), user.ID)
		if diff := cmp.Diff([]account.PersonalToken{want}, live); diff != "" || len(ended) != 0 || err != nil {
			t.Errorf("%d ended, %v; list (-want +got):\n%s", len(ended), err, diff)
		}
		p.Clock.Advance(time.Second)
		if _, err := p.OAuth.AuthenticateBearer(t.Context(), secret, from("203.0.113.9")); err != nil {
			t.Fatal(err)
		}
		live, _, _ = p.Accounts.PersonalTokens(t.Context(), user.ID)
		if !live[0].LastUsedAt.Equal(made.Add(time.Minute)) || live[0].LastUsedIP != "203.0.113.9" {
			t.Errorf("used %v from %s", live[0].LastUsedAt, live[0].LastUsedIP)
		}
		// It is no refresh token and cannot be renewed.
		if _, err := p.RefreshAPI(secret, ""); !errors.Is(err, oauth.ErrInvalidGrant) {
			t.Errorf("as a refresh token: %v", err)
		}
		_, err = p.OAuth.RenewAccess(t.Context(), caller)
		wantKind(t, "renew", err, apperr.Forbidden)
		for _, cookies := range []auth.Presented{{Access: secret}, {Refresh: secret}} {
			if result, err := p.Auth.Authenticate(t.Context(), cookies, p.Client); err != nil || result.Identity != nil {
				t.Errorf("in a cookie: %+v (%v)", result, err)
			}
		}
		p.WantNoBearer("in other letters", strings.ToUpper(secret))
		// It dies by itself.
		p.Clock.Advance(90 * 24 * time.Hour)
		p.WantNoBearer("expired", secret)
		live, ended, _ = p.Accounts.PersonalTokens(t.Context(), user.ID)
		if len(live) != 0 || len(ended) != 1 || ended[0].EndReason != models.ReasonExpired || !ended[0].EndedAt.Equal(want.ExpiresAt) {
			t.Errorf("live %v, ended %v", live, ended)
		}
		p.Pass(31 * 24 * time.Hour)
		_, err = p.Store.PersonalTokens.ByID(t.Context(), token.ID, user.ID)
		wantKind(t, "after the purge", err, apperr.NotFound)
	})
}

func TestRemovePersonalToken(t *testing.T) {
	each(t, nil, func(p *portal) {
		boss := p.Admin("boss")
		for _, test := range []struct {
			name   string
			reason models.Reason // "": it keeps working
			action string
			end    func(user *models.User, identity *auth.Identity, secret, id string) error
		}{
			{"by the person", models.ReasonEndedElsewhere, audit.TokenRemove, func(_ *models.User, identity *auth.Identity, _, id string) error {
				_, err := p.Accounts.RemovePersonalToken(t.Context(), identity, id, p.Client)
				return err
			}},
			{"by itself", models.ReasonLogout, audit.TokenRemove, func(_ *models.User, _ *auth.Identity, secret, _ string) error {
				return p.OAuth.RevokeToken(t.Context(), secret, "", p.Client)
			}},
			{"by an admin", models.ReasonAdmin, audit.UserTokenRemove, func(user *models.User, _ *auth.Identity, _, id string) error {
				_, token, err := p.Accounts.RemoveUserToken(t.Context(), boss, user.ID, id)
				if token.ID != id {
					t.Errorf("ended %+v", token)
				}
				return err
			}},
			{"by disabling", models.ReasonDisabled, audit.UserDisable, func(user *models.User, _ *auth.Identity, _, _ string) error {
				_, _, err := p.Accounts.Disable(t.Context(), boss, user.ID, "")
				_, enabled := p.Accounts.Enable(t.Context(), boss, user.ID) // it stays over
				return errors.Join(err, enabled)
			}},
			{"not by a password change", "", audit.PasswordChange, func(_ *models.User, identity *auth.Identity, _, _ string) error {
				_, err := p.Accounts.ChangePassword(t.Context(), account.CredentialChange{
					Identity: identity, Current: goodPassword, New: "another-quiet-lantern-29", Client: p.Client,
				})
				return err
			}},
			{"not by signing out", "", audit.UserSignOut, func(user *models.User, _ *auth.Identity, _, _ string) error {
				_, _, err := p.Accounts.SignOutUser(t.Context(), boss, user.ID)
				return err
			}},
		} {
			name := "u" + models.NewID()[:10]
			browser := p.Join(name).Tokens
			secret, token := p.Personal(browser, "me", 30)
			kept, _ := p.Personal(browser, "me", 30)
			p.Caller(secret)
			before := p.Events(test.action)
			if err := test.end(p.User(name), p.Identity(browser), secret, token.ID); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			if n := p.Events(test.action) - before; n != 1 {
				t.Errorf("%s: %d audit events, want 1", test.name, n)
			}
			if test.reason == "" {
				p.Caller(secret)
				continue
			}
			p.WantNoBearer(test.name, secret)
			if test.reason != models.ReasonDisabled {
				p.Caller(kept)
			}
			_, ended, err := p.Accounts.PersonalTokens(t.Context(), p.User(name).ID)
			i := slices.IndexFunc(ended, func(t account.PersonalToken) bool { return t.ID == token.ID })
			if err != nil || i < 0 || ended[i].EndReason != test.reason || !ended[i].EndedAt.Equal(p.Clock.Now()) {
				t.Errorf("%s: ended %+v (%v)", test.name, ended, err)
			}
		}
	})
}

func TestPersonalTokenOfOthers(t *testing.T) {
	each(t, nil, func(p *portal) {
		boss := p.Admin("boss")
		ada, bob := p.Join("ada").Tokens, p.Join("bob").Tokens
		secret, token := p.Personal(ada, "me", 30)
		_, err := p.Accounts.RemovePersonalToken(t.Context(), p.Identity(bob), token.ID, p.Client)
		wantKind(t, "another person's", err, apperr.NotFound)
		_, _, err = p.Accounts.RemoveUserToken(t.Context(), boss, p.User("bob").ID, token.ID)
		wantKind(t, "by an admin, of another account", err, apperr.NotFound)
		_, _, err = p.Accounts.RemoveUserToken(t.Context(), p.Identity(bob).Actor(p.Client), p.User("ada").ID, token.ID)
		wantKind(t, "by nobody's admin", err, apperr.Forbidden)
		p.Caller(secret)
		if _, _, err := p.Accounts.Delete(t.Context(), boss, p.User("ada").ID, "ada@example.org"); err != nil {
			t.Fatal(err)
		}
		p.WantNoBearer("of a deleted account", secret)
		if err := p.OAuth.RevokeToken(t.Context(), secret, "", p.Client); err != nil {
			t.Errorf("revoke what is gone: %v", err)
		}
	})
}

func TestPersonalTokenFields(t *testing.T) {
	each(t, limited, func(p *portal) {
		browser := p.Join("ada").Tokens
		for _, test := range []struct {
			name   string
			change func(*account.PersonalTokenDraft)
			want   []string
		}{
			{"everything missing", func(d *account.PersonalTokenDraft) { *d = account.PersonalTokenDraft{Identity: d.Identity} }, []string{"name", "scope", "days", "current_password"}},
			{"name too long", func(d *account.PersonalTokenDraft) { d.Name = strings.Repeat("é", 65) }, []string{"name"}},
			{"name as long as it may be", func(d *account.PersonalTokenDraft) { d.Name = strings.Repeat("é", 64) }, nil},
			{"name with a control", func(d *account.PersonalTokenDraft) { d.Name = "a\u202eb" }, []string{"name"}},
			{"scope that does not exist", func(d *account.PersonalTokenDraft) { d.Scopes = []string{"me", "all"} }, []string{"scope"}},
			{"scope of an admin", func(d *account.PersonalTokenDraft) { d.Scopes = []string{"users"} }, []string{"scope"}},
			{"a year and two days", func(d *account.PersonalTokenDraft) { d.Days = 367 }, []string{"days"}},
			{"a leap year", func(d *account.PersonalTokenDraft) { d.Days = 366 }, nil},
			{"less than a day", func(d *account.PersonalTokenDraft) { d.Days = -1 }, []string{"days"}},
			{"wrong password", func(d *account.PersonalTokenDraft) { d.Current = "wrong" }, []string{"current_password"}},
		} {
			draft := p.Draft(browser)
			test.change(&draft)
			secret, _, err := p.Accounts.CreatePersonalToken(t.Context(), draft)
			if diff := cmp.Diff(test.want, fieldsOf(err)); diff != "" || (secret == "") != (test.want != nil) {
				t.Errorf("%s: %v, a secret: %v (-want +got):\n%s", test.name, err, secret != "", diff)
			}
		}
		// The password counts against the limits of the sign-in form.
		draft := p.Draft(browser)
		draft.Current = "wrong"
		for range 4 {
			_, _, err := p.Accounts.CreatePersonalToken(t.Context(), draft)
			wantKind(t, "wrong password", err, apperr.Invalid)
		}
		draft.Client = from("203.0.113.9")
		_, _, err := p.Accounts.CreatePersonalToken(t.Context(), draft)
		wantWait(t, "the sixth", err, 30*time.Second)
		wantWait(t, "in the form", p.Try("ada", goodPassword, ""), 30*time.Second)
	})
}

func TestPersonalTokenCount(t *testing.T) {
	each(t, nil, func(p *portal) {
		browser := p.Join("ada").Tokens
		_, first := p.Personal(browser, "me", 1)
		for range 49 {
			p.Personal(browser, "me", 1)
		}
		_, _, err := p.Accounts.CreatePersonalToken(t.Context(), p.Draft(browser))
		if diff := cmp.Diff([]string{"name"}, fieldsOf(err)); diff != "" {
			t.Errorf("the 51st: %v", err)
		}
		if _, err := p.Accounts.RemovePersonalToken(t.Context(), p.Identity(browser), first.ID, p.Client); err != nil {
			t.Fatal(err)
		}
		p.Personal(browser, "me", 1)
	})
}
