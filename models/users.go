package models

import (
	"cmp"
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Role is the role of an account. Every request reads it from the row.
type Role string

// The roles.
const (
	RoleUser  Role = "user"
	RoleAdmin Role = "admin"
)

// User is an account.
type User struct {
	ID                string `gorm:"primaryKey"`
	Username          string // as FoldUsername writes it
	Email             string // as it was typed; empty: none
	EmailFolded       string // FoldEmail of Email, or noEmail and the id
	EmailVerifiedAt   Time   // zero: the person has not proved that the address is theirs
	FullName          string
	PasswordHash      string `json:"-"` // PHC string; empty: no password yet
	PasswordChangedAt Time
	Role              Role
	DisabledAt        Time
	DisabledReason    string // for admins, never shown to the person
	LastSignInAt      Time
	ReplayedAt        Time   // a replay the person has not been told of
	QuietUntil        Time   // no suggestion stands on the account page before that
	CreatedAt         Time   `gorm:"autoCreateTime:false"`
	UpdatedAt         Time   `gorm:"autoUpdateTime:false"`
	Search            string `gorm:"->:false;<-" json:"-"` // written with every name: SearchText
}

// Disabled reports whether the account is disabled.
func (u *User) Disabled() bool { return !u.DisabledAt.IsZero() }

// Name is what to call the person: the full name, else the username.
func (u *User) Name() string { return cmp.Or(u.FullName, u.Username) }

// Status returns the state of the account.
func (u *User) Status() UserStatus { return statusOf(u.DisabledAt, u.PasswordChangedAt) }

// Users is the table of accounts.
type Users struct{ store *Store }

// ByID returns the account with the given id, or apperr.NotFound.
func (u *Users) ByID(ctx context.Context, id string) (*User, error) {
	return u.take(ctx, "find user by id", "id = ?", id)
}

// ByUsername returns the account with the given username, which is folded
// already, or apperr.NotFound.
func (u *Users) ByUsername(ctx context.Context, username string) (*User, error) {
	return u.take(ctx, "find user by username", "username = ?", username)
}

// ByEmail returns the account with the given address, compared without case.
// It returns apperr.NotFound when there is none.
func (u *Users) ByEmail(ctx context.Context, email string) (*User, error) {
	return u.take(ctx, "find user by email", "email_folded = ?", FoldEmail(email))
}

// ByName returns the account whose username or address is name, compared
// without case; a name with an @ is an address. It returns apperr.NotFound
// when there is none.
func (u *Users) ByName(ctx context.Context, name string) (*User, error) {
	if isAddress(name) {
		return u.ByEmail(ctx, name)
	}
	return u.ByUsername(ctx, FoldUsername(name))
}

// Lock returns the account and locks its row until the transaction ends. A
// change that must not race the disabling of the account starts with it.
func (u *Users) Lock(ctx context.Context, id string) (*User, error) {
	var user User
	err := u.store.db.WithContext(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", id).Take(&user).Error
	if err != nil {
		return nil, translate("lock user", err)
	}
	return &user, nil
}

// LockActiveAdmins returns the ids of the active admins and locks their rows
// until the transaction ends. Call it before Lock of one account, so that two
// admins who change each other wait instead of deadlocking.
func (u *Users) LockActiveAdmins(ctx context.Context) ([]string, error) {
	var ids []string
	err := u.store.db.WithContext(ctx).Model(&User{}).Clauses(clause.Locking{Strength: "UPDATE"}).
		Where("role = 'admin' AND disabled_at = 0").Order("id").Pluck("id", &ids).Error
	return ids, translate("lock active admins", err)
}

// AdminExists reports whether any admin account exists, disabled or not.
func (u *Users) AdminExists(ctx context.Context) (bool, error) {
	var ids []string
	err := u.store.db.WithContext(ctx).Model(&User{}).Where("role = 'admin'").Limit(1).Pluck("id", &ids).Error
	return len(ids) > 0, translate("look for an admin", err)
}

// noEmail begins the folded address of an account that has no address. With the
// id it is unique, as the column has to be. FoldEmail returns nothing that begins
// with a space, so no typed address finds the account.
const noEmail = " "

// Create inserts an account, in a transaction. A taken username or address is
// apperr.Conflict with its field, a retired username ErrRetired. An address that
// another account can get back counts as taken.
func (u *Users) Create(ctx context.Context, user *User) error {
	user.EmailFolded = FoldEmail(user.Email)
	if user.Email == "" {
		user.EmailFolded = noEmail + user.ID
	}
	row := *user
	row.Search = SearchText(user.Username, user.Email, user.FullName)
	if err := u.store.create(ctx, "create user", &row); err != nil {
		return err
	}
	if err := u.store.EmailChanges.notKept(ctx, user, user.CreatedAt.Time()); err != nil {
		return err
	}
	return u.notRetired(ctx, user, user.CreatedAt)
}

// SetNames stores the username, the address in both forms with when it was
// verified, and the full name of user, which the caller has locked in a
// transaction. A taken username or address is apperr.Conflict with its field, a
// retired username ErrRetired. The username that the account had before is retired
// for a while, and a changed address is kept, so that the change can be undone.
func (u *Users) SetNames(ctx context.Context, user *User, now time.Time) error {
	if err := u.retire(ctx, user.ID, user.Username, At(now.Add(keepRenamed))); err != nil {
		return err
	}
	changed, err := u.store.EmailChanges.keep(ctx, user, now)
	if err != nil {
		return err
	}
	if changed {
		if err := u.store.EmailChanges.notKept(ctx, user, now); err != nil {
			return err
		}
	}
	err = u.update(ctx, "set names", user.ID, map[string]any{
		"username": user.Username, "email": user.Email, "email_folded": user.EmailFolded, "email_verified_at": user.EmailVerifiedAt,
		"full_name": user.FullName, "search": SearchText(user.Username, user.Email, user.FullName), "updated_at": At(now),
	})
	if err != nil {
		return err
	}
	return u.notRetired(ctx, user, At(now))
}

// SetPassword stores a new hash.
func (u *Users) SetPassword(ctx context.Context, id, hash string, now time.Time) error {
	return u.update(ctx, "set password", id, map[string]any{
		"password_hash": hash, "password_changed_at": At(now), "updated_at": At(now),
	})
}

// Rehash replaces a hash by a stronger one of the same password, and reports
// whether it did: not when the hash was changed meanwhile.
func (u *Users) Rehash(ctx context.Context, id, old, hash string) (bool, error) {
	rows, err := u.store.exec(ctx, "rehash password",
		"UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?", hash, id, old)
	return rows == 1, err
}

// SetEmailVerified records that the person has proved that the account's address
// is theirs.
func (u *Users) SetEmailVerified(ctx context.Context, id string, now time.Time) error {
	return u.update(ctx, "set email verified", id, map[string]any{"email_verified_at": At(now), "updated_at": At(now)})
}

// SetRole changes the role of the account.
func (u *Users) SetRole(ctx context.Context, id string, role Role, now time.Time) error {
	return u.update(ctx, "set role", id, map[string]any{"role": role, "updated_at": At(now)})
}

// Disable disables the account.
func (u *Users) Disable(ctx context.Context, id, reason string, now time.Time) error {
	return u.update(ctx, "disable user", id, map[string]any{
		"disabled_at": At(now), "disabled_reason": reason, "updated_at": At(now),
	})
}

// Enable enables a disabled account.
func (u *Users) Enable(ctx context.Context, id string, now time.Time) error {
	return u.update(ctx, "enable user", id, map[string]any{
		"disabled_at": Time(0), "disabled_reason": "", "updated_at": At(now),
	})
}

// SignedIn records a sign-in. The transaction has locked the account.
func (u *Users) SignedIn(ctx context.Context, id string, now time.Time) error {
	_, err := u.store.exec(ctx, "record a sign-in", "UPDATE users SET last_sign_in_at = ? WHERE id = ?", At(now), id)
	return err
}

// Quiet makes the account page make no suggestions until the given time.
func (u *Users) Quiet(ctx context.Context, id string, until time.Time) error {
	_, err := u.store.exec(ctx, "make no suggestions", "UPDATE users SET quiet_until = ? WHERE id = ?", At(until), id)
	return err
}

// MarkReplayed records that the person must be told of a replay.
func (u *Users) MarkReplayed(ctx context.Context, id string, now time.Time) error {
	return u.update(ctx, "mark replayed", id, map[string]any{"replayed_at": At(now)})
}

// MarkTold records that the person is being told of a replay.
func (u *Users) MarkTold(ctx context.Context, id string) error {
	return u.update(ctx, "mark told", id, map[string]any{"replayed_at": Time(0)})
}

// Delete deletes the account, in a transaction, with all rows that refer to it.
// Its username is never given out again.
func (u *Users) Delete(ctx context.Context, id string) error {
	if err := u.retire(ctx, id, "", 0); err != nil {
		return err
	}
	rows, err := u.store.exec(ctx, "delete user", "DELETE FROM users WHERE id = ?", id)
	return oneRow("delete user", rows, err)
}

func (u *Users) count(ctx context.Context, what, where string, args ...any) (int64, error) {
	var n int64
	err := u.store.db.WithContext(ctx).Model(&User{}).Where(where, args...).Count(&n).Error
	return n, translate(what, err)
}

func (u *Users) take(ctx context.Context, what, where string, args ...any) (*User, error) {
	var user User
	if err := u.store.db.WithContext(ctx).Where(where, args...).Take(&user).Error; err != nil {
		return nil, translate(what, err)
	}
	return &user, nil
}

func (u *Users) update(ctx context.Context, what, id string, columns map[string]any) error {
	rows, err := u.store.run(ctx, what, func(db *gorm.DB) *gorm.DB {
		return db.Model(&User{}).Where("id = ?", id).UpdateColumns(columns)
	})
	return oneRow(what, rows, err)
}

// CountActiveAdmins counts the admins that are not disabled.
func (u *Users) CountActiveAdmins(ctx context.Context) (int64, error) {
	return u.count(ctx, "count active admins", "role = 'admin' AND disabled_at = 0")
}

// CountInvited counts the accounts that wait for their first password.
func (u *Users) CountInvited(ctx context.Context) (int64, error) {
	return u.count(ctx, "count invited users", "password_changed_at = 0 AND disabled_at = 0")
}

// Named returns those of the accounts that exist, by id, with only their names
// and whether they are disabled.
func (u *Users) Named(ctx context.Context, ids []string) (map[string]*User, error) {
	var rows []*User
	err := u.store.db.WithContext(ctx).Select("id", "username", "email", "full_name", "disabled_at").Where("id IN ?", ids).Find(&rows).Error
	found := make(map[string]*User, len(rows))
	for _, user := range rows {
		found[user.ID] = user
	}
	return found, translate("look up users", err)
}
