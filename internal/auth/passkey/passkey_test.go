package passkey_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/google/go-cmp/cmp"

	"latchkey/internal/apperr"
	"latchkey/internal/auth/passkey"
)

const origin = "https://id.example.org"

var start = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func newParty(t *testing.T, url string, now func() time.Time, keys ...string) *passkey.Party {
	t.Helper()
	o := passkey.Options{PublicURL: url, Name: "Latchkey", Now: now}
	for _, key := range keys {
		o.Keys = append(o.Keys, []byte(key))
	}
	p, err := passkey.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestUnavailable(t *testing.T) {
	for url, want := range map[string]string{
		"https://id.example.org":      "",
		"https://id.example.org:8443": "",
		"http://localhost:8080":       "",
		"http://id.localhost":         "",
		"http://id.example.org":       "Passkeys need https. This portal is at http://id.example.org.",
		"https://192.0.2.7":           "Passkeys need a host name. This portal is at https://192.0.2.7, which is an IP address.",
		"http://127.0.0.1:8080":       "Passkeys need a host name. This portal is at http://127.0.0.1:8080, which is an IP address.",
		"https://[2001:db8::1]":       "Passkeys need a host name. This portal is at https://[2001:db8::1], which is an IP address.",
	} {
		p := newParty(t, url, time.Now, "key")
		if got := p.Unavailable(); got != want {
			t.Errorf("%s: got %q, want %q", url, got, want)
		}
		_, err := p.UseOptions(nil, passkey.SignIn)
		if (want == "") != (err == nil) || err != nil && apperr.KindOf(err) != apperr.Conflict {
			t.Errorf("%s: options: %v", url, err)
		}
	}
}

// newKey returns a key pair whose coordinates have no leading zeros, which the package
// would leave out (RFC 9053 §7.1: they have a fixed size).
func newKey() virtualwebauthn.Credential {
	for {
		if key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(key.Key.AttestationData()) == 77 {
			return key
		}
	}
}

// create adds a passkey with a party.
func create(t *testing.T, p *passkey.Party, device virtualwebauthn.Authenticator, key virtualwebauthn.Credential, rp virtualwebauthn.RelyingParty) (*passkey.Added, error) {
	t.Helper()
	person := passkey.Person{ID: "someone", Email: "ana@example.org", Name: "Ana"}
	options, err := p.CreateOptions(person, passkey.Adding("s", "someone"))
	if err != nil {
		t.Fatal(err)
	}
	asked, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	return p.CheckNew(person, json.RawMessage(virtualwebauthn.CreateAttestationResponse(rp, device, key, *asked)), passkey.Adding("s", "someone"))
}

// TestOptions pins what browsers are asked for (accounts.md §5).
func TestOptions(t *testing.T) {
	p := newParty(t, origin, func() time.Time { return start }, "key")
	person := passkey.Person{ID: "someone", Email: "ana@example.org", Name: "Ana", Keys: []passkey.Key{{CredentialID: "AAEC", Transports: "usb internal"}}}
	options, err := p.CreateOptions(person, passkey.Adding("s", "someone"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		PublicKey map[string]any `json:"publicKey"`
	}
	if err := json.Unmarshal(options, &got); err != nil {
		t.Fatal(err)
	}
	if challenge, _ := got.PublicKey["challenge"].(string); len(challenge) != 96 {
		t.Errorf("a challenge of %d characters, want 96", len(challenge))
	}
	delete(got.PublicKey, "challenge")
	delete(got.PublicKey, "pubKeyCredParams")
	want := map[string]any{
		"rp":                     map[string]any{"id": "id.example.org", "name": "Latchkey"},
		"user":                   map[string]any{"id": "c29tZW9uZQ", "name": "ana@example.org", "displayName": "Ana"},
		"timeout":                300000.0,
		"excludeCredentials":     []any{map[string]any{"type": "public-key", "id": "AAEC", "transports": []any{"usb", "internal"}}},
		"authenticatorSelection": map[string]any{"requireResidentKey": true, "residentKey": "required", "userVerification": "required"},
		"attestation":            "none",
		"extensions":             map[string]any{"credProps": true},
	}
	if diff := cmp.Diff(want, got.PublicKey); diff != "" {
		t.Error(diff)
	}
}

// TestUse creates a passkey and uses it, also after the master secret was changed.
func TestUse(t *testing.T) {
	now := start
	clock := func() time.Time { return now }
	p := newParty(t, origin, clock, "old key")
	rp := virtualwebauthn.RelyingParty{Name: "Latchkey", ID: "id.example.org", Origin: origin}
	device := virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: []byte("someone"), BackupEligible: true, BackupState: true})
	key := newKey()
	added, err := create(t, p, device, key, rp)
	if err != nil {
		t.Fatal(err)
	}
	if !added.BackupEligible || !added.BackedUp || added.SignCount != 0 {
		t.Errorf("got %+v, want a synced key that was not used", added)
	}
	options, err := p.UseOptions(nil, passkey.SignIn)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	key.Counter = 7
	sent := json.RawMessage(virtualwebauthn.CreateAssertionResponse(rp, device, key, *asked))
	for _, test := range []struct {
		name    string
		party   *passkey.Party
		purpose passkey.Purpose
		late    time.Duration
		want    apperr.Kind
	}{
		{"right", p, passkey.SignIn, 0, ""},
		{"after the master secret was changed", newParty(t, origin, clock, "new key", "old key"), passkey.SignIn, 0, ""},
		{"another portal's", newParty(t, origin, clock, "new key"), passkey.SignIn, 0, apperr.Invalid},
		{"another purpose's", p, passkey.Confirming("s", "someone"), 0, apperr.Invalid},
		{"at the last second", p, passkey.SignIn, passkey.ChallengeFor - time.Second, ""},
		{"too late", p, passkey.SignIn, passkey.ChallengeFor, apperr.Invalid},
	} {
		now = start.Add(test.late)
		answer, err := test.party.Read(sent, test.purpose)
		if apperr.KindOf(err) != test.want || err != nil && test.want == "" {
			t.Errorf("%s: %v, want kind %q", test.name, err, test.want)
			continue
		}
		if err != nil {
			continue
		}
		used, err := test.party.Check(answer, "someone", added.Key)
		if err != nil || used.SignCount != 7 || answer.CredentialID != added.CredentialID {
			t.Errorf("%s: got %+v, %v", test.name, used, err)
		}
		if _, err := test.party.Check(answer, "someone else", added.Key); apperr.KindOf(err) != apperr.Invalid {
			t.Errorf("%s: the passkey of another person: %v", test.name, err)
		}
	}
}

