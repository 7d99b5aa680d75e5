package oauth_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"latchkey/internal/account"
	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/oauth"
	"latchkey/internal/servicetest"
	"latchkey/internal/token"
	"latchkey/models"
)

// TestDisableAPIRace disables an account while clients refresh, sign in and create
// personal access tokens. Whatever their order, no token is accepted afterwards.
func TestDisableAPIRace(t *testing.T) {
	each(t, nil, func(p *portal) {
		for round := range 10 {
			name := fmt.Sprintf("ada%d", round)
			browser := p.Join(name).Tokens
			draft, user := p.Draft(browser), p.User(name)
			var before []*oauth.Tokens
			for range 10 {
				before = append(before, p.Grant(name, ""))
			}
			var mu sync.Mutex
			given, secrets := append([]*oauth.Tokens(nil), before...), []string(nil)
			parallel(31, func(i int) {
				var tokens *oauth.Tokens
				var secret string
				var err error
				switch {
				case i == 15:
					_, _, err = p.Accounts.Disable(t.Context(), auth.Shell(), user.ID, "")
				case i < 10:
					tokens, err = p.OAuth.RefreshGrant(t.Context(), oauth.RefreshGrant{RefreshToken: before[i].Refresh}, p.Client)
				case i < 21:
					secret, _, err = p.Accounts.CreatePersonalToken(t.Context(), draft)
				default:
					tokens, err = p.OAuth.PasswordGrant(t.Context(), oauth.PasswordGrant{Username: name, Password: goodPassword}, p.Client)
				}
				kind := apperr.KindOf(err)
				if err != nil && !errors.Is(err, oauth.ErrInvalidGrant) && kind != apperr.Unauthorized && kind != apperr.Unavailable {
					t.Errorf("round %d, caller %d: %v", round, i, err)
				}
				mu.Lock()
				defer mu.Unlock()
				if tokens != nil {
					given = append(given, tokens)
				}
				if secret != "" {
					secrets = append(secrets, secret)
				}
			})
			for _, tokens := range given {
				p.WantDead(fmt.Sprintf("round %d", round), tokens)
			}
			for _, secret := range secrets {
				p.WantNoBearer(fmt.Sprintf("round %d: a personal access token", round), secret)
			}
		}
	})
}

// TestPasswordChangeRace checks clients that send the old password during a change.
// Each is either refused, or signed in before the change and then signed out by it.
func TestPasswordChangeRace(t *testing.T) {
	each(t, nil, func(p *portal) {
		for round := range 10 {
			name := fmt.Sprintf("ada%d", round)
			identity := p.Identity(p.Join(name).Tokens)
			given := make([]*oauth.Tokens, 10)
			parallel(11, func(i int) {
				var err error
				if i == 10 {
					_, err = p.Accounts.ChangePassword(t.Context(), account.CredentialChange{
						Identity: identity, Current: goodPassword, New: "another-quiet-lantern-29", Client: p.Client,
					})
				} else {
					given[i], err = p.OAuth.PasswordGrant(t.Context(), oauth.PasswordGrant{Username: name, Password: goodPassword}, p.Client)
				}
				if err != nil && !errors.Is(err, oauth.ErrInvalidGrant) {
					t.Errorf("round %d, caller %d: %v", round, i, err)
				}
			})
			for i, tokens := range given {
				if tokens != nil {
					p.WantDead(fmt.Sprintf("round %d, caller %d", round, i), tokens)
				}
			}
		}
	})
}

// TestRestoredAPI checks that tokens that are newer than a restored database end
// their session, without reporting a copied token.
func TestRestoredAPI(t *testing.T) {
	each(t, nil, func(p *portal) {
		p.Join("ada")
		tokens := p.Grant("ada", "")
		ring, err := token.NewKeyring(issuer, []byte(servicetest.Secret), nil, p.Clock.Now)
		if err != nil {
			t.Fatal(err)
		}
		future := map[token.Class]string{}
		for class, genuine := range map[token.Class]string{token.APIAccess: tokens.Access, token.APIRefresh: tokens.Refresh} {
			claims, err := ring.Verify(class, genuine)
			if err != nil {
				t.Fatal(err)
			}
			claims.Generation += 5
			future[class] = ring.Sign(class, *claims)
		}
		sid := p.Caller(tokens.Access).SessionID
		p.WantNoBearer("an access token of a generation that is not there yet", future[token.APIAccess])
		if _, err := p.RefreshAPI(future[token.APIRefresh], ""); !errors.Is(err, oauth.ErrInvalidGrant) {
			t.Errorf("%v, want %v", err, oauth.ErrInvalidGrant)
		}
		p.WantDead("after the token from the future", tokens)
		if session := p.Session(sid); session.EndReason != models.ReasonRestored || p.Events(audit.Replay) != 0 || p.Events(audit.Restored) != 1 {
			t.Errorf("ended because %q with %d replays", session.EndReason, p.Events(audit.Replay))
		}
	})
}
