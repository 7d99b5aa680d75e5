package handlers_test

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/descope/virtualwebauthn"

	"latchkey/models"
)

// key is a passkey on a device, and the browser that answers for it.
type key struct {
	site    *site
	rp      virtualwebauthn.RelyingParty
	options virtualwebauthn.AuthenticatorOptions
	aaguid  [16]byte
	virtualwebauthn.Credential
}

// coseSize is the size of a COSE key of P-256 (RFC 9053 §7.1).
const coseSize = 77

// newKey returns a passkey of an account that was not added yet.
func (s *site) newKey(user *models.User) *key {
	made := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(made.Key.AttestationData()) != coseSize { // the package leaves out leading zeros
		made = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	host := strings.Split(strings.SplitN(s.URL, "://", 2)[1], ":")[0]
	return &key{
		site: s, rp: virtualwebauthn.RelyingParty{Name: "Latchkey", ID: host, Origin: s.URL},
		options: virtualwebauthn.AuthenticatorOptions{UserHandle: []byte(user.ID)}, Credential: made,
	}
}

func (k *key) authenticator() virtualwebauthn.Authenticator {
	a := virtualwebauthn.NewAuthenticatorWithOptions(k.options)
	a.Aaguid = k.aaguid
	return a
}

// script sends what the script of a page sends.
func (b *browser) script(path, body string) *answer {
	b.site.T.Helper()
	r := b.request(http.MethodPost, path, body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "*/*")
	return b.do(r)
}

// create returns what the browser sends when the device creates the passkey.
func (k *key) create(b *browser) string {
	k.site.T.Helper()
	asked, err := virtualwebauthn.ParseAttestationOptions(b.script("/profile/security/passkeys/options", "{}").status(200).body)
	if err != nil {
		k.site.T.Fatal(err)
	}
	return wrapped(virtualwebauthn.CreateAttestationResponse(k.rp, k.authenticator(), k.Credential, *asked))
}

// use returns what the browser sends when the device uses the passkey for the options
// at a path.
func (k *key) use(b *browser, path string) string {
	k.site.T.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(b.script(path, "{}").status(200).body)
	if err != nil {
		k.site.T.Fatal(err)
	}
	return wrapped(virtualwebauthn.CreateAssertionResponse(k.rp, k.authenticator(), k.Credential, *asked))
}

// signIn returns what the browser sends for a sign-in.
func (k *key) signIn(b *browser) string { return k.use(b, "/login/passkey/options") }

func wrapped(credential string) string { return `{"credential":` + credential + `}` }

// addTo adds the passkey to the account of a browser and returns its row.
func (k *key) addTo(b *browser) *models.Passkey {
	k.site.T.Helper()
	b.script("/profile/security/passkeys", k.create(b)).status(200)
	row, err := k.site.Store.Passkeys.ByCredential(k.site.T.Context(), encoded(k.ID))
	if err != nil {
		k.site.T.Fatal(err)
	}
	return row
}

// next returns where an answer of a script leads.
func (a *answer) next() string {
	a.t.Helper()
	a.status(200)
	var in struct {
		Next string `json:"next"`
	}
	if err := json.Unmarshal([]byte(a.body), &in); err != nil {
		a.t.Errorf("%s: %v\n%s", a.asked, err, a.body)
	}
	return in.Next
}

// problem checks that an answer is a problem document with a sentence, and returns it.
func (a *answer) problem(status int, detail string) (found struct {
	Status  int
	Detail  string
	Next    string
	Unknown bool
},
) {
	a.t.Helper()
	a.status(status)
	if err := json.Unmarshal([]byte(a.body), &found); err != nil || a.header.Get("Content-Type") != "application/problem+json" || found.Status != status {
		a.t.Errorf("%s: got %s %q (%v), want a problem with status %d", a.asked, a.header.Get("Content-Type"), a.body, err, status)
	}
	if detail != "" && !strings.Contains(found.Detail, detail) {
		a.t.Errorf("%s: got %q, want %q", a.asked, found.Detail, detail)
	}
	return found
}
