package account

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/mail"
	"latchkey/models"
	"latchkey/views/letters"
)

// DefaultInvitationHours is how long an invitation works unless an admin chooses
// otherwise.
const DefaultInvitationHours = 72

// MaxInvitationUses is how many accounts an invitation may create at most.
const MaxInvitationUses = 100

// invitationHours are the choices of how long an invitation works.
var invitationHours = []int{24, DefaultInvitationHours, 168, 720}

// InvitationDraft is a form for a new invitation.
type InvitationDraft struct {
	Email string // the only address it is for; empty: any
	Role  models.Role
	Hours int // how long it works
	Uses  int // how many accounts it may create; 1 for an address
	Note  string
}

// tidy returns the draft as it is stored, and what is wrong with each field.
func (d InvitationDraft) tidy() (InvitationDraft, apperr.Fields) {
	typed := d.Email
	d.Email, d.Note = models.TidyName(typed), strings.Join(strings.Fields(d.Note), " ")
	var wrong apperr.Fields
	if d.Email != "" {
		wrong.Add("email", withLeftOut(checkEmail(d.Email), typed))
	}
	if d.Role != models.RoleUser && d.Role != models.RoleAdmin {
		wrong.Add("role", "Choose a role.")
	}
	if !slices.Contains(invitationHours, d.Hours) {
		wrong.Add("hours", "Choose how long the link works.")
	}
	switch {
	case d.Uses < 1 || d.Uses > MaxInvitationUses:
		wrong.Add("uses", "Enter a number from 1 to 100.")
	case d.Email != "" && d.Uses > 1:
		wrong.Add("uses", "An invitation for one email address creates one account. Enter 1, or leave out the address.")
	}
	switch {
	case utf8.RuneCountInString(d.Note) > maxReason:
		wrong.Add("note", "Use a note of at most 500 characters.")
	case hasControl(d.Note):
		wrong.Add("note", "The note cannot contain invisible or control characters.")
	}
	return d, wrong
}

// CreateInvitation creates an invitation and returns the token of the link to pass
// on, which is stored only as a hash, so show it now. An invitation for an address
// replaces the open ones for that address, and is mailed there if mail can be
// sent. It returns apperr.Fields (email, role, hours, uses, note), apperr.Forbidden
// or apperr.TooMany.
func (s *Service) CreateInvitation(ctx context.Context, actor auth.Actor, draft InvitationDraft) (row *models.Invitation, token string, err error) {
	draft, wrong := draft.tidy()
	if len(wrong) > 0 {
		return nil, "", wrong
	}
	if err := s.checkFree(ctx, draft.Email); err != nil {
		return nil, "", err
	}
	now := s.now()
	token = models.NewToken()
	row = &models.Invitation{
		ID: models.NewID(), TokenHash: models.HashToken(token), Email: draft.Email, Role: draft.Role, Uses: draft.Uses, Note: draft.Note,
		CreatedBy: actor.UserID, Creator: actor.Name, CreatedAt: models.At(now), ExpiresAt: models.At(now.Add(time.Duration(draft.Hours) * time.Hour)),
	}
	err = s.guarded(ctx, actor, func(tx *models.Store, _ []string, record func(models.Event)) error {
		if err := tx.Invitations.WithdrawFor(ctx, draft.Email, now); err != nil {
			return err
		}
		if err := tx.Invitations.Create(ctx, row); err != nil {
			return err
		}
		// Not the address: lines of the log have no names of people without an account.
		record(actor.Event(audit.InviteCreate, nil, audit.Details{
			Invitation: audit.ShortID(row.ID), Role: audit.Changed("", string(row.Role)), Uses: row.Uses,
		}))
		if row.Email == "" || !s.mail.On() {
			return nil
		}
		letter, err := s.InvitationLetter(ctx, tx, row.ID)
		if err != nil {
			return err
		}
		_, err = s.mail.Put(ctx, tx, mail.Envelope{
			Topic: mail.TopicInvitation, Ref: row.ID, To: row.Email, Useless: row.ExpiresAt.Sub(models.At(now)),
		}, letter)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return row, token, nil
}

// checkFree returns apperr.Fields when an account has the address.
func (s *Service) checkFree(ctx context.Context, email string) error {
	if email == "" {
		return nil
	}
	_, err := s.store.Users.ByEmail(ctx, email)
	if errors.Is(err, apperr.NotFound) {
		return nil
	}
	if err == nil {
		return apperr.Fields{{Field: "email", Message: emailTaken}}
	}
	return err
}

// InvitationLetter returns the letter of an open invitation for an address, with a
// new token: the link of an earlier letter no longer works, the one that the admin
// was shown does. It returns apperr.NotFound for any other invitation.
func (s *Service) InvitationLetter(ctx context.Context, tx *models.Store, id string) (letters.Letter, error) {
	row, err := tx.Invitations.ByID(ctx, id)
	if err != nil {
		return letters.Letter{}, err
	}
	token := models.NewToken()
	if err := tx.Invitations.Mail(ctx, id, token, s.now()); err != nil {
		return letters.Letter{}, err
	}
	return letters.Invitation(s.mail.Brand(), s.mail.URL("/signup", "invite", token), row.ExpiresAt.Time()), nil
}

// WithdrawInvitation withdraws an open invitation and returns it as it was before.
// One that is no longer open does not change. It returns apperr.NotFound,
// apperr.Forbidden or apperr.TooMany.
func (s *Service) WithdrawInvitation(ctx context.Context, actor auth.Actor, id string) (row *models.Invitation, withdrawn bool, err error) {
	err = s.guarded(ctx, actor, func(tx *models.Store, _ []string, record func(models.Event)) error {
		if row, err = tx.Invitations.ByID(ctx, id); err != nil {
			return err
		}
		if withdrawn, err = tx.Invitations.Withdraw(ctx, id, s.now()); err != nil || !withdrawn {
			return err
		}
		record(actor.Event(audit.InviteWithdraw, nil, audit.Details{Invitation: audit.ShortID(id)}))
		return nil
	})
	return row, withdrawn, err
}
