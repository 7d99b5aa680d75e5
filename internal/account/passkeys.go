package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/passkey"
	"latchkey/models"
)

const (
	maxPasskeys    = 50 // of one person
	maxPasskeyName = 64 // code points
)

// ErrNotFully is the cause of apperr.Forbidden for a person who has to confirm with
// everything that the account has: before the first passkey, one factor that a thief
// has must not be enough.
var ErrNotFully = errors.New("the person has not confirmed with every factor")

// MayAddPasskey returns nil when a person can add a passkey now. It returns
// apperr.Forbidden with ErrNotFully, or apperr.Conflict with a sentence.
func (s *Service) MayAddPasskey(ctx context.Context, person *auth.Identity) error {
	_, err := s.owner(ctx, person)
	return err
}

// PasskeyOptions returns the options with which a person creates a passkey. Its errors
// are those of MayAddPasskey.
func (s *Service) PasskeyOptions(ctx context.Context, person *auth.Identity) (json.RawMessage, error) {
	owner, err := s.owner(ctx, person)
	if err != nil {
		return nil, err
	}
	return s.auth.Passkeys().CreateOptions(owner, passkey.Adding(person.SessionID, person.UserID))
}

// owner returns a person with their passkeys, if they can add one.
func (s *Service) owner(ctx context.Context, person *auth.Identity) (passkey.Person, error) {
	owner := passkey.Person{ID: person.UserID, Email: person.Email, Name: person.Name()}
	if owner.Email == "" {
		owner.Email = person.Username
	}
	rows, err := s.store.Passkeys.InUse(ctx, person.UserID)
	if err != nil {
		return owner, err
	}
	for _, row := range rows {
		owner.Keys = append(owner.Keys, passkey.Key{CredentialID: row.CredentialID, Transports: row.Transports})
	}
	full, err := s.auth.FullyConfirmed(ctx, person)
	if err != nil {
		return owner, err
	}
	return owner, s.mayAdd(full, len(rows))
}

// mayAdd returns the reason why a person with some passkeys cannot add one now. full
// says that they confirmed with everything that the account has.
func (s *Service) mayAdd(full bool, has int) error {
	switch reason := s.auth.Passkeys().Unavailable(); {
	case reason != "":
		return apperr.New(apperr.Conflict, reason, nil)
	case has >= maxPasskeys:
		return apperr.New(apperr.Conflict, fmt.Sprintf("You already have %d passkeys. Remove one first.", has), nil)
	case has == 0 && !full:
		return apperr.New(apperr.Forbidden, "Confirm that it is you, with everything that you sign in with.", ErrNotFully)
	}
	return nil
}

// AddPasskey adds the passkey that a browser created for PasskeyOptions. It returns
// apperr.Malformed or apperr.Invalid for an answer that is not right, apperr.Conflict
// when the passkey is in use, and the errors of MayAddPasskey, each with a sentence.
func (s *Service) AddPasskey(ctx context.Context, person *auth.Identity, answer json.RawMessage, client auth.Client) (*models.Passkey, error) {
	owner := passkey.Person{ID: person.UserID}
	added, err := s.auth.Passkeys().CheckNew(owner, answer, passkey.Adding(person.SessionID, person.UserID))
	if err != nil {
		return nil, err
	}
	full, err := s.auth.FullyConfirmed(ctx, person)
	if err != nil {
		return nil, err
	}
	var row *models.Passkey
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockFactors(ctx, tx, person)
		if err != nil {
			return err
		}
		rows, err := tx.Passkeys.InUse(ctx, user.ID)
		if err != nil {
			return err
		}
		if err := s.mayAdd(full, len(rows)); err != nil {
			return err
		}
		if err := s.auth.AddPasskey(ctx, tx, person, added); err != nil {
			return err
		}
		row = &models.Passkey{
			ID: models.NewID(), UserID: user.ID, CredentialID: added.CredentialID, RPID: s.auth.Passkeys().RPID(),
			Name: freeName(rows, passkey.NameOf(added.AAGUID)), PublicKey: added.PublicKey, AAGUID: added.AAGUID, Transports: added.Transports,
			SignCount: added.SignCount, BackupEligible: added.BackupEligible, BackedUp: added.BackedUp, CreatedAt: models.At(s.now()),
		}
		record(person.Actor(client).Event(audit.PasskeyAdd, user, audit.Details{Passkey: row.Name}))
		return tx.Passkeys.Create(ctx, row)
	})
	if errors.Is(err, apperr.Conflict) && apperr.Details(err).Message == "" {
		err = apperr.New(apperr.Conflict, "This passkey is in use already.", err)
	}
	return row, err
}

// freeName returns a name that none of the passkeys has: "iCloud Keychain 2".
func freeName(rows []models.Passkey, name string) string {
	free := name
	for n := 2; named(rows, free, ""); n++ {
		free = name + " " + strconv.Itoa(n)
	}
	return free
}

