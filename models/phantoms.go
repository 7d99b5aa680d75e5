package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"latchkey/internal/apperr"
)

// keepPhantom is how long the username of a phantom is kept from others.
const keepPhantom = 90 * 24 * time.Hour

// Phantom is a sign-up with an address that another account has. Nobody can sign in
// to it. From outside it looks like a new account that waits for its address to be
// verified, so that sign-up does not tell which addresses have an account.
type Phantom struct {
	ID           string `gorm:"primaryKey"`
	Username     string // as FoldUsername writes it
	OwnerID      string // the account that has the address
	FullName     string
	PasswordHash string `json:"-"`
	Until        Time
}

// Phantoms is the table of sign-ups with an address that another account has.
type Phantoms struct{ store *Store }

// Create inserts a phantom, in a transaction. A username that an account has or
// had, or that another phantom holds, is apperr.Conflict as for a new account.
func (t *Phantoms) Create(ctx context.Context, p Phantom, now time.Time) error {
	p.Until = At(now.Add(keepPhantom))
	rows, err := t.store.exec(ctx, "create phantom", `
		INSERT INTO phantoms (id, username, owner_id, full_name, password_hash, until) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (username) DO UPDATE SET id = excluded.id, owner_id = excluded.owner_id, full_name = excluded.full_name,
			password_hash = excluded.password_hash, until = excluded.until WHERE phantoms.until <= ?`,
		p.ID, p.Username, p.OwnerID, p.FullName, p.PasswordHash, p.Until, At(now))
	if err != nil {
		return err
	}
	if rows == 0 {
		return usernameTaken("create phantom")
	}
	if _, err := t.store.Users.ByUsername(ctx, p.Username); err == nil {
		return usernameTaken("create phantom")
	} else if !errors.Is(err, apperr.NotFound) {
		return err
	}
	retired, err := t.store.Users.Retired(ctx, p.Username, p.ID, now)
	if err == nil && retired {
		return retiredUsername("create phantom")
	}
	return err
}

// ByID returns the phantom with the given id, or apperr.NotFound.
func (t *Phantoms) ByID(ctx context.Context, id string) (*Phantom, error) {
	var p Phantom
	if err := t.store.db.WithContext(ctx).Where("id = ?", id).Take(&p).Error; err != nil {
		return nil, translate("find phantom", err)
	}
	return &p, nil
}

// Remove removes a phantom and reports whether it was there.
func (t *Phantoms) Remove(ctx context.Context, id string) (bool, error) {
	rows, err := t.store.exec(ctx, "remove phantom", "DELETE FROM phantoms WHERE id = ?", id)
	return rows == 1, err
}

// Holds reports whether a phantom keeps a username, in its compared form, from an
// account. The account that has the phantom's address can take the username.
func (t *Phantoms) Holds(ctx context.Context, username, userID string, now time.Time) (bool, error) {
	var n int64
	err := t.store.db.WithContext(ctx).Model(&Phantom{}).
		Where("username = ? AND id <> ? AND owner_id <> ? AND until > ?", username, userID, userID, At(now)).Count(&n).Error
	return n > 0, translate("look for a phantom", err)
}

// Purge removes at most limit phantoms whose time is over.
func (t *Phantoms) Purge(ctx context.Context, now time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge phantoms",
		"DELETE FROM phantoms WHERE id IN (SELECT id FROM phantoms WHERE until <= ? LIMIT ?)", At(now), limit)
}

// usernameTaken is the failure of a username that someone else has.
func usernameTaken(what string) error {
	failure := apperr.New(apperr.Conflict, "", fmt.Errorf("%s: the username is taken", what))
	failure.Field = "username"
	return failure
}

// retiredUsername is the failure of a username that belonged to another account.
func retiredUsername(what string) error {
	failure := apperr.New(apperr.Conflict, "", fmt.Errorf("%s: %w", what, ErrRetired))
	failure.Field = "username"
	return failure
}
