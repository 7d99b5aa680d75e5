package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/internal/mail"
	"latchkey/internal/outbox"
	"latchkey/models"
	"latchkey/views/letters"
)

// forgotKind is the kind of the deliveries that ask for a reset link. The request
// of the page does the same for every address, because it only writes one: whether
// an account has the address is looked up by the worker.
const forgotKind = "forgot"

// Forgot is a form that asks for a reset link.
type Forgot struct {
	Email  string // as it was typed
	Next   string // the page that the person wanted to open; may be empty
	Client auth.Client
}

// forgotten is the body of a delivery of forgotKind.
type forgotten struct {
	Email     string     `json:"email"`
	Next      string     `json:"next,omitempty"`
	IP        netip.Addr `json:"ip"`
	UserAgent string     `json:"user_agent,omitempty"`
	RequestID string     `json:"request_id,omitempty"`
}

// Forgot asks for a reset link by mail and returns the address as it is stored. The
// result and the time are the same for every address. It returns apperr.Fields for
// text that is no address, or apperr.Unavailable. Too many calls do nothing.
func (s *Service) Forgot(ctx context.Context, in Forgot) (email string, err error) {
	email = models.TidyName(in.Email)
	if problem := withLeftOut(checkEmail(email), in.Email); problem != "" {
		return email, apperr.Fields{{Field: "email", Message: problem}}
	}
	err = s.auth.Take(ctx, auth.Actor{Client: in.Client}, limit.ResetAsks, limit.Network(in.Client.IP))
	if limit.Refused(err) {
		return email, nil
	}
	if err != nil {
		return email, err
	}
	body, err := json.Marshal(forgotten{
		Email: email, Next: in.Next, IP: in.Client.IP, UserAgent: in.Client.UserAgent, RequestID: in.Client.RequestID,
	})
	if err != nil {
		return email, fmt.Errorf("ask for a reset link: %w", err)
	}
	_, err = s.outbox.Put(ctx, s.store, outbox.Item{Kind: forgotKind, Topic: mail.TopicReset, Body: body, Useless: MailedResetTTL})
	return email, err
}

// sendReset handles a delivery of forgotKind: it mails a reset link to the account
// that has the address, if any.
func (s *Service) sendReset(ctx context.Context, d outbox.Delivery) (string, error) {
	var in forgotten
	if err := json.Unmarshal(d.Body, &in); err != nil {
		return "", outbox.Final{Err: fmt.Errorf("read a request for a reset link: %w", err)}
	}
	user, err := s.store.Users.ByEmail(ctx, in.Email)
	if errors.Is(err, apperr.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	actor := auth.Actor{Client: auth.Client{IP: in.IP, UserAgent: in.UserAgent, RequestID: in.RequestID}}
	if err := s.auth.Take(ctx, actor, limit.ResetMails, user.ID); limit.Refused(err) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	return "", s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := tx.Users.Lock(ctx, user.ID)
		if errors.Is(err, apperr.NotFound) {
			return nil // deleted meanwhile
		}
		if err != nil {
			return err
		}
		record(actor.Event(audit.ResetAsked, user, audit.Details{}))
		return s.mailReset(ctx, tx, user, letters.Reset{Next: in.Next})
	})
}

// mailReset mails a reset link, which replaces earlier ones, to a locked account.
// A disabled account gets a letter that says so.
func (s *Service) mailReset(ctx context.Context, tx *models.Store, user *models.User, letter letters.Reset) error {
	to := mail.Envelope{Topic: mail.TopicReset, UserID: user.ID, To: user.Email, Useless: MailedResetTTL}
	letter.Name = user.Name()
	if user.Disabled() {
		to.Topic = mail.TopicDisabled
		_, err := s.mail.Put(ctx, tx, to, letters.ResetDisabled(letter.Name))
		return err
	}
	token, err := s.createSetPassword(ctx, tx, user.ID, MailedResetTTL, user.Email)
	if err != nil {
		return err
	}
	letter.First = user.PasswordChangedAt.IsZero()
	letter.Link = s.mail.URL("/reset", "token", token, "next", letter.Next)
	_, err = s.mail.Put(ctx, tx, to, letter.Letter())
	return err
}
