package auth

import (
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/token"
	"latchkey/models"
)

// Presented are the tokens that came with a request; either may be empty.
type Presented struct {
	Access  string
	Refresh string
}

// Result is the outcome of authenticating a request.
type Result struct {
	Identity *Identity     // nil: no one is signed in
	Tokens   *Tokens       // new tokens for the browser, sent with this response; may be nil
	Over     bool          // the session of the presented tokens is known to be over: the browser can forget them
	Ended    models.Reason // why it is over, if that is known
}

// Authenticate returns the person behind the tokens and continues their
// session. A live access token takes one query; without one, the refresh token
// rotates the session in the same request.
//
// Tokens that are not ours, are broken, or are ours and not valid yet
// (token.ErrNotYet: a clock stepped) are ignored, and their session is not
// Over: another portal on this host may have set them, and a clock may be
// corrected.
//
// Its errors are apperr.Unavailable and apperr.Canceled, when nothing is known
// and nothing may be changed, and apperr.TooMany, when the session rotates
// faster than it may.
func (s *Service) Authenticate(ctx context.Context, presented Presented, client Client) (Result, error) {
	if presented.Access == "" && presented.Refresh == "" {
		return Result{}, nil
	}
	var result Result
	if presented.Access != "" {
		var err error
		if result, err = s.checkAccess(ctx, presented, client); err != nil || result.Identity != nil {
			return result, err
		}
	}
	if presented.Refresh == "" {
		return result, nil
	}
	claims, err := s.keyring.Verify(token.WebRefresh, presented.Refresh)
	if err != nil {
		s.ReportClass(ctx, token.WebRefresh, presented.Refresh, client)
		ended, err := s.explainExpired(ctx, presented.Refresh)
		if ended != "" {
			result = Result{Over: true, Ended: ended}
		}
		return result, err
	}
	return s.refresh(ctx, claims, client)
}

// checkAccess checks an access token, with the request's only query.
func (s *Service) checkAccess(ctx context.Context, presented Presented, client Client) (Result, error) {
	claims, err := s.keyring.Verify(token.WebAccess, presented.Access)
	if err != nil {
		s.ReportClass(ctx, token.WebAccess, presented.Access, client)
		return Result{}, nil
	}
	now := s.now()
	p, err := s.store.Sessions.Identify(ctx, claims.SessionID, claims.ID, now)
	if p, err = ofToken(claims, p, err); p == nil {
		return Result{Over: true}, err
	}
	if p.Over != "" {
		return Result{Over: true, Ended: p.Over}, nil
	}
	if deliveryOf(claims).after(currentDelivery(&p.Session)) { // the row is from a backup: the refresh token will end it
		return Result{}, nil
	}
	if err := s.seen(ctx, claims, &p.Session, now); err != nil {
		return Result{}, err
	}
	return Result{Identity: IdentityOf(p)}, nil
}

// ReportClass logs a genuine token whose class does not match its cookie or its
// place in the API: no browser or program sends one by itself.
func (s *Service) ReportClass(ctx context.Context, want token.Class, text string, client Client) {
	for _, class := range token.Classes() {
		if class == want {
			continue
		}
		if claims, err := s.keyring.Verify(class, text); err == nil {
			actor := Actor{UserID: claims.Subject, SessionID: claims.SessionID, Client: client}
			s.audit.Note(ctx, actor.Event(audit.TokenClass, nil, audit.Details{Cause: class.Audience() + " as " + want.Audience()}))
		}
	}
}

// ofToken returns the session of a token as it was read from the database, or
// nil without an error when it does not exist or belongs to someone else.
func ofToken(claims *token.Claims, p *models.Presence, err error) (*models.Presence, error) {
	if errors.Is(err, apperr.NotFound) {
		return nil, nil //nolint:nilnil // no session is a result, not a failure
	}
	if err == nil && p.Session.UserID != claims.Subject {
		return nil, nil //nolint:nilnil // as above
	}
	return p, err
}

// explainExpired returns why the session of an expired refresh token is over.
func (s *Service) explainExpired(ctx context.Context, refresh string) (models.Reason, error) {
	claims, err := s.keyring.VerifyExpired(token.WebRefresh, refresh)
	if err != nil {
		return "", nil
	}
	p, err := s.store.Sessions.Identify(ctx, claims.SessionID, claims.ID, s.now())
	if p, err = ofToken(claims, p, err); p == nil {
		return "", err
	}
	return p.Over, nil
}

// IdentityOf returns the person of a session.
func IdentityOf(p *models.Presence) *Identity {
	return &Identity{
		UserID: p.Session.UserID, Username: p.Username, Email: p.Email, Verified: !p.EmailVerifiedAt.IsZero(), FullName: p.FullName,
		Admin: p.Role == models.RoleAdmin, SessionID: p.Session.ID, AuthTime: p.Session.AuthTime.Time(), ACR: p.Session.ACR,
	}
}
