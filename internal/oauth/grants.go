package oauth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/limit"
	"latchkey/models"
)

// DefaultClientID is the client_id in the tokens of a client that gave no name.
// RFC 9068 §2.2 requires one in each token.
const DefaultClientID = "default"

// maxClientID is the maximum length of a client_id in bytes, so that tokens
// stay small.
const maxClientID = 64

// GrantError is the reason why a token endpoint refuses a token: an error code
// of RFC 6749 §5.2. It is an error itself, so that errors.Is(err,
// ErrInvalidGrant) holds through any wrapping.
type GrantError string

// The grant errors.
const (
	ErrInvalidRequest   GrantError = "invalid_request"        // the client_id is not valid
	ErrInvalidGrant     GrantError = "invalid_grant"          // wrong, unknown, disabled, used, expired or ended; the response does not say which
	ErrInvalidScope     GrantError = "invalid_scope"          // unknown, not allowed, or wider than before
	ErrUnsupportedGrant GrantError = "unsupported_grant_type" // the operator switched it off
)

// Error returns the code.
func (e GrantError) Error() string { return string(e) }

// PasswordGrant asks for tokens with a password (RFC 6749 §4.3).
type PasswordGrant struct {
	Username string // username or email, compared without case
	Password string // as it was typed
	Scope    string // separated by spaces; empty: me
	ClientID string // the client's name for itself; may be empty
}

// RefreshGrant asks for tokens with a refresh token (RFC 6749 §6).
type RefreshGrant struct {
	RefreshToken string
	Scope        string // of the new access token, at most that of the session; empty: all of it
	ClientID     string // when given, the one that the session was opened with
}

// Tokens are the tokens of a response to a program.
type Tokens struct {
	Access    string
	ExpiresIn time.Duration // of the access token, in whole seconds
	Refresh   string        // empty when the client keeps the one it has
	Scope     string        // of the access token
}

// PasswordGrant opens an API session. It returns ErrUnsupportedGrant,
// ErrInvalidRequest, ErrInvalidScope or ErrInvalidGrant; apperr.TooMany with
// the time to wait, apperr.Busy or apperr.Unavailable.
//
// The same limits hold as for the sign-in form, checking takes the same time,
// and wrong, unknown and disabled give the same error.
func (s *Service) PasswordGrant(ctx context.Context, in PasswordGrant, client auth.Client) (*Tokens, error) {
	scopes, err := s.checkPasswordGrant(in)
	if err != nil {
		return nil, err
	}
	tokens, err := s.passwordGrant(ctx, in, scopes, client)
	s.auth.CountSignIn(auth.SignInAPI, resultOf(err))
	return tokens, err
}

func (s *Service) passwordGrant(ctx context.Context, in PasswordGrant, scopes Scopes, client auth.Client) (*Tokens, error) {
	if err := s.auth.Take(ctx, auth.Actor{Client: client}, limit.Grants, limit.Network(client.IP)); err != nil {
		return nil, err
	}
	identifier := models.Tidy(in.Username)
	user, err := s.store.Users.ByName(ctx, identifier)
	if err != nil && !errors.Is(err, apperr.NotFound) {
		return nil, err
	}
	a := auth.Attempt{User: user, Identifier: identifier, Password: in.Password, API: true, Client: client}
	proven, err := s.auth.Prove(ctx, a)
	if errors.Is(err, apperr.Unauthorized) {
		if err := s.audit.Record(ctx, auth.Actor{Client: client}.Event(audit.LoginFailed, user, audit.Details{})); err != nil {
			return nil, err
		}
		return nil, notGranted(err)
	}
	if err != nil {
		return nil, err
	}
	return s.open(ctx, in, scopes, a, proven)
}

// checkPasswordGrant checks the parts that do not depend on the person.
func (s *Service) checkPasswordGrant(in PasswordGrant) (Scopes, error) {
	if !s.passwords {
		return nil, fmt.Errorf("password grant: %w", ErrUnsupportedGrant)
	}
	if !isClientID(in.ClientID) {
		return nil, fmt.Errorf("client_id: %w", ErrInvalidRequest)
	}
	scopes, known := ParseScopes(in.Scope)
	if !known {
		return nil, fmt.Errorf("unknown scope: %w", ErrInvalidScope)
	}
	if len(scopes) == 0 {
		scopes = Scopes{ScopeMe}
	}
	return scopes, nil
}

