package auth_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/auth"
)

var tokenClasses = []struct {
	class                      auth.Class
	name, label, typ, audience string
}{
	{auth.WebAccess, "web access", "latchkey/web-access/v1", "at+jwt", "latchkey:web"},
	{auth.WebRefresh, "web refresh", "latchkey/web-refresh/v1", "rt+jwt", "latchkey:refresh"},
	{auth.APIAccess, "API access", "latchkey/api-access/v1", "at+jwt", "latchkey:api"},
	{auth.APIRefresh, "API refresh", "latchkey/api-refresh/v1", "rt+jwt", "latchkey:api-refresh"},
}

func sampleClaims(now time.Time) auth.Claims {
	return auth.Claims{
		Subject: "userid", ID: "tokenid", IssuedAt: auth.DateOf(now), ExpiresAt: auth.DateOf(now.Add(time.Hour)),
		SessionID: "sessionid", Generation: 3,
	}
}

// TestClasses holds every class against every other, with tokens as they are
// signed and with the key of the one under the header and audience of the other.
func TestClasses(t *testing.T) {
	clock := newClock()
	now := clock.now().Truncate(time.Second)
	ring := newKeyring(t, secret, nil, clock.now)
	for _, made := range tokenClasses {
		token := ring.Sign(made.class, sampleClaims(now))
		for _, asked := range tokenClasses {
			_, err := ring.Verify(asked.class, token)
			if got, want := err == nil, made.class == asked.class; got != want {
				t.Errorf("%s accepted as %s: %v, want %v", made.name, asked.name, got, want)
			}
			disguised := newDraft(t, now)
			disguised.key = key(t, secret, made.label)
			disguised.header = text(object{"alg": "HS256", "typ": asked.typ, "kid": kid(disguised.key)})
			disguised.payload = with(claims(now), object{"aud": asked.audience})
			_, err = ring.Verify(asked.class, disguised.sign())
			if got, want := err == nil, made.class == asked.class; got != want {
				t.Errorf("%s signed by the key of %s accepted: %v, want %v", asked.name, made.name, got, want)
			}
		}
	}
}

func TestSecretRotation(t *testing.T) {
	clock := newClock()
	before := newKeyring(t, previous, nil, clock.now)
	during := newKeyring(t, secret, previous, clock.now)
	after := newKeyring(t, secret, nil, clock.now)
	for _, class := range tokenClasses {
		old := before.Sign(class.class, sampleClaims(clock.now()))
		fresh := during.Sign(class.class, sampleClaims(clock.now()))
		for _, test := range []struct {
			name  string
			ring  *auth.Keyring
			token string
			want  bool
		}{
			{"old token while rotating", during, old, true},
			{"old token afterwards", after, old, false},
			{"new token while rotating", during, fresh, true},
			{"new token afterwards", after, fresh, true},
			{"new token on a replica with the old secret alone", before, fresh, false},
		} {
			if _, err := test.ring.Verify(class.class, test.token); (err == nil) != test.want {
				t.Errorf("%s, %s: accepted %v, want %v", class.name, test.name, err == nil, test.want)
			}
		}
	}
}

