package bench

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/internal/auth"
	"latchkey/internal/oauth"
	"latchkey/models"
)

// BenchmarkAPI measures the most frequent requests of API clients, without the
// network.
func BenchmarkAPI(b *testing.B) {
	eachPortal(b, func(b *testing.B, p *portal) {
		tokens, secret := p.grant(b), p.personal(b)
		b.Run("users-me", func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, publicURL+"/users/me", nil)
			r.Header.Set("Authorization", "Bearer "+tokens.Access)
			p.call(b, r, "")
		})
		b.Run("introspect", func(b *testing.B) {
			r := httptest.NewRequest(http.MethodPost, publicURL+"/introspect", nil)
			r.Header.Set("Authorization", "Bearer "+secret)
			p.call(b, r, url.Values{"token": {tokens.Access}}.Encode())
		})
	})
}

// call sends the same request again and again, each time with the form if
// there is one.
func (p *portal) call(b *testing.B, r *http.Request, form string) {
	r.Header.Set("User-Agent", userAgent)
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	b.ReportAllocs()
	defer reportCPU(b)()
	for b.Loop() {
		if form != "" { // a body can be read only once
			r.Body, r.ContentLength, r.Form, r.PostForm = body{strings.NewReader(form)}, int64(len(form)), nil, nil
		}
		w := &sink{header: http.Header{}}
		if p.pages.ServeHTTP(w, r); w.status != http.StatusOK {
			b.Fatalf("status %d", w.status)
		}
	}
}

// body is a request's body in memory.
type body struct{ *strings.Reader }

// Close does nothing.
func (body) Close() error { return nil }

// BenchmarkAuthenticateBearer identifies the person of an API request, by a live
// access token and by a personal access token.
func BenchmarkAuthenticateBearer(b *testing.B) {
	client := auth.Client{IP: netip.MustParseAddr("127.0.0.1"), UserAgent: userAgent}
	eachPortal(b, func(b *testing.B, p *portal) {
		for _, kind := range []struct{ name, token string }{{"live", p.grant(b).Access}, {"personal", p.personal(b)}} {
			b.Run(kind.name, func(b *testing.B) {
				b.ReportAllocs()
				defer reportCPU(b)()
				for b.Loop() {
					caller, err := p.oauth.AuthenticateBearer(b.Context(), kind.token, client)
					if err != nil || !caller.Scopes.Has(oauth.ScopeMe) {
						b.Fatalf("got %+v, error %v", caller, err)
					}
				}
			})
		}
	})
}

// BenchmarkRefreshGrant moves an API session to its next generation and signs
// its tokens.
func BenchmarkRefreshGrant(b *testing.B) {
	client := auth.Client{IP: netip.MustParseAddr("127.0.0.1"), UserAgent: userAgent}
	eachPortal(b, func(b *testing.B, p *portal) {
		tokens := p.grant(b)
		b.ReportAllocs()
		defer reportCPU(b)()
		for b.Loop() {
			next, err := p.oauth.RefreshGrant(b.Context(), oauth.RefreshGrant{RefreshToken: tokens.Refresh}, client)
			if err != nil {
				b.Fatal(err)
			}
			tokens = next
		}
	})
}

// grant opens a session of the API.
func (p *portal) grant(b *testing.B) *oauth.Tokens {
	b.Helper()
	tokens, err := p.oauth.PasswordGrant(b.Context(), oauth.PasswordGrant{Username: "ada", Password: secretWord}, auth.Client{})
	if err != nil {
		b.Fatal(err)
	}
	return tokens
}

// personal creates a personal access token of an admin that may also introspect.
func (p *portal) personal(b *testing.B) string {
	b.Helper()
	secret, now := oauth.PersonalPrefix+strings.ToLower(rand.Text()+rand.Text()), models.At(time.Now())
	admin := &models.User{
		ID: models.NewID(), Username: "root", Email: "root@example.org", Role: models.RoleAdmin,
		CreatedAt: now, UpdatedAt: now, PasswordChangedAt: now,
	}
	if err := p.store.Users.Create(b.Context(), admin); err != nil {
		b.Fatal(err)
	}
	err := p.store.PersonalTokens.Create(b.Context(), &models.PersonalToken{
		ID: models.NewID(), UserID: admin.ID, Name: "bench", TokenHash: models.HashToken(secret), Hint: secret[len(secret)-4:],
		Scope: "me introspect", CreatedAt: now, ExpiresAt: models.At(time.Now().Add(time.Hour)),
	})
	if err != nil {
		b.Fatal(err)
	}
	return secret
}
