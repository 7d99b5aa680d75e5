package models

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"latchkey/internal/apperr"
)

// fillBatch is how many accounts one transaction of FillSearch writes.
const fillBatch = 200

// unfilled is an account whose compared forms are missing.
type unfilled struct{ ID, Username, Email, EmailFolded, FullName string }

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
		case errors.Is(err, apperr.Conflict): // someone took the address at this moment: try again
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
		var rows []unfilled
		err := tx.db.WithContext(ctx).Model(&User{}).Where("search = ''").Order("id").Limit(fillBatch).Find(&rows).Error
		if n = len(rows); n == 0 || err != nil {
			return translate("read accounts to prepare", err)
		}
		values, args := strings.Repeat(", (?, ?)", n)[2:], []any(nil)
		for _, row := range rows {
			if err := tx.Users.refold(ctx, row); err != nil {
				return err
			}
			args = append(args, row.ID, SearchText(row.Username, row.Email, row.FullName))
		}
		_, err = tx.exec(ctx, "prepare accounts", "UPDATE users SET search = texts.column2 FROM (VALUES "+values+
			") AS texts WHERE users.id = texts.column1 AND users.search = ''", args...)
		return err
	})
	return n, err
}

// refold brings the compared form of an address up to date.
func (u *Users) refold(ctx context.Context, row unfilled) error {
	folded := FoldEmail(row.Email)
	if folded == row.EmailFolded || row.Email == "" {
		return nil
	}
	other, err := u.ByEmail(ctx, row.Email)
	switch {
	case errors.Is(err, apperr.NotFound):
		return u.update(ctx, "fold email", row.ID, map[string]any{"email_folded": folded})
	case err != nil:
		return err
	}
	u.store.logger.WarnContext(ctx, fmt.Sprintf("two accounts have the same email address, written in different ways: "+
		"signing in with it opens the first; the second can sign in with its username. Change the address of one of them"),
		"first", other.Username, "second", row.Username)
	return nil
}

// unsearchable reports whether an account waits for FillSearch.
func (u *Users) unsearchable(ctx context.Context) (bool, error) {
	var ids []string
	err := u.store.db.WithContext(ctx).Model(&User{}).Where("search = ''").Limit(1).Pluck("id", &ids).Error
	return len(ids) > 0, translate("look for accounts to prepare", err)
}