func TestShortSecret(t *testing.T) {
	for name, secrets := range map[string][2][]byte{
		"empty":          {nil, nil},
		"31 bytes":       {secret[:31], nil},
		"short previous": {secret, previous[:31]},
	} {
		if _, err := auth.NewKeyring(issuer, secrets[0], secrets[1], time.Now); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestVerifyExpired(t *testing.T) {
	clock := newClock()
	now := clock.now().Truncate(time.Second)
	ring := newKeyring(t, secret, nil, clock.now)
	d := newDraft(t, now)
	expired := object{"exp": now.Add(-time.Hour).Unix(), "iat": now.Add(-2 * time.Hour).Unix(), "nbf": now.Add(-2 * time.Hour).Unix()}
	d.payload = with(claims(now), expired)
	if got, err := ring.VerifyExpired(auth.WebAccess, d.sign()); err != nil || got.SessionID != "sessionid" {
		t.Errorf("expired: %v, %+v", err, got)
	}
	live := newDraft(t, now)
	if _, err := ring.VerifyExpired(auth.WebAccess, live.sign()); err == nil {
		t.Error("a live token passes as expired")
	}
	for name, change := range map[string]func(*draft){
		"forged":      func(d *draft) { d.key = previous },
		"wrong aud":   func(d *draft) { d.payload = with(claims(now), merged(expired, object{"aud": "latchkey:api"})) },
		"wrong iss":   func(d *draft) { d.payload = with(claims(now), merged(expired, object{"iss": "https://evil.example"})) },
		"no iat":      func(d *draft) { d.payload = with(claims(now), merged(expired, object{"iat": nil})) },
		"never valid": func(d *draft) { d.payload = with(claims(now), merged(expired, object{"nbf": now.Unix()})) },
		"no sid":      func(d *draft) { d.payload = with(claims(now), merged(expired, object{"sid": nil})) },
		"wrong typ":   func(d *draft) { d.header = strings.Replace(d.header, "at+jwt", "rt+jwt", 1) },
	} {
		forged := d
		change(&forged)
		if _, err := ring.VerifyExpired(auth.WebAccess, forged.sign()); err == nil {
			t.Errorf("expired and %s: accepted", name)
		}
	}
}

func merged(a, b object) object {
	m := object{}
	for _, o := range []object{a, b} {
		for name, value := range o {
			m[name] = value
		}
	}
	return m
}

// decoded returns the header and the claims of a token.
func decoded(t *testing.T, token string) (header, claims object) {
	t.Helper()
	parts := strings.Split(token, ".")
	for i, into := range []*object{&header, &claims} {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

// TestClaims compares what people are given with docs/security.md: these members
// and no others, so no address, name or role.
func TestClaims(t *testing.T) {
	each(t, nil, func(p *portal) {
		in := p.signUp("ada")
		who := p.identity(in.Tokens)
		now := p.clock.now().Unix()
		for _, test := range []struct {
			token, label, typ, audience string
			expires                     int64
		}{
			{in.Tokens.Access, "latchkey/web-access/v1", "at+jwt", "latchkey:web", now + int64(accessTTL.Seconds())},
			{in.Tokens.Refresh, "latchkey/web-refresh/v1", "rt+jwt", "latchkey:refresh", now + int64(refreshTTL.Seconds())},
		} {
			header, claims := decoded(p.t, test.token)
			wantHeader := object{"alg": "HS256", "typ": test.typ, "kid": kid(key(p.t, secret, test.label))}
			if diff := cmp.Diff(wantHeader, header); diff != "" {
				p.t.Errorf("%s: header (-want +got):\n%s", test.audience, diff)
			}
			want := object{
				"iss": issuer, "aud": test.audience, "sub": who.UserID, "sid": who.SessionID, "gen": 1.0, "jti": claims["jti"],
				"iat": float64(now), "nbf": float64(now), "exp": float64(test.expires),
			}
			if diff := cmp.Diff(want, claims); diff != "" {
				p.t.Errorf("%s: claims (-want +got):\n%s", test.audience, diff)
			}
			if jti, _ := claims["jti"].(string); len(jti) < 22 {
				p.t.Errorf("%s: jti is %q, want 128 bits", test.audience, jti)
			}
			if len(test.token) >= 1024 {
				p.t.Errorf("%s: the token has %d bytes, want less than 1 KiB", test.audience, len(test.token))
			}
		}
	})
}

func FuzzVerify(f *testing.F) {
	clock := newClock()
	now := clock.now().Truncate(time.Second)
	ring := newKeyring(f, secret, previous, clock.now)
	good := newDraft(f, now)
	f.Add(good.sign())
	f.Add(good.sign() + "=")
	f.Add(segment(`{"alg":"none"}`) + "." + segment(good.payload) + ".")
	f.Add("...")
	f.Add("")
	for _, class := range tokenClasses {
		token := ring.Sign(class.class, sampleClaims(now))
		f.Add(token)
		f.Add(token[:len(token)-1])
		f.Add(strings.ToUpper(token))
	}
	f.Fuzz(func(t *testing.T, token string) {
		accepted := 0
		for _, class := range tokenClasses {
			claims, err := ring.Verify(class.class, token)
			if err != nil {
				continue
			}
			accepted++
			// Nobody but us can sign: what passes is what we would write.
			again := ring.Sign(class.class, *claims)
			if again != token && token != good.sign() {
				t.Errorf("%s: %q passes and is not what %q was signed as", class.name, token, again)
			}
		}
		if accepted > 1 {
			t.Errorf("%q passes as %d classes", token, accepted)
		}
	})
}
