package models

import (
	"context"
	"time"
)

// Invitation is a link with which people create their accounts. Only the hashes of
// its tokens are kept.
//
// There are two: the admin who made it sees one, and the letter, if there is one,
// has another. Only the one of the letter proves that an address is the person's
// own.
type Invitation struct {
	ID          string `gorm:"primaryKey"`
	TokenHash   string `json:"-"` // of the token that its admin was shown
	MailedHash  string `json:"-"` // of the token in the latest letter; empty: it was not mailed
	Email       string // the only address it is for; empty: any
	Role        Role
	Uses        int // how many accounts it may create
	Used        int
	Note        string // for admins
	CreatedBy   string // an admin's id; empty: the shell
	Creator     string // their username
	CreatedAt   Time   `gorm:"autoCreateTime:false"`
	ExpiresAt   Time
	WithdrawnAt Time
}

// Open reports whether the invitation can still create an account.
func (i *Invitation) Open(now time.Time) bool {
	return i.WithdrawnAt.IsZero() && i.Used < i.Uses && At(now) < i.ExpiresAt
}

// openInvitation is the condition of Open.
const openInvitation = "withdrawn_at = 0 AND used < uses AND expires_at > @now"

// Invitations is the table of invitations.
type Invitations struct{ store *Store }

// Create inserts an invitation.
func (t *Invitations) Create(ctx context.Context, invitation *Invitation) error {
	return t.store.create(ctx, "create invitation", invitation)
}

// ByID returns an invitation in any state, or apperr.NotFound.
func (t *Invitations) ByID(ctx context.Context, id string) (*Invitation, error) {
	return t.take(ctx, "id = ?", id)
}

// ByToken returns the invitation of a token in any state, or apperr.NotFound.
func (t *Invitations) ByToken(ctx context.Context, token string) (*Invitation, error) {
	hash := HashToken(token)
	return t.take(ctx, "token_hash = ? OR mailed_hash = ?", hash, hash)
}

func (t *Invitations) take(ctx context.Context, where string, args ...any) (*Invitation, error) {
	var row Invitation
	if err := t.store.db.WithContext(ctx).Where(where, args...).Take(&row).Error; err != nil {
		return nil, translate("find invitation", err)
	}
	return &row, nil
}

// Use counts one account against the invitation of a token, and reports whether
// the invitation was still open. Of parallel calls only as many succeed as it has
// uses.
func (t *Invitations) Use(ctx context.Context, token string, now time.Time) (bool, error) {
	rows, err := t.store.exec(ctx, "use invitation",
		"UPDATE invitations SET used = used + 1 WHERE (token_hash = @hash OR mailed_hash = @hash) AND "+openInvitation,
		map[string]any{"hash": HashToken(token), "now": int64(At(now))})
	return rows == 1, err
}

// Withdraw withdraws an invitation and reports whether it was still open.
func (t *Invitations) Withdraw(ctx context.Context, id string, now time.Time) (bool, error) {
	rows, err := t.store.exec(ctx, "withdraw invitation", "UPDATE invitations SET withdrawn_at = @now WHERE id = @id AND "+openInvitation,
		map[string]any{"id": id, "now": int64(At(now))})
	return rows == 1, err
}

// WithdrawBy withdraws the open invitations of an admin and returns how many there
// were.
func (t *Invitations) WithdrawBy(ctx context.Context, adminID string, now time.Time) (int, error) {
	rows, err := t.store.exec(ctx, "withdraw invitations of an admin",
		"UPDATE invitations SET withdrawn_at = @now WHERE created_by = @admin AND "+openInvitation,
		map[string]any{"admin": adminID, "now": int64(At(now))})
	return int(rows), err
}

// WithdrawFor withdraws the open invitations for an address. Without an address it
// does nothing.
func (t *Invitations) WithdrawFor(ctx context.Context, email string, now time.Time) error {
	ids, err := t.naming(ctx, email, now)
	for _, id := range ids {
		if _, err := t.Withdraw(ctx, id, now); err != nil {
			return err
		}
	}
	return err
}

// naming returns the ids of the invitations for an address that were created until
// the given instant. Few invitations have an address, so no index is needed.
func (t *Invitations) naming(ctx context.Context, email string, until time.Time) (ids []string, err error) {
	if email == "" {
		return nil, nil
	}
	var rows []Invitation
	err = t.store.db.WithContext(ctx).Select("id", "email").Where("email <> '' AND created_at <= ?", At(until)).Find(&rows).Error
	for _, row := range rows {
		if FoldEmail(row.Email) == FoldEmail(email) {
			ids = append(ids, row.ID)
		}
	}
	return ids, translate("look for invitations of an address", err)
}

// Mail sets the token of the letter, which replaces that of an earlier one. It
// returns apperr.NotFound unless the invitation is open.
func (t *Invitations) Mail(ctx context.Context, id, token string, now time.Time) error {
	rows, err := t.store.exec(ctx, "mail invitation", "UPDATE invitations SET mailed_hash = @hash WHERE id = @id AND "+openInvitation,
		map[string]any{"id": id, "hash": HashToken(token), "now": int64(At(now))})
	return oneRow("mail invitation", rows, err)
}

// InvitationPage is one page of the list of invitations.
type InvitationPage struct {
	Invitations []Invitation
	Next, Prev  string // cursors; "" when there is no such page
}

// List returns a page of the invitations in any state.
func (t *Invitations) List(ctx context.Context, q NewestFirst) (page InvitationPage, err error) {
	page.Invitations, page.Next, page.Prev, err = newestFirst(t.store.db.WithContext(ctx), "list invitations", "created_at", q,
		func(i Invitation) (Time, string) { return i.CreatedAt, i.ID })
	return page, err
}

// Forget erases a person from the invitations: it removes those for their address
// that were created until the given instant, and gives the creator of their own
// ones another name.
func (t *Invitations) Forget(ctx context.Context, userID, email, name string, until time.Time) error {
	_, err := t.store.exec(ctx, "rename the creator of invitations", "UPDATE invitations SET creator = ? WHERE created_by = ?", name, userID)
	if err != nil {
		return err
	}
	ids, err := t.naming(ctx, email, until)
	for _, id := range ids {
		if _, err := t.store.exec(ctx, "remove invitation", "DELETE FROM invitations WHERE id = ?", id); err != nil {
			return err
		}
	}
	return err
}

// Purge removes at most limit invitations that expired before the given instant.
func (t *Invitations) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	return t.store.exec(ctx, "purge invitations",
		"DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE expires_at < ? LIMIT ?)", At(before), limit)
}