// open opens the session of a person whose password was right.
func (s *Service) open(ctx context.Context, in PasswordGrant, scopes Scopes, a auth.Attempt, proven limit.Taken) (*Tokens, error) {
	var tokens *Tokens
	err := s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.auth.Admit(ctx, tx, a.User, proven)
		if err != nil {
			return err
		}
		if s.verified && user.EmailVerifiedAt.IsZero() {
			return ErrUnverified
		}
		factors, err := tx.Users.Factors(ctx, user.ID)
		if err != nil {
			return err
		}
		if factors.App || s.auth.RequiresStep(user.Role == models.RoleAdmin) {
			return errNeedsStep
		}
		if err := tx.Users.SignedIn(ctx, user.ID, s.now()); err != nil {
			return err
		}
		if !scopes.Within(AllowedScopes(user.Role == models.RoleAdmin)) {
			return fmt.Errorf("scope of another role: %w", ErrInvalidScope)
		}
		session, err := s.auth.OpenProgram(ctx, tx, user.ID, scopes.String(), in.ClientID, a.Client)
		if err != nil {
			return err
		}
		actor := auth.Actor{UserID: user.ID, Name: user.Username, SessionID: session.ID, Client: a.Client}
		record(actor.Event(audit.APILogin, user, audit.Details{Scope: session.Scope, ClientID: session.ClientID}))
		tokens = s.mint(session, scopes)
		return nil
	})
	if err != nil {
		return nil, s.grantRefused(ctx, a, proven, err)
	}
	return tokens, nil
}

// grantRefused handles a right password that got no tokens.
func (s *Service) grantRefused(ctx context.Context, a auth.Attempt, p limit.Taken, cause error) error {
	switch {
	case errors.Is(cause, apperr.Unauthorized):
		return notGranted(cause)
	case errors.Is(cause, ErrInvalidScope): // the error reveals that the password was right
		if err := s.audit.Record(ctx, auth.Actor{Client: a.Client}.Event(audit.ScopeRefused, a.User, audit.Details{})); err != nil {
			cause = err
		}
		return s.limits.GiveBack(ctx, p, cause)
	case !errors.Is(cause, apperr.Disabled) && !errors.Is(cause, ErrUnverified) && !errors.Is(cause, errNeedsStep):
		return s.limits.GiveBack(ctx, p, cause)
	}
	// The attempt stays counted. Otherwise the limits would reveal that the
	// password was right.
	event := audit.LoginDisabled
	switch {
	case errors.Is(cause, ErrUnverified):
		event = audit.LoginUnverified
	case errors.Is(cause, errNeedsStep):
		event = audit.LoginNoStep
	}
	if err := s.audit.Record(ctx, auth.Actor{Client: a.Client}.Event(event, a.User, audit.Details{})); err != nil {
		return err
	}
	return notGranted(cause)
}

// resultOf returns the result of a password grant.
func resultOf(err error) auth.SignInResult {
	if hidden, ok := errors.AsType[*grantFailure](err); ok {
		err = hidden.cause
	}
	if errors.Is(err, ErrUnverified) || errors.Is(err, errNeedsStep) || errors.Is(err, ErrInvalidScope) {
		return auth.SignInRefused
	}
	return auth.ResultOf(err)
}

// errNeedsStep refuses a password by itself for an account that has, or has to have, a
// second step.
var errNeedsStep = errors.New("the account needs a second step")

// isClientID reports whether text can be a client_id (RFC 6749 §A.1), or none.
func isClientID(text string) bool {
	outside := func(r rune) bool { return r < 0x20 || r > 0x7e }
	return len(text) <= maxClientID && !strings.ContainsFunc(text, outside)
}

// notGranted is the same error for every token or password that is refused;
// only the log shows the cause.
func notGranted(cause error) error {
	return &grantFailure{cause}
}

// grantFailure hides a cause behind ErrInvalidGrant, so that the kind of the
// cause does not choose the response.
type grantFailure struct{ cause error }

// Error returns the code and the cause: a text for logs.
func (f *grantFailure) Error() string { return ErrInvalidGrant.Error() + ": " + f.cause.Error() }

// Unwrap returns only the code.
func (f *grantFailure) Unwrap() error { return ErrInvalidGrant }
