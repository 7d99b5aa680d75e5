package auth

import (
	"context"
	"encoding/json"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth/passkey"
	"latchkey/internal/limit"
	"latchkey/models"
)

// Passkeys returns the portal as a relying party.
func (s *Service) Passkeys() *passkey.Party { return s.passkeys }

// ErrUnknownPasskey is the cause of apperr.NotFound for a passkey that no account has:
// the browser can forget it.
var ErrUnknownPasskey = errors.New("no account has the passkey")

// The words for passkeys that are refused. Those about accounts are only for the owner
// of the passkey, whom the device has checked.
const (
	unknownPasskey = "This passkey is not in use here any more. Use another passkey, or your password."
	noAccount      = "The account of this passkey does not exist any more. Use another passkey, or create an account."
	spentChallenge = "This was sent already. Try again."
	wasSynced      = "This passkey was refused, because its device says something else about it than before. Use another passkey, or your password."
)

// PasskeyLogin is a sign-in with a passkey.
type PasskeyLogin struct {
	Answer    json.RawMessage // as the browser returned it
	Remember  bool            // "Stay signed in"
	Device    string          // the device cookie; may be empty
	Presented Presented
	Client    Client
}

// LoginOptions returns the options of a sign-in with a passkey, the same for every
// visitor. It returns apperr.Conflict where there are no passkeys.
func (s *Service) LoginOptions() (json.RawMessage, error) {
	return s.passkeys.UseOptions(nil, passkey.SignIn)
}

// LoginPasskey signs a person in with a passkey, which counts as both steps. It returns
// an error with a sentence: apperr.Malformed and apperr.Invalid for a wrong answer,
// apperr.NotFound with ErrUnknownPasskey, apperr.Unauthorized when the account does not
// exist any more, apperr.Disabled, apperr.TooMany, and apperr.Conflict where there are
// no passkeys. Its other errors are those of Login.
func (s *Service) LoginPasskey(ctx context.Context, in PasskeyLogin) (*SignedIn, error) {
	signedIn, err := s.loginPasskey(ctx, in)
	s.CountSignIn(SignInPasskey, ResultOf(err))
	return signedIn, err
}

func (s *Service) loginPasskey(ctx context.Context, in PasskeyLogin) (*SignedIn, error) {
	actor := Actor{Client: in.Client}
	if err := s.Take(ctx, actor, limit.Links, limit.Network(in.Client.IP)); err != nil {
		return nil, err
	}
	use, err := s.readUse(ctx, in.Answer, passkey.SignIn)
	if err != nil {
		return nil, err
	}
	var signedIn *SignedIn
	var refused error // recorded: it must not undo its record
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := tx.Users.Lock(ctx, use.key.UserID)
		switch {
		case errors.Is(err, apperr.NotFound):
			return apperr.New(apperr.Unauthorized, noAccount, err)
		case err != nil:
			return err
		case user.Disabled():
			record(actor.Event(audit.LoginDisabled, user, audit.Details{Step: audit.StepPasskey}))
			refused = apperr.New(apperr.Disabled, "", nil)
			return nil
		}
		own := Actor{UserID: user.ID, Name: user.Username, Client: in.Client}
		if refused, err = s.acceptUse(ctx, tx, use, user, own, record); refused != nil || err != nil {
			return err
		}
		signedIn, err = s.enter(ctx, tx, user, entry{
			method: MethodPasskey, proof: ByPasskey(use.used.BackupEligible), step: audit.StepPasskey, remember: in.Remember,
			device: in.Device, presented: in.Presented, client: in.Client,
		}, record)
		return err
	})
	if err == nil {
		err = refused
	}
	return signedIn, err
}

// ConfirmOptions returns the options with which a person confirms with one of their
// passkeys that it is them. It returns apperr.Conflict when they have none that works
// here.
func (s *Service) ConfirmOptions(ctx context.Context, person *Identity) (json.RawMessage, error) {
	rows, err := s.store.Passkeys.InUse(ctx, person.UserID)
	if err != nil {
		return nil, err
	}
	keys := s.here(rows)
	if len(keys) == 0 && s.passkeys.Unavailable() == "" {
		return nil, apperr.New(apperr.Conflict, "You have no passkey here. Use another way.", nil)
	}
	return s.passkeys.UseOptions(keys, passkey.Confirming(person.SessionID, person.UserID))
}

// here returns the passkeys that work on this host.
func (s *Service) here(rows []models.Passkey) []passkey.Key {
	var keys []passkey.Key
	for _, row := range rows {
		if row.RPID == s.passkeys.RPID() {
			keys = append(keys, keyOf(&row))
		}
	}
	return keys
}

func keyOf(row *models.Passkey) passkey.Key {
	return passkey.Key{CredentialID: row.CredentialID, PublicKey: row.PublicKey, Transports: row.Transports}
}

