package auth

import (
	"context"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/models"
)

// SessionInfo is a session as its owner or an admin sees it.
type SessionInfo struct {
	ID         string
	UserAgent  string
	IP         string
	Method     string
	NewDevice  bool // opened on a new device
	Kind       models.SessionKind
	ClientID   string // of an API session: the client's name for itself; may be empty
	Scope      string // of an API session, separated by spaces
	SignedIn   time.Time
	LastSeen   time.Time
	Until      time.Time // when it ends at the latest
	Remember   bool
	EndedAt    time.Time
	EndReason  models.Reason
	ThisDevice bool
}

// endedShown is how long ended sessions stay in the list.
const endedShown = 30 * 24 * time.Hour

// maxEnded bounds that list.
const maxEnded = 100

// Sessions returns a person's live sessions, the current one first.
func (s *Service) Sessions(ctx context.Context, userID, current string) (live []SessionInfo, err error) {
	rows, err := s.store.Sessions.Live(ctx, userID, s.now())
	for _, row := range rows {
		info := sessionInfo(row)
		if info.ThisDevice = row.ID == current; info.ThisDevice {
			live = append([]SessionInfo{info}, live...)
			continue
		}
		live = append(live, info)
	}
	return live, err
}

// EndedSessions returns a person's sessions that ended lately, the latest
// first.
func (s *Service) EndedSessions(ctx context.Context, userID string) (ended []SessionInfo, err error) {
	now := s.now()
	rows, err := s.store.Sessions.Ended(ctx, userID, now.Add(-endedShown), now, maxEnded)
	for _, row := range rows {
		info := sessionInfo(row)
		at, reason := row.Over()
		info.EndedAt, info.EndReason = at.Time(), reason
		ended = append(ended, info)
	}
	return ended, err
}

func sessionInfo(row models.Session) SessionInfo {
	return SessionInfo{
		ID: row.ID, UserAgent: row.UserAgent, IP: row.IP, Method: row.Method, NewDevice: row.NewDevice, Remember: row.Remember,
		Kind: row.Kind, ClientID: row.ClientID, Scope: row.Scope,
		SignedIn: row.CreatedAt.Time(), LastSeen: row.LastSeenAt.Time(), Until: row.ExpiresAt.Time(),
		EndedAt: row.EndedAt.Time(), EndReason: row.EndReason,
	}
}

// Session returns a session of a person, live or over, or apperr.NotFound.
func (s *Service) Session(ctx context.Context, userID, id string) (SessionInfo, error) {
	row, err := s.store.Sessions.ByID(ctx, id)
	if err != nil {
		return SessionInfo{}, err
	}
	if row.UserID != userID {
		return SessionInfo{}, apperr.New(apperr.NotFound, "", nil)
	}
	return sessionInfo(*row), nil
}

// EndSession ends one other session of the person and returns it. It returns
// apperr.NotFound when the person has no such live session.
func (s *Service) EndSession(ctx context.Context, identity *Identity, id string, client Client) (SessionInfo, error) {
	var info SessionInfo
	err := s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.LockActive(ctx, tx, identity)
		if err != nil {
			return err
		}
		if info, err = s.End(ctx, tx, user.ID, id, models.ReasonEndedElsewhere); err != nil {
			return err
		}
		record(identity.Actor(client).Event(audit.SessionEnd, user, audit.Details{Session: audit.ShortID(id)}))
		return nil
	})
	return info, err
}

// End ends one live session of a person in the transaction of the caller and
// returns it. It returns apperr.NotFound when the person has no such live
// session.
func (s *Service) End(ctx context.Context, tx *models.Store, userID, id string, reason models.Reason) (SessionInfo, error) {
	if err := tx.Sessions.End(ctx, id, userID, reason, s.now()); err != nil {
		return SessionInfo{}, err
	}
	row, err := tx.Sessions.ByID(ctx, id)
	if err != nil {
		return SessionInfo{}, err
	}
	return sessionInfo(*row), nil
}

// EndOtherSessions ends every session of the person but the current one and
// returns how many were live.
func (s *Service) EndOtherSessions(ctx context.Context, identity *Identity, client Client) (int, error) {
	var ended int
	err := s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := s.LockActive(ctx, tx, identity)
		if err != nil {
			return err
		}
		if ended, err = tx.Sessions.EndAll(ctx, user.ID, identity.SessionID, models.ReasonEndedElsewhere, s.now()); err != nil || ended == 0 {
			return err
		}
		record(identity.Actor(client).Event(audit.OtherSessionsEnd, user, audit.Details{SessionsEnded: ended}))
		return nil
	})
	return ended, err
}
