package passkey

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"latchkey/internal/apperr"
)

// New passkeys are refused with one of these.
const (
	unreadable  = "The browser sent something that we cannot read. Try again, or use another browser."
	notAccepted = "This passkey could not be checked. Try again, or use another device."
	notVerified = "Your device did not check that it is you. Use one with a fingerprint, face or PIN."
)

// Added is a passkey that was just created.
type Added struct {
	Key
	AAGUID         string // hex
	SignCount      int64
	BackupEligible bool
	BackedUp       bool
	Challenge      Challenge
}

// CreateOptions returns the options with which a browser creates a passkey, as JSON.
// person.Keys are those that the person has: a device that has one of them creates no
// other. It returns apperr.Conflict where there are no passkeys.
func (p *Party) CreateOptions(person Person, purpose Purpose) (json.RawMessage, error) {
	if err := p.available(); err != nil {
		return nil, err
	}
	creation, _, err := p.lib.BeginRegistration(user{Person: person},
		webauthn.WithExclusions(descriptors(person.Keys)),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = p.newChallenge(purpose)
			o.Extensions.CredProps = true
			return nil
		})
	if err != nil {
		return nil, err
	}
	return json.Marshal(creation)
}

// CheckNew checks what a browser returned for CreateOptions. The attestation is not
// looked at: none was asked for, and no kind of authenticator is refused. It returns
// apperr.Malformed, apperr.Invalid, or apperr.Conflict where there are no passkeys.
func (p *Party) CheckNew(person Person, answer json.RawMessage, purpose Purpose) (*Added, error) {
	if err := p.available(); err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, apperr.New(apperr.Malformed, unreadable, explain(err))
	}
	text := parsed.Response.CollectedClientData.Challenge
	challenge, err := p.openChallenge(text, purpose)
	if err != nil {
		return nil, err
	}
	object := &parsed.Response.AttestationObject
	object.Format, object.AttStatement, object.SubStatements = string(protocol.AttestationFormatNone), nil, nil
	if !object.AuthData.Flags.HasUserVerified() {
		return nil, apperr.New(apperr.Invalid, notVerified, errors.New("no user verification"))
	}
	made, err := p.lib.CreateCredential(user{Person: person}, webauthn.SessionData{
		Challenge: text, RelyingPartyID: p.rpID, UserID: []byte(person.ID), UserVerification: protocol.VerificationRequired,
		CredParams: webauthn.CredentialParametersDefault(), Extensions: protocol.AuthenticationExtensions{CredProps: true}.Session(),
	}, parsed)
	if err == nil {
		_, err = webauthncose.ParsePublicKey(made.PublicKey)
	}
	if err != nil {
		return nil, apperr.New(apperr.Invalid, notAccepted, explain(err))
	}
	return &Added{
		Key:    Key{CredentialID: encode(made.ID), PublicKey: encode(made.PublicKey), Transports: transports(made.Transport)},
		AAGUID: hex.EncodeToString(made.Authenticator.AAGUID), SignCount: int64(made.Authenticator.SignCount),
		BackupEligible: made.Flags.BackupEligible, BackedUp: made.Flags.BackupState, Challenge: challenge,
	}, nil
}

// transports keeps the transports that the standard names (§5.8.4): what a browser
// sends here comes back in options.
func transports(list []protocol.AuthenticatorTransport) string {
	var known []string
	for _, t := range list {
		switch t {
		case protocol.USB, protocol.NFC, protocol.BLE, protocol.Hybrid, protocol.Internal, protocol.SmartCard:
			if !strings.Contains(" "+strings.Join(known, " ")+" ", " "+string(t)+" ") {
				known = append(known, string(t))
			}
		}
	}
	return strings.Join(known, " ")
}

// explain adds what the library knows about a failure, for the log.
func explain(err error) error {
	failure, ok := errors.AsType[*protocol.Error](err)
	if !ok || failure.DevInfo == "" {
		return err
	}
	return errors.Join(err, errors.New(failure.DevInfo))
}
