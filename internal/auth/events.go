package auth

import (
	"cmp"
	"context"
	"log/slog"

	"latchkey/models"
)

// The actions of the audit log. They are stored: never change one.
const (
	ActionSignUp         = "sign-up"
	ActionSetup          = "setup"
	ActionLogin          = "login"
	ActionLoginFailed    = "login-failed"
	ActionLoginDisabled  = "login-disabled"
	ActionLogout         = "logout"
	ActionReplay         = "refresh-replay"
	ActionRestored       = "refresh-from-the-future"
	ActionSessionEnd     = "session-end"
	ActionSessionsEnd    = "sessions-end-others"
	ActionProfile        = "profile-change"
	ActionPassword       = "password-change"
	ActionPasswordFailed = "password-check-failed"
	ActionPasswordReset  = "password-reset"
	ActionEmail          = "email-change"
	ActionUserCreate     = "user-create"
	ActionUserDisable    = "user-disable"
	ActionUserEnable     = "user-enable"
	ActionUserSignOut    = "user-sign-out"
	ActionUserRole       = "user-role"
	ActionUserResetLink  = "user-reset-link"
	ActionUserUnlock     = "user-unlock"
	ActionUserDelete     = "user-delete"
	ActionUserProfile    = "user-profile"
	ActionUserTokenEnd   = "user-token-end"
	ActionAPILogin       = "api-login"
	ActionAPILogout      = "api-logout"
	ActionTokenCreate    = "personal-token-create"
	ActionTokenEnd       = "personal-token-end"
	ActionScopeRefused   = "api-scope-refused"
)

// Actions of the server's log alone: there can be thousands of them a minute.
const (
	ActionLoginLimited = "login-limited"
	ActionLimited      = "limited"
	ActionTokenClass   = "token-of-another-class"
)

// event is a line for the audit log and for the server's log.
func (a Actor) event(action string, subject *models.User, detail string) models.Event {
	e := models.Event{
		Action: action, ActorID: a.UserID, ActorName: a.Name, Detail: detail, SessionID: a.SessionID,
		IP: a.Client.ip(), UserAgent: a.Client.UserAgent, RequestID: a.Client.RequestID,
	}
	if subject != nil {
		e.SubjectID, e.SubjectName = subject.ID, subject.Username
	}
	return e
}

// audited runs f in a transaction. The events that f records are part of it;
// they reach the server's log once it is committed.
func (s *Service) audited(ctx context.Context, f func(tx *models.Store, record func(models.Event)) error) error {
	var events []models.Event
	err := s.store.InTx(ctx, func(tx *models.Store) error {
		if err := f(tx, func(e models.Event) {
			e.At = models.At(s.now())
			events = append(events, e)
		}); err != nil {
			return err
		}
		if len(events) == 0 {
			return nil
		}
		return tx.Audit.Append(ctx, events...)
	})
	if err != nil {
		return err
	}
	for _, e := range events {
		s.log(ctx, e)
	}
	return nil
}

// record writes events that stand alone.
func (s *Service) record(ctx context.Context, events ...models.Event) error {
	return s.audited(ctx, func(_ *models.Store, record func(models.Event)) error {
		for _, e := range events {
			record(e)
		}
		return nil
	})
}

func (s *Service) log(ctx context.Context, e models.Event) {
	level := slog.LevelInfo
	switch e.Action {
	case ActionReplay, ActionLoginLimited, ActionLimited, ActionTokenClass:
		level = slog.LevelWarn
	}
	s.logger.LogAttrs(ctx, level, "security",
		slog.String("event", e.Action), slog.String("actor", e.ActorID), slog.String("subject", e.SubjectID),
		slog.String("detail", e.Detail), slog.String("ip", e.IP), slog.String("session", shortID(e.SessionID)),
		slog.String("request_id", e.RequestID))
}

// fromTo says what became of a value that may have been empty.
func fromTo(before, after string) string {
	return cmp.Or(before, "(none)") + " → " + cmp.Or(after, "(none)")
}

// shortID is enough of an id to find it by, and too little to be it.
func shortID(id string) string { return id[:min(len(id), 6)] }
