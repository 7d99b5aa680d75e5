package account_test

import (
	"context"
	"testing"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/models"
)

// TestSignedOutMeanwhile checks that a person who is signed out after a request is
// authenticated, while its body is still being sent, cannot change anything.
func TestSignedOutMeanwhile(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := t.Context()
		p.Admin("boss")
		in := p.Join("ada")
		p.Join("bob")
		ada, bob := p.User("ada"), p.User("bob")
		if _, err := p.Accounts.SetRole(ctx, auth.Shell(), ada.ID, models.RoleAdmin); err != nil {
			t.Fatal(err)
		}
		_, token := p.Personal(in.Tokens, "me:write users:write", 30)
		byToken := *p.Identity(in.Tokens)
		byToken.SessionID, byToken.PersonalTokenID = "", token.ID
		bySession := p.Identity(in.Tokens)
		other, drafted := p.SessionOf(ada), p.Draft(in.Tokens)

		own := func(identity *auth.Identity) map[string]func() error {
			change := account.CredentialChange{Identity: identity, Current: goodPassword, New: newPassword, Client: p.Client}
			address := change
			address.New = "new@example.org"
			draft := drafted
			draft.Identity = identity
			return map[string]func() error{
				"profile":        func() error { return p.rename(identity, "ada", "Somebody Else") },
				"password":       func() error { _, err := p.Accounts.ChangePassword(ctx, change); return err },
				"email":          func() error { _, err := p.Accounts.ChangeEmail(ctx, address); return err },
				"token":          func() error { _, _, err := p.Accounts.CreatePersonalToken(ctx, draft); return err },
				"end a token":    func() error { _, err := p.Accounts.RemovePersonalToken(ctx, identity, token.ID, p.Client); return err },
				"end a session":  func() error { _, err := p.Auth.EndSession(ctx, identity, other, p.Client); return err },
				"end the others": func() error { _, err := p.Auth.EndOtherSessions(ctx, identity, p.Client); return err },
				"make an admin": func() error {
					_, err := p.Accounts.SetRole(ctx, identity.Actor(p.Client), bob.ID, models.RoleAdmin)
					return err
				},
				"disable":         func() error { _, _, err := p.Accounts.Disable(ctx, identity.Actor(p.Client), bob.ID, ""); return err },
				"make an account": func() error { return p.makeAccount(ctx, identity) },
				"make a link": func() error {
					_, _, err := p.Accounts.CreateResetLink(ctx, identity.Actor(p.Client), bob.ID)
					return err
				},
			}
		}
		refused := func(what string, identity *auth.Identity) {
			t.Helper()
			for name, act := range own(identity) {
				wantKind(t, what+": "+name, act(), apperr.Unauthorized)
			}
		}

		if err := p.Store.PersonalTokens.Remove(ctx, token.ID, ada.ID, models.ReasonEndedElsewhere, p.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		refused("a token that was ended", &byToken)
		nobody := *bySession
		nobody.SessionID = ""
		refused("neither session nor token", &nobody)
		theirs := *bySession
		theirs.SessionID = p.SessionOf(bob)
		refused("another person's session", &theirs)
		if err := p.Auth.Logout(ctx, auth.Presented{Access: in.Tokens.Access}, p.Client); err != nil {
			t.Fatal(err)
		}
		refused("after signing out", bySession)

		again := p.Identity(p.SignIn("ada").Tokens)
		if err := p.rename(again, "ada", "Ada"); err != nil {
			t.Errorf("signed in again: %v", err)
		}
		if _, _, err := p.Accounts.SignOutUser(ctx, auth.Shell(), ada.ID); err != nil {
			t.Fatal(err)
		}
		refused("after an admin signed them out", again)
		if got := p.User("ada"); got.FullName != "Ada" || got.PasswordHash != ada.PasswordHash || got.Email != ada.Email {
			t.Errorf("the account is %+v", got)
		}
		if got := p.User("bob"); got.Role != models.RoleUser || got.Disabled() {
			t.Errorf("the other account is %+v", got)
		}
	})
}

func (p *portal) makeAccount(ctx context.Context, identity *auth.Identity) error {
	_, _, err := p.Accounts.CreateUser(ctx, identity.Actor(p.Client), account.NewUser{Account: profile("new"), Role: models.RoleUser})
	return err
}

// TestLinkEndsWithChange checks that a reset link stops working when the person
// changes their password or address.
func TestLinkEndsWithChange(t *testing.T) {
	each(t, nil, func(p *portal) {
		in := p.Join("ada")
		link := p.resetLink("ada")
		in, err := p.Accounts.ChangeEmail(t.Context(), p.Change(in, "ada2@example.org"))
		if err != nil {
			t.Fatal(err)
		}
		p.wantLink(link, account.LinkEnded)
		link = p.resetLink("ada")
		if _, err := p.Accounts.ChangePassword(t.Context(), p.Change(in, newPassword)); err != nil {
			t.Fatal(err)
		}
		p.wantLink(link, account.LinkEnded)
		_, err = p.Accounts.ResetPassword(t.Context(), account.Reset{Token: link, Password: "another-" + newPassword, Client: p.Client})
		wantKind(t, "the link", err, apperr.Conflict)
	})
}
