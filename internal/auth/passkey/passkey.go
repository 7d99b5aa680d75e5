// Package passkey makes the options of WebAuthn ceremonies and checks their results
// (Web Authentication Level 3).
//
// It decides which passkeys are accepted. It stores nothing and knows no accounts:
// package auth signs people in with them, package account adds and removes them. No
// other package imports the WebAuthn library.
package passkey

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"latchkey/internal/apperr"
)

// Options are what a Party needs.
type Options struct {
	PublicURL string   // the portal's origin
	Name      string   // of the portal
	Keys      [][]byte // sign challenges: the first one new ones, all of them are accepted
	Now       func() time.Time
}

// Party is the portal as a relying party. It is safe for concurrent use.
type Party struct {
	rpID   string
	reason string // why there are no passkeys; empty: there are
	keys   [][]byte
	now    func() time.Time
	lib    *webauthn.WebAuthn
}

// New returns a Party, or an error when an option is missing or wrong. On a URL where
// browsers allow no passkeys it returns one that refuses everything: see Unavailable.
func New(o Options) (*Party, error) {
	if len(o.Keys) == 0 || o.Now == nil || o.Name == "" {
		return nil, errors.New("passkey: Keys, Now and Name are required")
	}
	u, err := url.Parse(o.PublicURL)
	if err != nil {
		return nil, err
	}
	p := &Party{rpID: u.Hostname(), reason: unavailable(u), keys: o.Keys, now: o.Now}
	if p.reason != "" {
		return p, nil
	}
	p.lib, err = webauthn.New(&webauthn.Config{
		RPID: p.rpID, RPDisplayName: o.Name, RPOrigins: []string{o.PublicURL},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: protocol.ResidentKeyRequired(), ResidentKey: protocol.ResidentKeyRequirementRequired,
			UserVerification: protocol.VerificationRequired,
		},
		// Safari answers extensions that nobody asked for.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
		Timeouts:                          webauthn.TimeoutsConfig{Login: timeout, Registration: timeout},
	})
	return p, err
}

// timeout is how long a browser waits for the person.
var timeout = webauthn.TimeoutConfig{Timeout: ChallengeFor, TimeoutUVD: ChallengeFor}

// unavailable says why browsers allow no passkeys on a URL, "" when they do
// (Web Authentication §5.1.2, "effective domain").
func unavailable(u *url.URL) string {
	host := u.Hostname()
	_, err := netip.ParseAddr(host)
	switch {
	case err == nil:
		return "Passkeys need a host name. This portal is at " + u.Scheme + "://" + u.Host + ", which is an IP address."
	case u.Scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost"):
		return "Passkeys need https. This portal is at " + u.Scheme + "://" + u.Host + "."
	}
	return ""
}

// Unavailable says in a sentence why there are no passkeys here, "" when there are.
func (p *Party) Unavailable() string { return p.reason }

// RPID is the host that new passkeys belong to. They work on no other.
func (p *Party) RPID() string { return p.rpID }

// available returns apperr.Conflict where there are no passkeys.
func (p *Party) available() error {
	if p.reason != "" {
		return apperr.New(apperr.Conflict, p.reason, errors.New("no passkeys on this URL"))
	}
	return nil
}

// Person is the owner of passkeys as the browser shows them.
type Person struct {
	ID    string // the user handle: nothing about the person can be read from it
	Email string
	Name  string
	Keys  []Key
}

// Key is a passkey of a person.
type Key struct {
	CredentialID string // base64url
	PublicKey    string // COSE, base64url; not needed in options
	Transports   string // separated by spaces
}

// user is a Person for the library.
type user struct {
	Person
	credentials []webauthn.Credential
}

// WebAuthnID returns the user handle.
func (u user) WebAuthnID() []byte { return []byte(u.ID) }

// WebAuthnName returns the name that tells accounts apart.
func (u user) WebAuthnName() string { return u.Email }

// WebAuthnDisplayName returns the name to call the person.
func (u user) WebAuthnDisplayName() string { return u.Name }

// WebAuthnCredentials returns the passkeys.
func (u user) WebAuthnCredentials() []webauthn.Credential { return u.credentials }

// descriptors are the passkeys as a browser looks for them.
func descriptors(keys []Key) []protocol.CredentialDescriptor {
	list := make([]protocol.CredentialDescriptor, 0, len(keys))
	for _, key := range keys {
		id, err := decode(key.CredentialID)
		if err != nil {
			continue // it cannot be one that a browser has
		}
		d := protocol.CredentialDescriptor{Type: protocol.PublicKeyCredentialType, CredentialID: id}
		for _, transport := range strings.Fields(key.Transports) {
			d.Transport = append(d.Transport, protocol.AuthenticatorTransport(transport))
		}
		list = append(list, d)
	}
	return list
}
