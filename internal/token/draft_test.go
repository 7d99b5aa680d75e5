package token_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"hash"
	"maps"
	"testing"
	"time"

	"latchkey/internal/token"
)

func newKeyring(t testing.TB, secret, previous []byte, now func() time.Time) *token.Keyring {
	t.Helper()
	ring, err := token.NewKeyring(issuer, secret, previous, now)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func key(t testing.TB, secret []byte, label string) []byte {
	t.Helper()
	derived, err := token.DeriveKey(secret, label)
	if err != nil {
		t.Fatal(err)
	}
	return derived
}

func kid(key []byte) string {
	sum := sha256.Sum256(key)
	return base64.RawURLEncoding.EncodeToString(sum[:8])
}

// draft is an unsigned token whose every part can be made wrong. newDraft returns a
// genuine one.
type draft struct {
	header, payload string
	key             []byte
	hash            func() hash.Hash
}

type object = map[string]any

func newDraft(t testing.TB, now time.Time) draft {
	key := key(t, secret, "latchkey/web-access/v1")
	return draft{
		header: text(object{"alg": "HS256", "typ": "at+jwt", "kid": kid(key)}), payload: text(claims(now)),
		key: key, hash: sha256.New,
	}
}

func claims(now time.Time) object {
	return object{
		"iss": issuer, "sub": "userid", "aud": "latchkey:web", "exp": now.Add(accessTTL).Unix(), "nbf": now.Unix(),
		"iat": now.Unix(), "jti": "tokenid", "sid": "sessionid", "gen": 1,
	}
}

func text(o object) string {
	data, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func segment(data string) string { return base64.RawURLEncoding.EncodeToString([]byte(data)) }

func (d draft) sign() string {
	signed := segment(d.header) + "." + segment(d.payload)
	mac := hmac.New(d.hash, d.key)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// with returns the object's text with members changed; nil removes one.
func with(o object, changes object) string {
	o = maps.Clone(o)
	for name, value := range changes {
		if o[name] = value; value == nil {
			delete(o, name)
		}
	}
	return text(o)
}