// TestChallengesAreSigned changes each byte of a challenge.
func TestChallengesAreSigned(t *testing.T) {
	p := newParty(t, origin, func() time.Time { return start }, "key")
	rp := virtualwebauthn.RelyingParty{Name: "Latchkey", ID: "id.example.org", Origin: origin}
	options, err := p.UseOptions(nil, passkey.SignIn)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	key := newKey()
	for i := range asked.Challenge {
		asked.Challenge[i] ^= 1
		sent := virtualwebauthn.CreateAssertionResponse(rp, virtualwebauthn.NewAuthenticator(), key, *asked)
		if _, err := p.Read(json.RawMessage(sent), passkey.SignIn); apperr.KindOf(err) != apperr.Invalid {
			t.Errorf("byte %d changed: %v, want %v", i, err, apperr.Invalid)
		}
		asked.Challenge[i] ^= 1
	}
}

func TestNameOf(t *testing.T) {
	for aaguid, want := range map[string]string{
		"fbfc3007154e4ecc8c0b6e020557d7bd":     "iCloud Keychain",
		"BADA5566-A7AA-401F-BD96-45619A55120D": "1Password",
		strings.Repeat("0", 32):                "Passkey",
		"":                                     "Passkey",
	} {
		if got := passkey.NameOf(aaguid); got != want {
			t.Errorf("NameOf(%q): got %q, want %q", aaguid, got, want)
		}
	}
}

// FuzzRead looks for answers that cannot be refused.
func FuzzRead(f *testing.F) {
	p, err := passkey.New(passkey.Options{PublicURL: origin, Name: "Latchkey", Keys: [][]byte{[]byte("key")}, Now: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"id":"AAEC","rawId":"AAEC","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"","attestationObject":"o2NmbXRkbm9uZQ"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		for name, err := range map[string]error{
			"use": func() error { _, err := p.Read(json.RawMessage(text), passkey.SignIn); return err }(),
			"new": func() error {
				_, err := p.CheckNew(passkey.Person{ID: "x"}, json.RawMessage(text), passkey.Adding("s", "x"))
				return err
			}(),
		} {
			if kind := apperr.KindOf(err); kind != apperr.Malformed && kind != apperr.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
