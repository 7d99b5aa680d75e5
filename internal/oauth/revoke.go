package oauth

import (
	"cmp"
	"context"
	"errors"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/token"
	"latchkey/models"
)

// RevokeToken ends the session that an access or refresh token of the API
// points to, or a personal access token (RFC 7009). Once it returns nil, the
// token has stopped working everywhere. It ignores tokens that are not ours or
// have expired, and, when clientID is given, sessions of another client. A
// personal access token belongs to no client.
func (s *Service) RevokeToken(ctx context.Context, text, clientID string, client auth.Client) error {
	if IsPersonalSecret(text) {
		return s.revokePersonal(ctx, text, client)
	}
	claims, err := s.keyring.Verify(token.APIAccess, text)
	if err != nil {
		if claims, err = s.keyring.Verify(token.APIRefresh, text); err != nil {
			s.auth.ReportClass(ctx, token.APIAccess, text, client)
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
		ended, err := s.auth.EndByToken(ctx, tx, claims, models.ReasonLogout)
		if err != nil || !ended {
			return err
		}
		actor := auth.Actor{UserID: user.ID, Name: user.Username, SessionID: claims.SessionID, Client: client}
		record(actor.Event(audit.APILogout, user, audit.Details{}))
		return nil
	})
}

// revokePersonal removes a personal access token by its secret: anyone who has
// found it may remove it.
func (s *Service) revokePersonal(ctx context.Context, secret string, client auth.Client) error {
	b, err := s.store.PersonalTokens.Identify(ctx, secret)
	if errors.Is(err, apperr.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		err := tx.PersonalTokens.Remove(ctx, b.Token.ID, b.Token.UserID, models.ReasonLogout, s.now())
		if errors.Is(err, apperr.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		subject := &models.User{ID: b.Token.UserID, Username: b.Username}
		record(auth.Actor{UserID: subject.ID, Name: subject.Username, Client: client}.Event(audit.TokenRemove, subject, audit.Details{Token: b.Token.Name, BySecret: true}))
		return nil
	})
}
