package auth

import (
	"context"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/token"
	"latchkey/models"
)

// seenEvery is how often last_seen_at is written for a busy session.
const seenEvery = time.Minute

// Presented are the tokens that came with a request; either may be empty.
type Presented struct {
	Access  string
	Refresh string
}

// Result is what a request's tokens are worth.
type Result struct {
	Identity *Identity     // nil: nobody is signed in
	Tokens   *Tokens       // set: to be given to the browser with this response
	Over     bool          // the session of the presented tokens is known to be over: the browser can forget them
	Ended    models.Reason // why it is over, if that is known
}

// Authenticate tells who presented the tokens and goes on with their session:
// a live access token is one query; without one, the refresh token rotates the
// session in the same request.
//
// Tokens that are not ours, are broken, or are ours and not valid yet
// (token.ErrNotYet: a clock stepped) are ignored, and their session is not
// Over: another portal on this host may have set them, and a clock is set right
// again.
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

// checkAccess looks at an access token: the one query of a request.
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

// ReportClass logs a token that is genuine and of another class than its cookie
// or its place in the API: no browser and no program does that by itself.
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

// ofToken passes what the database says of a token's session: nil without an
// error when the session is not there or is somebody else's.
func ofToken(claims *token.Claims, p *models.Presence, err error) (*models.Presence, error) {
	if errors.Is(err, apperr.NotFound) {
		return nil, nil //nolint:nilnil // nobody is an answer here, and not a failure
	}
	if err == nil && p.Session.UserID != claims.Subject {
		return nil, nil //nolint:nilnil // as above
	}
	return p, err
}

// explainExpired tells why the session of an expired refresh token is over.
func (s *Service) explainExpired(ctx context.Context, refresh string) (models.Reason, error) {
	claims, err := s.keyring.VerifyExpired(token.WebRefresh, refresh)
	if err != nil {
		return "", nil
	}
	p, err := s.store.Sessions.Identify(ctx, claims.SessionID, claims.ID, s.now())
	if p, err = ofToken(claims, p, err); p == nil {
		return "", err
	}
	if p.Over == "" && deliveryOf(claims) == currentDelivery(&p.Session) {
		return models.ReasonIdle, nil // the row counts from the last access token's use, a little later
	}
	return p.Over, nil
}

// IdentityOf returns the person of a session.
func IdentityOf(p *models.Presence) *Identity {
	return &Identity{
		UserID: p.Session.UserID, Username: p.Username, Email: p.Email, FullName: p.FullName,
		Admin: p.Role == models.RoleAdmin, SessionID: p.Session.ID,
	}
}
