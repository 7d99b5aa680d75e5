package models

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm/clause"

	"latchkey/internal/apperr"
)

// DeletedUser is an account that an admin deleted and that can be restored until
// EraseAt.
//
// A restored account must not be less safe than it was. So every column of User is
// kept here, a new one too. What protects an account in a table of its own (its
// app, recovery codes and passkeys) stays where it is: those tables do not refer to
// users. What only lets someone in (sessions, access tokens, known
// devices, links) is not kept. Nor are the earlier addresses: after a restore, a
// change of the address from before can no longer be undone.
type DeletedUser struct {
	User
	DeletedAt Time
	EraseAt   Time
}

// TableName tells GORM the table.
func (DeletedUser) TableName() string { return "deleted_users" }

// DeletedUsers is the table of accounts that can be restored.
type DeletedUsers struct{ store *Store }

// userColumns are the columns of an account that move with it.
const userColumns = `id, username, email, email_folded, email_verified_at, full_name, search, password_hash, password_changed_at, role,
	disabled_at, disabled_reason, last_sign_in_at, replayed_at, quiet_until, created_at, updated_at`

// Keep moves an account here, in a transaction that has locked it. Every row that
// refers to the account is removed, and its username is kept from others.
func (t *DeletedUsers) Keep(ctx context.Context, id string, now, erase time.Time) error {
	_, err := t.store.exec(ctx, "keep a deleted user",
		"INSERT INTO deleted_users ("+userColumns+", deleted_at, erase_at) SELECT "+userColumns+", ?, ? FROM users WHERE id = ?", At(now), At(erase), id)
	if err != nil {
		return err
	}
	return t.store.Users.Delete(ctx, id)
}

// Restore moves an account back, in a transaction. A taken username or address is
// apperr.Conflict with its field.
func (t *DeletedUsers) Restore(ctx context.Context, id string, now time.Time) (*User, error) {
	_, err := t.store.exec(ctx, "restore user", "INSERT INTO users ("+userColumns+") SELECT "+userColumns+" FROM deleted_users WHERE id = ?", id)
	if err != nil {
		return nil, err
	}
	if err := t.Remove(ctx, id); err != nil {
		return nil, err
	}
	user, err := t.store.Users.ByID(ctx, id)
	if err != nil {
		return nil, err
	}
	return user, t.store.Users.notRetired(ctx, user, At(now))
}

// Remove removes the row of an account for good, or returns apperr.NotFound.
func (t *DeletedUsers) Remove(ctx context.Context, id string) error {
	rows, err := t.store.exec(ctx, "remove a deleted user", "DELETE FROM deleted_users WHERE id = ?", id)
	return oneRow("remove a deleted user", rows, err)
}

// ByID returns a deleted account that can be restored at now, or apperr.NotFound.
func (t *DeletedUsers) ByID(ctx context.Context, id string, now time.Time) (*DeletedUser, error) {
	var row DeletedUser
	if err := t.store.db.WithContext(ctx).Where("id = ? AND erase_at > ?", id, At(now)).Take(&row).Error; err != nil {
		return nil, translate("find a deleted user", err)
	}
	return &row, nil
}

// Lock returns a deleted account, due for erasing or not, and locks its row until
// the transaction ends; apperr.NotFound when there is none.
func (t *DeletedUsers) Lock(ctx context.Context, id string) (*DeletedUser, error) {
	var row DeletedUser
	err := t.store.db.WithContext(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", id).Take(&row).Error
	if err != nil {
		return nil, translate("lock a deleted user", err)
	}
	return &row, nil
}

// Named returns the deleted accounts that can be restored at now and whose
// username, address or id is name, the latest deleted first. More than one can
// have had the same address.
func (t *DeletedUsers) Named(ctx context.Context, name string, now time.Time) ([]DeletedUser, error) {
	name = Tidy(name)
	where, value := "username = ?", FoldUsername(name)
	switch {
	case isAddress(name):
		where, value = "email_folded = ?", FoldEmail(name)
	case IsID(name):
		where = "? IN (username, id)"
	}
	var rows []DeletedUser
	err := t.store.db.WithContext(ctx).Where(where, value).Where("erase_at > ?", At(now)).Order("deleted_at DESC, id").Limit(10).Find(&rows).Error
	return rows, translate("find deleted users", err)
}

// DeletedQuery chooses deleted accounts that can be restored at Now.
type DeletedQuery struct {
	NewestFirst
	Q    string // as in UserQuery
	Role Role   // "": both
	Now  time.Time
}

// DeletedPage is one page of the list of deleted accounts.
type DeletedPage struct {
	Users      []DeletedUser
	Next, Prev string // cursors; "" when there is no such page
}

// List returns a page of the deleted accounts. It returns apperr.Malformed for a
// query that no page sends.
func (t *DeletedUsers) List(ctx context.Context, q DeletedQuery) (page DeletedPage, err error) {
	typed := strings.Fields(q.Q)
	if q.Role != "" && q.Role != RoleUser && q.Role != RoleAdmin ||
		!isText(q.Q) || utf8.RuneCountInString(q.Q) > maxSearch || len(typed) > maxWords {
		return page, apperr.New(apperr.Malformed, "", nil)
	}
	db, sought := t.store.db.WithContext(ctx).Where("erase_at > ?", At(q.Now)), len(typed) == 0
	if IsID(q.Q) {
		db, typed, sought = db.Where("id = ?", q.Q), nil, true
	}
	for _, word := range typed {
		if word = searchWord(word); word != "" {
			db, sought = db.Where(contains("search", word)), true
		}
	}
	if !sought {
		return page, nil
	}
	if q.Role != "" {
		db = db.Where("role = ?", q.Role)
	}
	page.Users, page.Next, page.Prev, err = newestFirst(db, "list deleted users", "deleted_at", q.NewestFirst,
		func(u DeletedUser) (Time, string) { return u.DeletedAt, u.ID })
	return page, err
}

// Due returns the ids of at most limit deleted accounts that have to be erased at
// now.
func (t *DeletedUsers) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	var ids []string
	err := t.store.db.WithContext(ctx).Model(&DeletedUser{}).Where("erase_at <= ?", At(now)).Order("erase_at").Limit(limit).Pluck("id", &ids).Error
	return ids, translate("look for deleted users to erase", err)
}
