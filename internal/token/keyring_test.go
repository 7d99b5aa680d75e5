package token_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"latchkey/internal/token"
)

var tokenClasses = []struct {
	class                      token.Class
	name, label, typ, audience string
}{
	{token.WebAccess, "web access", "latchkey/web-access/v1", "at+jwt", "latchkey:web"},
	{token.WebRefresh, "web refresh", "latchkey/web-refresh/v1", "rt+jwt", "latchkey:refresh"},
	{token.APIAccess, "API access", "latchkey/api-access/v1", "at+jwt", "latchkey:api"},
	{token.APIRefresh, "API refresh", "latchkey/api-refresh/v1", "rt+jwt", "latchkey:api-refresh"},
}

func sampleClaims(now time.Time) token.Claims {
	return token.Claims{
		Subject: "userid", ID: "tokenid", IssuedAt: token.DateOf(now), ExpiresAt: token.DateOf(now.Add(time.Hour)),
		SessionID: "sessionid", Generation: 3,
	}
}

// TestClasses checks every class against every other, with tokens as they are signed
// and with the key of one class and the header and audience of the other.
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
			ring  *token.Keyring
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
		if _, err := token.NewKeyring(issuer, secrets[0], secrets[1], time.Now); err == nil {
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
	if got, err := ring.VerifyExpired(token.WebAccess, d.sign()); err != nil || got.SessionID != "sessionid" {
		t.Errorf("expired: %v, %+v", err, got)
	}
	live := newDraft(t, now)
	if _, err := ring.VerifyExpired(token.WebAccess, live.sign()); err == nil {
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
		if _, err := ring.VerifyExpired(token.WebAccess, forged.sign()); err == nil {
			t.Errorf("expired and %s: accepted", name)
		}
	}
}

// TestVerifySays checks that the three errors are distinguished: a token that is only
// outside its time is not a broken one.
func TestVerifySays(t *testing.T) {
	clock := newClock()
	now := clock.now().Truncate(time.Second)
	ring := newKeyring(t, secret, nil, clock.now)
	at := func(iat, nbf, exp time.Duration) object {
		return object{"iat": now.Add(iat).Unix(), "nbf": now.Add(nbf).Unix(), "exp": now.Add(exp).Unix()}
	}
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		change object
		want   error
	}{
		"live":                             {at(-time.Minute, -time.Minute, time.Minute), nil},
		"issued within the leeway":         {at(59*time.Second, 59*time.Second, day), nil},
		"issued in the future":             {at(time.Hour, time.Hour, day), token.ErrNotYet},
		"issued in half a year":            {at(181*day, 181*day, 188*day), token.ErrNotYet},
		"not valid before the future":      {at(0, time.Hour, day), token.ErrNotYet},
		"expired within the leeway":        {at(-time.Hour, -time.Hour, -4*time.Second), nil},
		"expired beyond the leeway":        {at(-time.Hour, -time.Hour, -6*time.Second), token.ErrExpired},
		"expired long ago":                 {at(-2*day, -2*day, -day), token.ErrExpired},
		"expired before it was issued":     {at(0, 0, -time.Hour), token.ErrRefused},
		"from the future, of another":      {merged(at(time.Hour, time.Hour, day), object{"iss": "https://evil.example"}), token.ErrRefused},
		"from the future, another class":   {merged(at(time.Hour, time.Hour, day), object{"aud": "latchkey:api"}), token.ErrRefused},
		"from the future, without session": {merged(at(time.Hour, time.Hour, day), object{"sid": nil}), token.ErrRefused},
		"expired, of another":              {merged(at(-2*day, -2*day, -day), object{"iss": "https://evil.example"}), token.ErrRefused},
	} {
		d := newDraft(t, now)
		d.payload = with(claims(now), test.change)
		got, err := ring.Verify(token.WebAccess, d.sign())
		if !errors.Is(err, test.want) || (got == nil) != (test.want != nil) {
			t.Errorf("%s: %+v, %v; want %v", name, got, err, test.want)
		}
		d.key = previous
		if _, err := ring.Verify(token.WebAccess, d.sign()); !errors.Is(err, token.ErrRefused) {
			t.Errorf("%s and forged: %v, want %v", name, err, token.ErrRefused)
		}
	}
}

// TestDelivery checks that a token contains its delivery, and that a token without
// the claim, as from earlier versions, is the first of its generation.
func TestDelivery(t *testing.T) {
	clock := newClock()
	now := clock.now().Truncate(time.Second)
	ring := newKeyring(t, secret, nil, clock.now)
	for name, test := range map[string]struct {
		change object
		want   int64
		ok     bool
	}{
		"absent":     {nil, 0, true},
		"0":          {object{"dlv": 0}, 0, true},
		"19":         {object{"dlv": 19}, 19, true},
		"negative":   {object{"dlv": -1}, 0, false},
		"a fraction": {object{"dlv": 0.5}, 0, false},
		"a string":   {object{"dlv": "1"}, 0, false},
	} {
		d := newDraft(t, now)
		d.payload = with(claims(now), test.change)
		got, err := ring.Verify(token.WebAccess, d.sign())
		if (err == nil) != test.ok || err == nil && got.Delivery != test.want {
			t.Errorf("%s: %+v, %v; want %d", name, got, err, test.want)
		}
	}
	made := sampleClaims(now)
	if strings.Contains(payload(t, ring.Sign(token.WebRefresh, made)), "dlv") {
		t.Error("the first delivery is written")
	}
	made.Delivery = 2
	if got, err := ring.Verify(token.WebRefresh, ring.Sign(token.WebRefresh, made)); err != nil || got.Delivery != 2 {
		t.Errorf("%+v, %v; want delivery 2", got, err)
	}
}

func payload(t *testing.T, text string) string {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestRefreshID checks that the id of a refresh token is derived only from the row,
// and that no two refresh tokens have the same id.
func TestRefreshID(t *testing.T) {
	seen := map[string]bool{}
	for _, sid := range []string{"a", "b"} {
		for generation := range int64(3) {
			for delivery := range int64(3) {
				id := token.RefreshID(sid, generation, delivery)
				if id != token.RefreshID(sid, generation, delivery) || len(id) != 22 || seen[id] {
					t.Errorf("%s, generation %d, delivery %d: %q", sid, generation, delivery, id)
				}
				seen[id] = true
			}
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
			// Only the portal can sign, so it must write every accepted token in the same way.
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
