package auth

import (
	"cmp"
	"context"
	"errors"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/token"
	"latchkey/models"
)

// Caller is who a bearer token belongs to, as the database said a moment ago,
// and what the token may do.
type Caller struct {
	Identity            // SessionID is empty for a personal access token
	Scopes    Scopes    // what the token has and the role allows now
	ClientID  string    // what the client called itself, or DefaultClientID; empty for a personal access token
	TokenID   string    // the jti, or the id of the personal access token
	Personal  bool      // a personal access token
	IssuedAt  time.Time // in UTC
	ExpiresAt time.Time // in UTC

	generation int64 // the access token's
}

// AuthenticateBearer tells whom a bearer token belongs to: an access token of
// the API or a personal access token. For anything else, and for anything that
// is over, it returns the same apperr.Unauthorized; apperr.Unavailable and
// apperr.Canceled when nothing is known.
func (s *Service) AuthenticateBearer(ctx context.Context, bearer string, client Client) (*Caller, error) {
	if IsPersonalSecret(bearer) {
		return s.personalCaller(ctx, bearer, client)
	}
	claims, err := s.keyring.Verify(token.APIAccess, bearer)
	if err != nil {
		s.reportClass(ctx, token.APIAccess, bearer, client)
		return nil, refusedBearer(err)
	}
	return s.sessionCaller(ctx, claims)
}

// refusedBearer is the one answer for every bearer token that opens nothing;
// why is for the log alone.
func refusedBearer(cause error) error { return apperr.New(apperr.Unauthorized, "", cause) }

// sessionCaller looks at the session of an access token: the one query of
// every request.
func (s *Service) sessionCaller(ctx context.Context, claims *token.Claims) (*Caller, error) {
	p, err := s.liveSession(ctx, claims)
	if err != nil {
		return nil, err
	}
	session, now := &p.Session, s.now()
	if now.Sub(session.LastSeenAt.Time()) >= seenEvery && !confirmedDelivery(session).after(deliveryOf(claims)) {
		if err := s.store.Sessions.Confirm(ctx, session.ID, claims.Generation, claims.Delivery, now); err != nil {
			return nil, err
		}
	}
	return &Caller{
		Identity: *identityOf(p), Scopes: Granted(claims.Scope).effective(p.Role), ClientID: claims.ClientID,
		TokenID: claims.ID, IssuedAt: claims.IssuedAt.Time().UTC(), ExpiresAt: claims.ExpiresAt.Time().UTC(),
		generation: claims.Generation,
	}, nil
}

// liveSession returns the session of a token and whose it is; when it is over,
// or younger in the token than in the database, it refuses the token.
func (s *Service) liveSession(ctx context.Context, claims *token.Claims) (*models.Presence, error) {
	p, err := s.store.Sessions.Identify(ctx, claims.SessionID, claims.ID, s.now())
	if p, err = ofToken(claims, p, err); err != nil {
		return nil, err
	}
	if p == nil {
		return nil, refusedBearer(errors.New("there is no such session"))
	}
	if p.Over != "" || deliveryOf(claims).after(currentDelivery(&p.Session)) {
		return nil, refusedBearer(errors.New("the session is over: " + string(p.Over)))
	}
	return p, nil
}

// personalCaller looks a personal access token up, and records once a minute
// that it was used.
func (s *Service) personalCaller(ctx context.Context, secret string, client Client) (*Caller, error) {
	b, err := s.store.PersonalTokens.Identify(ctx, secret)
	if errors.Is(err, apperr.NotFound) {
		return nil, refusedBearer(err)
	}
	if err != nil {
		return nil, err
	}
	token, now := &b.Token, s.now()
	if !token.Works(models.At(now)) || !b.DisabledAt.IsZero() {
		return nil, refusedBearer(errors.New("the personal access token is over"))
	}
	if before := now.Add(-seenEvery); token.LastUsedAt <= models.At(before) {
		if err := s.store.PersonalTokens.Used(ctx, token.ID, client.ip(), now, before); err != nil {
			return nil, err
		}
	}
	return &Caller{
		Identity: Identity{
			UserID: token.UserID, Username: b.Username, Email: b.Email, FullName: b.FullName,
			Admin: b.Role == models.RoleAdmin, PersonalTokenID: token.ID,
		},
		Scopes: Granted(token.Scope).effective(b.Role), TokenID: token.ID, Personal: true,
		IssuedAt: token.CreatedAt.Time(), ExpiresAt: token.ExpiresAt.Time(),
	}, nil
}

// RevokeToken ends the session that an access or refresh token of the API
// points to, or a personal access token (RFC 7009). Once it returns nil nothing
// of it is accepted anywhere. What is no token of ours, or dead, is nothing to
// end; nor is a session of another client than clientID, when that is given. A
// personal access token belongs to no client.
func (s *Service) RevokeToken(ctx context.Context, text, clientID string, client Client) error {
	if IsPersonalSecret(text) {
		return s.revokePersonal(ctx, text, client)
	}
	claims, err := s.keyring.Verify(token.APIAccess, text)
	if err != nil {
		if claims, err = s.keyring.Verify(token.APIRefresh, text); err != nil {
			s.reportClass(ctx, token.APIAccess, text, client)
			return nil
		}
	}
	if clientID != "" && clientID != cmp.Or(claims.ClientID, DefaultClientID) {
		return nil
	}
	return s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := tx.Users.Lock(ctx, claims.Subject)
		if errors.Is(err, apperr.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		ended, err := s.endOne(ctx, tx, claims, models.ReasonLogout)
		if err != nil || !ended {
			return err
		}
		actor := Actor{UserID: user.ID, Name: user.Username, SessionID: claims.SessionID, Client: client}
		record(actor.Event(audit.APILogout, user, audit.Details{}))
		return nil
	})
}

// revokePersonal ends a personal access token by its secret: whoever found it
// may end it.
func (s *Service) revokePersonal(ctx context.Context, secret string, client Client) error {
	b, err := s.store.PersonalTokens.Identify(ctx, secret)
	if errors.Is(err, apperr.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		err := tx.PersonalTokens.End(ctx, b.Token.ID, b.Token.UserID, models.ReasonLogout, s.now())
		if errors.Is(err, apperr.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		subject := &models.User{ID: b.Token.UserID, Username: b.Username}
		record(Actor{UserID: subject.ID, Name: subject.Username, Client: client}.Event(audit.TokenEnd, subject, audit.Details{Token: b.Token.Name, BySecret: true}))
		return nil
	})
}
