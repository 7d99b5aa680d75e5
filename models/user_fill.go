package models

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm/clause"

	"latchkey/internal/apperr"
)

// fillBatch is how many accounts one transaction of FillSearch writes.
const fillBatch = 200

// FillSearch writes the forms that searches and sign-ins compare for accounts
// of an earlier release, which do not have them. It can be stopped at any time
// and continues where it stopped. Two accounts whose addresses have the same
// form keep the forms they have; the log names them.
func (u *Users) FillSearch(ctx context.Context) error {
	total, err := u.count(ctx, "count accounts to prepare", "search = ''")
	if err != nil || total == 0 {
		return err
	}
	log, done, said := u.store.logger, 0, time.Now()
	for {
		n, err := u.fillSome(ctx)
		switch {
		case errors.Is(err, apperr.Conflict): // another account took the address meanwhile: try again
			continue
		case err != nil:
			return err
		case n == 0:
			log.InfoContext(ctx, "accounts are prepared for search and sign-in", "accounts", done)
			return nil
		}
		if done += n; time.Since(said) > 5*time.Second {
			log.InfoContext(ctx, "preparing accounts for search and sign-in", "done", done, "of", total)
			said = time.Now()
		}
	}
}

// fillSome prepares some accounts and returns how many.
func (u *Users) fillSome(ctx context.Context) (n int, err error) {
	err = u.store.InTx(ctx, func(tx *Store) error {
		var rows []User
		err := tx.db.WithContext(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).
			Where("search = ''").Order("id").Limit(fillBatch).Find(&rows).Error
		if err != nil {
			return translate("read accounts to prepare", err)
		}
		for _, row := range rows {
			if err := tx.Users.fill(ctx, &row); err != nil {
				return err
			}
		}
		n = len(rows)
		return nil
	})
	return n, err
}

// fill prepares an account that is locked.
func (u *Users) fill(ctx context.Context, user *User) error {
	forms := map[string]any{"search": SearchText(user.Username, user.Email, user.FullName)}
	if folded := FoldEmail(user.Email); folded != user.EmailFolded && user.Email != "" {
		other, err := u.ByEmail(ctx, user.Email)
		switch {
		case err == nil:
			u.store.logger.WarnContext(ctx, "two accounts have the same email address, written in different ways: "+
				"signing in with it opens the first; the second can sign in with its username. Change the address of one of them",
				"first", other.Username, "second", user.Username)
		case errors.Is(err, apperr.NotFound):
			forms["email_folded"] = folded
		default:
			return err
		}
	}
	return u.update(ctx, "prepare account", user.ID, forms)
}

// unsearchable reports whether an account waits for FillSearch.
func (u *Users) unsearchable(ctx context.Context) (bool, error) {
	var ids []string
	err := u.store.db.WithContext(ctx).Model(&User{}).Where("search = ''").Limit(1).Pluck("id", &ids).Error
	return len(ids) > 0, translate("look for accounts to prepare", err)
}
