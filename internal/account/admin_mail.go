package account

import (
	"context"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/mail"
	"latchkey/models"
)

// NoMail says what to do while no mail can be sent.
const NoMail = "No mail can be sent. Set LATCHKEY_SMTP_URL to your mail server and restart the portal."

// CanRepeatMail reports whether a failed message about a topic can be sent again.
func (s *Service) CanRepeatMail(topic string) bool { return s.mail.CanRepeat(topic) }

// TestMail sends a test message to an address, and returns the id of its delivery. It
// returns apperr.Fields (to), apperr.Conflict, apperr.Forbidden or apperr.TooMany.
func (s *Service) TestMail(ctx context.Context, actor auth.Actor, to string) (id string, err error) {
	tidy := models.Tidy(to)
	var wrong apperr.Fields
	wrong.Add("to", withLeftOut(checkEmail(tidy), to))
	if len(wrong) > 0 {
		return "", wrong
	}
	if !s.mail.On() {
		return "", apperr.New(apperr.Conflict, NoMail, nil)
	}
	err = s.guarded(ctx, actor, func(tx *models.Store, _ []string, record func(models.Event)) error {
		record(actor.Event(audit.MailTest, nil, audit.Details{Recipient: tidy}))
		id, err = s.mail.PutTest(ctx, tx, tidy)
		return err
	})
	return id, err
}

// MailAgain makes a failed message anew and sends it, or sends a waiting one now. It
// returns the message as it was before, and false when nothing was done, because the
// message was sent, is being sent or was sent again by another admin. apperr.NotFound,
// apperr.Conflict, apperr.Forbidden or apperr.TooMany.
func (s *Service) MailAgain(ctx context.Context, actor auth.Actor, id string) (message *models.Delivery, done bool, err error) {
	err = s.guarded(ctx, actor, func(tx *models.Store, _ []string, record func(models.Event)) error {
		if message, err = tx.Deliveries.ByID(ctx, mail.Kind, id); err != nil {
			return err
		}
		if !s.mail.On() {
			return apperr.New(apperr.Conflict, NoMail, nil)
		}
		switch message.State {
		case models.DeliveryWaiting:
			done, err = tx.Deliveries.Hasten(ctx, id, s.now())
		case models.DeliveryFailed:
			if done, err = tx.Deliveries.MarkAgain(ctx, id, s.now()); done && err == nil {
				err = s.mail.Repeat(ctx, tx, *message)
			}
		case models.DeliverySent:
		}
		if err != nil || !done {
			return err
		}
		about, err := tx.Users.Named(ctx, []string{message.UserID})
		if err != nil {
			return err
		}
		record(actor.Event(audit.MailAgain, about[message.UserID], audit.Details{Recipient: message.Recipient}))
		return nil
	})
	return message, done, err
}