// ConfirmPasskey records that the person of a session proved with a passkey who they
// are. Its errors are those of LoginPasskey, and apperr.Unauthorized when the person is
// no longer signed in.
func (s *Service) ConfirmPasskey(ctx context.Context, person *Identity, answer json.RawMessage, client Client) error {
	actor := person.Actor(client)
	if err := s.Take(ctx, actor, limit.Links, limit.Network(client.IP)); err != nil {
		return err
	}
	use, err := s.readUse(ctx, answer, passkey.Confirming(person.SessionID, person.UserID))
	if err != nil {
		return err
	}
	if use.key.UserID != person.UserID {
		return apperr.New(apperr.Invalid, "This passkey is not yours. Use one of your own.", errors.New("the passkey of another account"))
	}
	var refused error
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.LockActive(ctx, tx, person)
		if err != nil {
			return err
		}
		if refused, err = s.acceptUse(ctx, tx, use, user, actor, record); refused != nil || err != nil {
			return err
		}
		record(actor.Event(audit.Confirmed, user, audit.Details{Step: audit.StepPasskey}))
		return s.proveAgain(ctx, tx, person.SessionID, ByPasskey(use.used.BackupEligible))
	})
	if err == nil {
		err = refused
	}
	return err
}

// AddPasskey checks a passkey that a person creates, in a transaction that has locked
// the account, and uses its challenge up. The session counts as proved with it, because
// the device has checked who they are.
func (s *Service) AddPasskey(ctx context.Context, tx *models.Store, person *Identity, added *passkey.Added) error {
	first, err := tx.Denylist.Spend(ctx, added.Challenge.ID, person.UserID, added.Challenge.Expires)
	if err != nil {
		return err
	}
	if !first {
		return apperr.New(apperr.Invalid, spentChallenge, errors.New("the challenge was used"))
	}
	proof := ByPasskey(added.BackupEligible)
	proof.Full = false // the account had other factors, which were not asked for
	return s.proveAgain(ctx, tx, person.SessionID, proof)
}

// use is an answer of the owner of a passkey, which the device has checked.
type use struct {
	key    *models.Passkey
	used   *passkey.Used
	answer *passkey.Answer
}

// readUse reads and checks an answer.
func (s *Service) readUse(ctx context.Context, answer json.RawMessage, purpose passkey.Purpose) (use, error) {
	read, err := s.passkeys.Read(answer, purpose)
	if err != nil {
		return use{}, err
	}
	key, err := s.store.Passkeys.ByCredential(ctx, read.CredentialID)
	if errors.Is(err, apperr.NotFound) {
		return use{}, unknown()
	}
	if err != nil {
		return use{}, err
	}
	used, err := s.passkeys.Check(read, key.UserID, keyOf(key))
	return use{key: key, used: used, answer: read}, err
}

func unknown() error { return apperr.New(apperr.NotFound, unknownPasskey, ErrUnknownPasskey) }

// acceptUse uses an answer up in a transaction that has locked the account, and stores
// what the device says about the passkey. refused is a refusal that is recorded.
//
// A passkey that becomes one that can be synced is accepted, and the reverse refused
// (WebAuthn §6.1.3: the flag does not change). A counter that does not rise is only
// told: it says nothing about synced passkeys (§6.1.1).
func (s *Service) acceptUse(ctx context.Context, tx *models.Store, in use, user *models.User, actor Actor, record func(models.Event)) (refused, err error) {
	key, err := tx.Passkeys.ByID(ctx, in.key.ID, user.ID)
	if errors.Is(err, apperr.NotFound) {
		return nil, unknown()
	}
	if err != nil {
		return nil, err
	}
	first, err := tx.Denylist.Spend(ctx, in.answer.Challenge.ID, user.ID, in.answer.Challenge.Expires)
	if err != nil {
		return nil, err
	}
	if !first {
		return nil, apperr.New(apperr.Invalid, spentChallenge, errors.New("the challenge was used"))
	}
	details := audit.Details{Passkey: key.Name}
	switch {
	case key.BackupEligible && !in.used.BackupEligible:
		record(actor.Event(audit.PasskeyRefused, user, details))
		return apperr.New(apperr.Invalid, wasSynced, errors.New("the passkey could be synced before")), nil
	case !key.BackupEligible && in.used.BackupEligible:
		record(actor.Event(audit.PasskeyFlags, user, details))
	}
	if in.used.SignCount <= key.SignCount && key.SignCount > 0 {
		record(actor.Event(audit.PasskeyCounter, user, details))
	}
	key.SignCount, key.BackupEligible, key.BackedUp = in.used.SignCount, in.used.BackupEligible, in.used.BackedUp
	return nil, tx.Passkeys.Used(ctx, key, actor.Client.UserAgent, s.now())
}
