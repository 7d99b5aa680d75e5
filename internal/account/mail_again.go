package account

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/mail"
	"latchkey/models"
	"latchkey/views/letters"
)

// The reasons why a message is not sent again.
const (
	addressChanged = "The account does not have this address any more."
	nothingToDo    = "There is no reason for this message any more."
)

// repeatMail sets how the messages of this package are made anew. Each gets a new
// link, which replaces the one that did not arrive.
func (s *Service) repeatMail() {
	s.mail.Again(mail.TopicReset, s.resetAgain)
	s.mail.Again(mail.TopicVerify, s.verifyAgain)
	s.mail.Again(mail.TopicInvitation, s.invitationAgain)
}

func (s *Service) resetAgain(ctx context.Context, tx *models.Store, d models.Delivery) error {
	user, err := tx.Users.Lock(ctx, d.UserID)
	switch {
	case errors.Is(err, apperr.NotFound):
		return apperr.New(apperr.Conflict, nothingToDo, err)
	case err != nil:
		return err
	case models.FoldEmail(d.Recipient) != user.EmailFolded:
		return apperr.New(apperr.Conflict, addressChanged, nil)
	case user.Disabled():
		return apperr.New(apperr.Conflict, EnableFirst, nil)
	}
	return s.mailReset(ctx, tx, user, letters.Reset{})
}

func (s *Service) verifyAgain(ctx context.Context, tx *models.Store, d models.Delivery) error {
	user, err := tx.Users.Lock(ctx, d.UserID)
	if errors.Is(err, apperr.NotFound) {
		return apperr.New(apperr.Conflict, nothingToDo, err)
	}
	if err != nil {
		return err
	}
	waiting, err := s.pending(ctx, tx, user.ID, user.Email, !user.EmailVerifiedAt.IsZero())
	if err != nil {
		return err
	}
	if user.Disabled() || waiting.Email == "" || models.FoldEmail(waiting.Email) != models.FoldEmail(d.Recipient) {
		return apperr.New(apperr.Conflict, nothingToDo, nil)
	}
	to, err := s.recipientOf(ctx, waiting.Email, user.ID)
	if err != nil {
		return err
	}
	return s.ask(ctx, tx, user, to)
}

func (s *Service) invitationAgain(ctx context.Context, tx *models.Store, d models.Delivery) error {
	letter, err := s.InvitationLetter(ctx, tx, d.Ref)
	if errors.Is(err, apperr.NotFound) {
		return apperr.New(apperr.Conflict, "The invitation is not open any more.", err)
	}
	if err != nil {
		return err
	}
	row, err := tx.Invitations.ByID(ctx, d.Ref)
	if err != nil {
		return err
	}
	_, err = s.mail.Put(ctx, tx, mail.Envelope{
		Topic: mail.TopicInvitation, Ref: row.ID, To: row.Email, Useless: row.ExpiresAt.Time().Sub(s.now()),
	}, letter)
	return err
}