// named reports whether a passkey other than the one with an id has a name, without
// case.
func named(rows []models.Passkey, name, except string) bool {
	return slices.ContainsFunc(rows, func(row models.Passkey) bool { return row.ID != except && strings.EqualFold(row.Name, name) })
}

// PasskeyList returns the passkeys of a person, the oldest first.
func (s *Service) PasskeyList(ctx context.Context, userID string) ([]models.Passkey, error) {
	return s.store.Passkeys.InUse(ctx, userID)
}

// Passkey returns a passkey of a person, or apperr.NotFound.
func (s *Service) Passkey(ctx context.Context, userID, id string) (*models.Passkey, error) {
	return s.store.Passkeys.ByID(ctx, id, userID)
}

// RenamePasskey gives a passkey of the person another name. It returns apperr.Fields
// (name), or apperr.NotFound.
func (s *Service) RenamePasskey(ctx context.Context, person *auth.Identity, id, name string, client auth.Client) error {
	name = strings.Join(strings.Fields(name), " ")
	var wrong apperr.Fields
	switch {
	case name == "":
		wrong.Add("name", "Enter a name that reminds you where the passkey is.")
	case utf8.RuneCountInString(name) > maxPasskeyName:
		wrong.Add("name", fmt.Sprintf("Use a name of at most %d characters.", maxPasskeyName))
	case hasControl(name):
		wrong.Add("name", "A name cannot contain invisible or control characters.")
	}
	if len(wrong) > 0 {
		return wrong
	}
	return s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockFactors(ctx, tx, person)
		if err != nil {
			return err
		}
		rows, err := tx.Passkeys.InUse(ctx, user.ID)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(rows, func(row models.Passkey) bool { return row.ID == id })
		switch {
		case at < 0:
			return apperr.New(apperr.NotFound, "", nil)
		case named(rows, name, id):
			return apperr.Fields{{Field: "name", Message: "You have another passkey with this name. Choose a different one."}}
		case rows[at].Name == name:
			return nil
		}
		record(person.Actor(client).Event(audit.PasskeyRename, user, audit.Details{Renamed: audit.Changed(rows[at].Name, name)}))
		return tx.Passkeys.Rename(ctx, id, user.ID, name)
	})
}

// KeepsPasskey says in a sentence why a person cannot remove a passkey, "" when they
// can: it is the last way in, or the last second step where one is required.
func (s *Service) KeepsPasskey(ctx context.Context, person *auth.Identity, id string) (string, error) {
	user, err := s.store.Users.ByID(ctx, person.UserID)
	if err != nil {
		return "", err
	}
	return s.keeps(ctx, s.store, user, id)
}

func (s *Service) keeps(ctx context.Context, store *models.Store, user *models.User, id string) (string, error) {
	rows, err := store.Passkeys.InUse(ctx, user.ID)
	if err != nil {
		return "", err
	}
	host := s.auth.Passkeys().RPID()
	last := slices.ContainsFunc(rows, func(row models.Passkey) bool { return row.ID == id && row.RPID == host }) &&
		!slices.ContainsFunc(rows, func(row models.Passkey) bool { return row.ID != id && row.RPID == host })
	if !last {
		return "", nil
	}
	factors, err := store.Users.Factors(ctx, user.ID)
	switch {
	case err != nil:
		return "", err
	case user.PasswordHash == "":
		return "This is your only way to sign in. Add a password or another passkey first.", nil
	case !factors.App && s.auth.RequiresStep(user.Role == models.RoleAdmin):
		return "This is your only second step, and you need one here. Add an authenticator app or another passkey first.", nil
	}
	return "", nil
}

// RemovePasskey removes a passkey of the person and ends their other sessions. It
// returns the name of the passkey and how many sessions ended, apperr.NotFound, or
// apperr.Conflict with the sentence of KeepsPasskey.
func (s *Service) RemovePasskey(ctx context.Context, person *auth.Identity, id string, client auth.Client) (name string, ended int, err error) {
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.LockFactors(ctx, tx, person)
		if err != nil {
			return err
		}
		row, err := tx.Passkeys.ByID(ctx, id, user.ID)
		if err != nil {
			return err
		}
		why, err := s.keeps(ctx, tx, user, id)
		switch {
		case err != nil:
			return err
		case why != "":
			return apperr.New(apperr.Conflict, why, nil)
		}
		if err := tx.Passkeys.Remove(ctx, id, user.ID, models.RemovedBySelf, s.now()); err != nil {
			return err
		}
		if ended, err = tx.Sessions.EndAll(ctx, user.ID, person.SessionID, models.ReasonPasskey, s.now()); err != nil {
			return err
		}
		name = row.Name
		record(person.Actor(client).Event(audit.PasskeyRemove, user, audit.Details{Passkey: name, SessionsEnded: ended}))
		return nil
	})
	return name, ended, err
}
