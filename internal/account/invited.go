package account

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/models"
)

// InvitationState is the state of an invitation as the person with its link sees
// it.
type InvitationState int

// The states of an invitation.
const (
	InvitationOpen InvitationState = iota
	InvitationOver
	InvitationUsed
	InvitationWithdrawn
	InvitationUnknown
)

// Invitation is an invitation as the person with its link sees it.
type Invitation struct {
	State InvitationState
	Email string // the only address it is for; empty: any
	Admin bool   // the account will be an admin
	Uses  int
	Until time.Time // when it is over

	id string
}

// Invitation returns the state of the invitation of a token without using it.
func (s *Service) Invitation(ctx context.Context, token string) (Invitation, error) {
	if token == "" || len(token) > maxLinkToken {
		return Invitation{State: InvitationUnknown}, nil
	}
	row, err := s.store.Invitations.ByToken(ctx, token)
	if errors.Is(err, apperr.NotFound) {
		return Invitation{State: InvitationUnknown}, nil
	}
	if err != nil {
		return Invitation{}, err
	}
	in := Invitation{
		State: InvitationStateOf(row, s.now()), Email: row.Email, Admin: row.Role == models.RoleAdmin, Uses: row.Uses,
		Until: row.ExpiresAt.Time(), id: row.ID,
	}
	return in, nil
}

// InvitationStateOf returns the state of an invitation.
func InvitationStateOf(row *models.Invitation, now time.Time) InvitationState {
	switch {
	case !row.WithdrawnAt.IsZero():
		return InvitationWithdrawn
	case row.Used >= row.Uses:
		return InvitationUsed
	case !row.Open(now):
		return InvitationOver
	}
	return InvitationOpen
}

// SignUpInvited is SignUp with an invitation, whatever the policy for sign-up is.
// The invitation gives the role. If it is for an address, the account has to have
// that one, and the link of the letter proves that it is the person's own. When
// the invitation is no longer open it returns apperr.Conflict; Invitation says
// why. Its other errors are those of SignUp.
func (s *Service) SignUpInvited(ctx context.Context, token string, in Signup) (*auth.SignedIn, error) {
	invitation, err := s.Invitation(ctx, token)
	if err != nil {
		return nil, err
	}
	if invitation.State != InvitationOpen {
		return nil, deadLink()
	}
	if invitation.Email != "" && models.FoldEmail(in.Account.Email) != models.FoldEmail(invitation.Email) {
		return nil, apperr.Fields{{
			Field: "email", Message: "This invitation is only for " + invitation.Email + ". To use another address, ask for another invitation.",
		}}
	}
	// Not the limit of sign-up: a class at one school uses an invitation from one
	// address, and the number of its uses is a limit already.
	user, err := s.prepareUser(ctx, in, s.checkOwnUsername, func() error {
		return s.auth.Take(ctx, auth.Actor{Client: in.Client}, limit.Links, limit.Network(in.Client.IP))
	})
	if err != nil {
		return nil, s.countTaken(ctx, invitation, in, err)
	}
	in.invitation = audit.ShortID(invitation.id)
	var signedIn *auth.SignedIn
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		used, err := tx.Invitations.Use(ctx, token, s.now())
		if err != nil {
			return err
		}
		if !used {
			return deadLink()
		}
		if err := s.asInvited(ctx, tx, user, token); err != nil {
			return err
		}
		signedIn, err = s.join(ctx, tx, user, in, auth.MethodInvited, audit.SignUp, record)
		return err
	})
	return signedIn, taken(err)
}

// asInvited gives a new account what its invitation says. The row is read again,
// in the transaction that used it.
func (s *Service) asInvited(ctx context.Context, tx *models.Store, user *models.User, token string) error {
	row, err := tx.Invitations.ByToken(ctx, token)
	if err != nil {
		return err
	}
	if row.Email != "" && row.MailedHash == models.HashToken(token) {
		user.EmailVerifiedAt = models.At(s.now())
	}
	if user.Role = row.Role; user.Role == models.RoleAdmin {
		return tx.Tokens.EndSetup(ctx, s.now())
	}
	return nil
}

// countTaken counts the answer that an address is taken against the invitation, so
// that a link with many uses cannot be used to find out who has an account. It
// returns the failure, or apperr.TooMany.
func (s *Service) countTaken(ctx context.Context, invitation Invitation, in Signup, failure error) error {
	wrong, _ := errors.AsType[apperr.Fields](failure)
	for _, f := range wrong {
		if f.Message != emailTaken {
			continue
		}
		if err := s.auth.Take(ctx, auth.Actor{Client: in.Client}, limit.Addresses, invitation.id); err != nil {
			return err
		}
	}
	return failure
}
