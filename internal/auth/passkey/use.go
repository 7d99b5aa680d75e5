package passkey

import (
	"encoding/json"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"latchkey/internal/apperr"
)

// Answer is what a browser returned for UseOptions. It is not checked yet.
type Answer struct {
	CredentialID string // base64url
	Challenge    Challenge

	text   string // of the challenge
	parsed *protocol.ParsedCredentialAssertionData
}

// Used is a passkey whose owner is here.
type Used struct {
	SignCount      int64
	BackupEligible bool
	BackedUp       bool
}

// UseOptions returns the options with which a browser uses a passkey, as JSON: one of
// keys, or without keys any that the device has for this portal. It returns
// apperr.Conflict where there are no passkeys.
func (p *Party) UseOptions(keys []Key, purpose Purpose) (json.RawMessage, error) {
	if err := p.available(); err != nil {
		return nil, err
	}
	assertion, _, err := p.lib.BeginDiscoverableLogin(func(o *protocol.PublicKeyCredentialRequestOptions) error {
		o.Challenge = p.newChallenge(purpose)
		o.AllowedCredentials = descriptors(keys)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(assertion)
}

// Read reads what a browser returned for UseOptions. It returns apperr.Malformed,
// apperr.Invalid, or apperr.Conflict where there are no passkeys.
func (p *Party) Read(answer json.RawMessage, purpose Purpose) (*Answer, error) {
	if err := p.available(); err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return nil, apperr.New(apperr.Malformed, unreadable, explain(err))
	}
	text := parsed.Response.CollectedClientData.Challenge
	challenge, err := p.openChallenge(text, purpose)
	if err != nil {
		return nil, err
	}
	return &Answer{CredentialID: encode(parsed.RawID), Challenge: challenge, text: text, parsed: parsed}, nil
}

// Check checks an answer with the passkey that it names, which belongs to userID. It
// returns apperr.Invalid for one that is not right.
//
// The library refuses a passkey whose "backup eligible" flag has changed. The caller
// decides about that: it gets the flag as the authenticator sent it.
func (p *Party) Check(answer *Answer, userID string, key Key) (*Used, error) {
	id, idErr := decode(key.CredentialID)
	public, keyErr := decode(key.PublicKey)
	if err := errors.Join(idErr, keyErr); err != nil {
		return nil, err
	}
	flags := answer.parsed.Response.AuthenticatorData.Flags
	if !flags.HasUserVerified() {
		return nil, apperr.New(apperr.Invalid, notVerified, errors.New("no user verification"))
	}
	owner := user{Person: Person{ID: userID}, credentials: []webauthn.Credential{{
		ID: id, PublicKey: public, Flags: webauthn.NewCredentialFlags(flags),
	}}}
	_, err := p.lib.ValidateLogin(owner, webauthn.SessionData{
		Challenge: answer.text, RelyingPartyID: p.rpID, UserID: []byte(userID), UserVerification: protocol.VerificationRequired,
	}, answer.parsed)
	if err != nil {
		return nil, apperr.New(apperr.Invalid, notAccepted, explain(err))
	}
	return &Used{
		SignCount: int64(answer.parsed.Response.AuthenticatorData.Counter), BackupEligible: flags.HasBackupEligible(), BackedUp: flags.HasBackupState(),
	}, nil
}
