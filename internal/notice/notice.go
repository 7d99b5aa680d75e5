// Package notice tells people by mail what happens to their accounts: one letter
// for an event of the audit log, in the transaction of the event.
//
// It decides which events have a letter, what it says and which address it goes to.
// Package audit has the events, package mail sends the letters.
package notice

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/device"
	"latchkey/internal/mail"
	"latchkey/models"
	"latchkey/views/letters"
)

// SecureTTL is how long the link of "This wasn't me" works.
const SecureTTL = 7 * 24 * time.Hour

// Notices writes the letters. It is safe for concurrent use.
type Notices struct {
	mail *mail.Mail
	now  func() time.Time
}

// New returns Notices. Without mail they write nothing.
func New(m *mail.Mail, now func() time.Time) *Notices {
	n := &Notices{mail: m, now: now}
	m.Again(mail.TopicNotice, n.again)
	return n
}

// Tell writes the letters about events, in their transaction (audit.Log.Tell).
func (n *Notices) Tell(ctx context.Context, tx *models.Store, events []models.Event) error {
	if !n.mail.On() {
		return nil
	}
	for _, e := range events {
		if err := n.about(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

// about writes the letter about an event, if there is one.
func (n *Notices) about(ctx context.Context, tx *models.Store, e models.Event) error {
	words, told := wordsOf(e)
	if !told || e.SubjectID == "" {
		return nil
	}
	return n.tell(ctx, tx, e, words)
}

// again makes the letter of a delivery anew from its event.
func (n *Notices) again(ctx context.Context, tx *models.Store, d models.Delivery) error {
	e, err := tx.Audit.ByID(ctx, d.Ref)
	if err == nil && n.now().Before(e.At.Time().Add(SecureTTL)) {
		return n.about(ctx, tx, *e)
	}
	if err == nil || errors.Is(err, apperr.NotFound) {
		return apperr.New(apperr.Conflict, "The event is too long ago for a message about it.", err)
	}
	return err
}

func (n *Notices) tell(ctx context.Context, tx *models.Store, e models.Event, words words) error {
	user, err := tx.Users.ByID(ctx, e.SubjectID)
	if errors.Is(err, apperr.NotFound) {
		return nil // deleted in the same transaction
	}
	if err != nil {
		return err
	}
	to := user.Email
	if words.to != "" {
		to = words.to
	}
	if to == "" {
		return nil
	}
	letter := letters.Notice{Subject: words.subject, Name: user.Name(), Text: words.text, When: e.At.Time()}
	switch {
	case e.ActorID == "" && e.ActorName == "System", e.ActorID != "" && e.ActorID != e.SubjectID:
		letter.By = "an admin" // whose device and address are not the person's business
	default:
		if letter.Address = e.IP; e.UserAgent != "" {
			letter.Device = device.Name(e.UserAgent)
		}
	}
	if words.story != "" {
		letter.Story = letters.Link{Label: "See what happened", URL: n.mail.URL(words.story)}
	}
	if !user.Disabled() {
		if letter.Secure, err = n.secureLink(ctx, tx, e, words.to, to); err != nil {
			return err
		}
	}
	_, err = n.mail.Put(ctx, tx, mail.Envelope{
		Topic: mail.TopicNotice, UserID: user.ID, Ref: e.ID, To: to, Useless: e.At.Time().Add(SecureTTL).Sub(n.now()),
	}, letter.Letter())
	return err
}

// secureLink creates the link of "This wasn't me" for a letter to an address. Its age
// is that of the event: a change of the address since then can be undone, also with
// the link of a letter that was sent again. old is the address before the event, if it
// is about a change.
func (n *Notices) secureLink(ctx context.Context, tx *models.Store, e models.Event, old, to string) (string, error) {
	since, err := began(ctx, tx, e, old)
	if err != nil {
		return "", err
	}
	token := models.NewToken()
	err = tx.Tokens.Create(ctx, &models.OneTimeToken{
		TokenHash: models.HashToken(token), Purpose: models.PurposeSecure, UserID: &e.SubjectID, Email: to,
		CreatedAt: since, ExpiresAt: e.At.Add(SecureTTL),
	})
	return n.mail.URL("/secure", "token", token), err
}

// longestChange is longer than any transaction takes.
const longestChange = time.Minute

// began returns when the change that an event is about was made: of an address, a
// moment before the event was recorded.
func began(ctx context.Context, tx *models.Store, e models.Event, old string) (models.Time, error) {
	if old == "" {
		return e.At, nil
	}
	changes, err := tx.EmailChanges.Since(ctx, e.SubjectID, e.At.Time().Add(-longestChange))
	for _, change := range changes {
		if change.OldEmail == old && change.At < e.At {
			return change.At, err
		}
	}
	return e.At, err
}
