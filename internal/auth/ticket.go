package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/models"
)

// TicketFor is how long half a sign-in can be finished.
const TicketFor = 5 * time.Minute

// ticketPurpose binds a sealed text to its use.
const ticketPurpose = "ticket"

// Ticket is half a sign-in: the password was right, and the second step is missing.
// It opens nothing by itself. It works once, in one browser, and only while the
// password and the app are those that it was made for.
type Ticket struct {
	ID       string `json:"i"`
	UserID   string `json:"u"`
	Made     string `json:"m"` // what it was made for: stateOf
	Remember bool   `json:"r,omitempty"`
	Expires  int64  `json:"e"` // seconds since 1970
}

// errTicket is the cause for a ticket that does not work.
var errTicket = errors.New("the ticket does not work")

// stateOf is what a ticket depends on: the password, the app and the browser.
func stateOf(user *models.User, app *models.AuthenticatorApp, client Client) string {
	sum := sha256.Sum256([]byte(user.PasswordHash + "\n" + app.ID + "\n" + client.UserAgent))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// newTicket returns the sealed ticket of half a sign-in.
func (s *Service) newTicket(user *models.User, app *models.AuthenticatorApp, remember bool, client Client) (string, error) {
	data, err := json.Marshal(Ticket{
		ID: models.NewID(), UserID: user.ID, Made: stateOf(user, app, client), Remember: remember, Expires: s.now().Add(TicketFor).Unix(),
	})
	if err != nil {
		return "", err
	}
	return s.sealer.Seal(data, ticketPurpose), nil
}

// openTicket returns the ticket in a sealed text, and whether it still works as far
// as the ticket itself says.
func (s *Service) openTicket(sealed string) (ticket Ticket, ok bool) {
	data, ok := s.sealer.Open(sealed, ticketPurpose)
	if !ok || json.Unmarshal(data, &ticket) != nil || s.now().Unix() >= ticket.Expires {
		return Ticket{}, false
	}
	return ticket, true
}

// Pending is whose sign-in waits for a second step.
type Pending struct {
	Username string
	Email    string
	Passkeys int // how many the account has
}

// PendingStep returns the sign-in of a ticket. It returns apperr.Gone when the ticket
// no longer works.
func (s *Service) PendingStep(ctx context.Context, sealed string, client Client) (Pending, error) {
	half, err := s.halfSignIn(ctx, s.store, sealed, client)
	if err != nil {
		return Pending{}, err
	}
	factors, err := s.store.Users.Factors(ctx, half.user.ID)
	return Pending{Username: half.user.Username, Email: half.user.Email, Passkeys: factors.Passkeys}, err
}

// halfSignIn is a ticket with what it was made for.
type halfSignIn struct {
	ticket Ticket
	user   *models.User
	app    *models.AuthenticatorApp
}

// halfSignIn reads what a ticket was made for. It returns apperr.Gone when the ticket
// no longer works.
func (s *Service) halfSignIn(ctx context.Context, store *models.Store, sealed string, client Client) (half halfSignIn, err error) {
	gone := apperr.New(apperr.Gone, "", errTicket)
	var ok bool
	if half.ticket, ok = s.openTicket(sealed); !ok {
		return half, gone
	}
	if half.user, err = store.Users.ByID(ctx, half.ticket.UserID); err == nil {
		half.app, err = store.Apps.Current(ctx, half.user.ID)
	}
	switch {
	case errors.Is(err, apperr.NotFound):
		return half, gone
	case err != nil:
		return half, err
	case half.user.Disabled() || stateOf(half.user, half.app, client) != half.ticket.Made:
		return half, gone
	}
	return half, nil
}
