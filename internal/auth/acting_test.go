package auth_test

import (
	"context"
	"testing"

	"latchkey/internal/apperr"
	"latchkey/internal/auth"
	"latchkey/models"
)

// TestSignedOutMeanwhile: who came through the door and was signed out before
// the act, because their client took its time to send the body, does not act.
func TestSignedOutMeanwhile(t *testing.T) {
	each(t, nil, func(p *portal) {
		ctx := t.Context()
		p.admin("boss")
		in := p.signUp("ada")
		p.signUp("bob")
		ada, bob := p.user("ada"), p.user("bob")
		if _, err := p.SetRole(ctx, auth.Shell(), ada.ID, models.RoleAdmin); err != nil {
			t.Fatal(err)
		}
		_, token := p.personal(in.Tokens, "me:write users:write", 30)
		byToken := *p.identity(in.Tokens)
		byToken.SessionID, byToken.PersonalTokenID = "", token.ID
		bySession := p.identity(in.Tokens)
		other, drafted := p.sessionOf(ada), p.draft(in.Tokens)

		own := func(who *auth.Identity) map[string]func() error {
			change := auth.CredentialChange{Who: who, Current: goodPassword, New: newPassword, Client: p.client}
			address := change
			address.New = "new@example.org"
			draft := drafted
			draft.Who = who
			return map[string]func() error{
				"profile":         func() error { return p.UpdateProfile(ctx, who, "ada", "Somebody Else", p.client) },
				"password":        func() error { _, err := p.ChangePassword(ctx, change); return err },
				"email":           func() error { _, err := p.ChangeEmail(ctx, address); return err },
				"token":           func() error { _, _, err := p.CreatePersonalToken(ctx, draft); return err },
				"end a token":     func() error { _, err := p.EndPersonalToken(ctx, who, token.ID, p.client); return err },
				"end a session":   func() error { _, err := p.EndSession(ctx, who, other, p.client); return err },
				"end the others":  func() error { _, err := p.EndOtherSessions(ctx, who, p.client); return err },
				"make an admin":   func() error { _, err := p.SetRole(ctx, who.Actor(p.client), bob.ID, models.RoleAdmin); return err },
				"disable":         func() error { _, _, err := p.Disable(ctx, who.Actor(p.client), bob.ID, ""); return err },
				"make an account": func() error { return p.makeAccount(ctx, who) },
				"make a link":     func() error { _, _, err := p.CreateResetLink(ctx, who.Actor(p.client), bob.ID); return err },
			}
		}
		refused := func(what string, who *auth.Identity) {
			t.Helper()
			for name, act := range own(who) {
				wantKind(t, what+": "+name, act(), apperr.Unauthorized)
			}
		}

		if err := p.store.PersonalTokens.End(ctx, token.ID, ada.ID, models.ReasonElse, p.clock.now()); err != nil {
			t.Fatal(err)
		}
		refused("a token that was ended", &byToken)
		nobody := *bySession
		nobody.SessionID = ""
		refused("neither session nor token", &nobody)
		theirs := *bySession
		theirs.SessionID = p.sessionOf(bob)
		refused("somebody else's session", &theirs)
		if err := p.Logout(ctx, auth.Presented{Access: in.Tokens.Access}, p.client); err != nil {
			t.Fatal(err)
		}
		refused("after signing out", bySession)

		again := p.identity(p.login("ada").Tokens)
		if err := p.UpdateProfile(ctx, again, "ada", "Ada", p.client); err != nil {
			t.Errorf("signed in again: %v", err)
		}
		if _, _, err := p.SignOutUser(ctx, auth.Shell(), ada.ID); err != nil {
			t.Fatal(err)
		}
		refused("after an admin signed them out", again)
		if got := p.user("ada"); got.FullName != "Ada" || got.PasswordHash != ada.PasswordHash || got.Email != ada.Email {
			t.Errorf("the account is %+v", got)
		}
		if got := p.user("bob"); got.Role != models.RoleUser || got.Disabled() {
			t.Errorf("the other account is %+v", got)
		}
	})
}

func (p *portal) makeAccount(ctx context.Context, who *auth.Identity) error {
	_, _, err := p.CreateUser(ctx, who.Actor(p.client), auth.NewUser{Account: account("new"), Role: models.RoleUser})
	return err
}

// TestLinkEndsWithChange: whoever has a copy of a set-password link is out when
// the person changes their password or address.
func TestLinkEndsWithChange(t *testing.T) {
	each(t, nil, func(p *portal) {
		in := p.signUp("ada")
		link := p.resetLink("ada")
		in, err := p.ChangeEmail(t.Context(), p.change(in, "ada2@example.org"))
		if err != nil {
			t.Fatal(err)
		}
		p.wantLink(link, auth.LinkEnded)
		link = p.resetLink("ada")
		if _, err := p.ChangePassword(t.Context(), p.change(in, newPassword)); err != nil {
			t.Fatal(err)
		}
		p.wantLink(link, auth.LinkEnded)
		wantKind(t, "the link", p.ResetPassword(t.Context(), link, "another-"+newPassword, p.client), apperr.Conflict)
	})
}
