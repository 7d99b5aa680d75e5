package auth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/token"
)

type object = map[string]any

func newKeyring(t *testing.T, now func() time.Time) *token.Keyring {
	t.Helper()
	ring, err := token.NewKeyring(issuer, secret, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// keyID returns the kid of the key that the label stands for.
func keyID(t *testing.T, label string) string {
	t.Helper()
	key, err := token.DeriveKey(secret, label)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(key)
	return base64.RawURLEncoding.EncodeToString(sum[:8])
}

// TestClaims compares the claims of tokens with docs/security.md: these and no
// others, so no address, name or role.
func TestClaims(t *testing.T) {
	each(t, nil, func(p *portal) {
		in := p.Join("ada")
		identity := p.Identity(in.Tokens)
		now := p.Clock.Now().Unix()
		for _, test := range []struct {
			token, label, typ, audience string
			expires                     int64
		}{
			{in.Tokens.Access, "latchkey/web-access/v1", "at+jwt", "latchkey:web", now + int64(accessTTL.Seconds())},
			{in.Tokens.Refresh, "latchkey/web-refresh/v1", "rt+jwt", "latchkey:refresh", now + int64(sessionTTL.Seconds())},
		} {
			header, claims := decoded(p.T, test.token)
			wantHeader := object{"alg": "HS256", "typ": test.typ, "kid": keyID(p.T, test.label)}
			if diff := cmp.Diff(wantHeader, header); diff != "" {
				p.T.Errorf("%s: header (-want +got):\n%s", test.audience, diff)
			}
			want := object{
				"iss": issuer, "aud": test.audience, "sub": identity.UserID, "sid": identity.SessionID, "gen": 1.0, "jti": claims["jti"],
				"iat": float64(now), "nbf": float64(now), "exp": float64(test.expires),
			}
			if diff := cmp.Diff(want, claims); diff != "" {
				p.T.Errorf("%s: claims (-want +got):\n%s", test.audience, diff)
			}
			if jti, _ := claims["jti"].(string); len(jti) < 22 {
				p.T.Errorf("%s: jti is %q, want 128 bits", test.audience, jti)
			}
			if len(test.token) >= 1024 {
				p.T.Errorf("%s: the token has %d bytes, want less than 1 KiB", test.audience, len(test.token))
			}
		}
	})
}
