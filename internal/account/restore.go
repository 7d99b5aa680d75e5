package account

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/mail"
	"latchkey/models"
	"latchkey/views/letters"
)

// RestoreTime is how long an account that an admin deleted can be restored.
const RestoreTime = 30 * 24 * time.Hour

// Delete deletes an account; confirm is its email address as the admin typed it,
// or its username if it has no address. Its sessions and tokens stop working at
// once. The account can be restored for RestoreTime; then it is erased. The person
// is told by mail.
func (s *Service) Delete(ctx context.Context, actor auth.Actor, userID, confirm string) (user *models.User, ended int, err error) {
	err = s.actOn(ctx, actor, userID, func(a act) error {
		user = a.user
		if a.last {
			return apperr.New(apperr.Conflict, lastAdmin, nil)
		}
		if wrong := checkConfirm(confirm, user.Username, user.Email); len(wrong) > 0 {
			return wrong
		}
		details, err := s.end(ctx, a.tx, user)
		if err != nil {
			return err
		}
		ended = details.SessionsEnded
		now := s.now()
		until := now.Add(RestoreTime)
		a.record(actor.Event(audit.UserDelete, user, details))
		if err := a.tx.DeletedUsers.Keep(ctx, user.ID, now, until); err != nil {
			return err
		}
		_, err = s.mail.Put(ctx, a.tx, mail.Envelope{Topic: mail.TopicDeleted, UserID: user.ID, To: user.Email, Useless: deletedLetter},
			letters.Deleted(s.mail.Brand(), s.mail.Support(), user.FullName, until))
		return err
	})
	return user, ended, err
}

// Restore puts a deleted account back as it was, without its sessions and tokens.
// It returns apperr.NotFound when there is no such account or its time is over,
// apperr.Conflict when a newer account has its address, apperr.Forbidden or
// apperr.TooMany.
func (s *Service) Restore(ctx context.Context, actor auth.Actor, userID string) (user *models.User, err error) {
	var email string
	err = s.guarded(ctx, actor, func(tx *models.Store, _ []string, record func(models.Event)) error {
		row, err := tx.DeletedUsers.Lock(ctx, userID)
		if err != nil {
			return err
		}
		now := s.now()
		if email = row.Email; models.At(now) >= row.EraseAt {
			return apperr.New(apperr.NotFound, "", errors.New("the account is about to be erased"))
		}
		if user, err = tx.DeletedUsers.Restore(ctx, userID, now); err != nil {
			return err
		}
		if user.Role == models.RoleAdmin {
			if err := tx.Tokens.EndSetup(ctx, now); err != nil {
				return err
			}
		}
		record(actor.Event(audit.UserRestore, user, audit.Details{}))
		return nil
	})
	if errors.Is(err, apperr.Conflict) && apperr.Details(err).Field == "email" {
		return nil, apperr.New(apperr.Conflict, "Another account has the email address "+email+
			" now. Change the address of that account, or delete it, and then restore this one.", err)
	}
	return user, err
}

// DeletedUser returns an account that can be restored, or apperr.NotFound.
func (s *Service) DeletedUser(ctx context.Context, id string) (*models.DeletedUser, error) {
	return s.store.DeletedUsers.ByID(ctx, id, s.now())
}

// FindDeleted finds an account that can be restored, by id, username or address.
// It returns apperr.NotFound, or apperr.Conflict when several had the address.
func (s *Service) FindDeleted(ctx context.Context, name string) (*models.DeletedUser, error) {
	list, err := s.store.DeletedUsers.Named(ctx, name, s.now())
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, apperr.New(apperr.NotFound, "", nil)
	case len(list) > 1:
		return nil, apperr.New(apperr.Conflict, "Several deleted accounts had this email address. Name the account by its username or id.", nil)
	}
	return &list[0], nil
}

// eraseBatch is how many accounts are looked up at a time to be erased.
const eraseBatch = 100

// EraseDeleted erases the deleted accounts whose time is over, each in its own
// transaction, and returns how many there were. Replicas may erase at the same
// time.
func (s *Service) EraseDeleted(ctx context.Context) (int, error) {
	total := 0
	for {
		ids, err := s.store.DeletedUsers.Due(ctx, s.now(), eraseBatch)
		if err != nil {
			return total, err
		}
		for _, id := range ids {
			switch err := s.erase(ctx, id); {
			case errors.Is(err, apperr.NotFound): // another process was faster
			case err != nil:
				return total, err
			default:
				total++
			}
		}
		if len(ids) < eraseBatch {
			return total, nil
		}
	}
}

func (s *Service) erase(ctx context.Context, id string) error {
	return s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		row, err := tx.DeletedUsers.Lock(ctx, id)
		if err != nil {
			return err
		}
		if err := tx.DeletedUsers.Remove(ctx, id); err != nil {
			return err
		}
		gone := row.User
		if gone.Username, err = s.forget(ctx, tx, id, row.Email, row.DeletedAt.Time()); err != nil {
			return err
		}
		record(auth.Shell().Event(audit.UserErase, &gone, audit.Details{}))
		return nil
	})
}
