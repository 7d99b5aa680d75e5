package auth

import (
	"context"
	"errors"
	"strings"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/token"
	"latchkey/models"
)

const (
	// rotationsPerMinute is how many rotations one session may win.
	rotationsPerMinute = 60
	// crashWindow is how long a browser may use new cookies before it has saved
	// them: when it crashes within it, it comes back with the previous ones.
	crashWindow = 60 * time.Second
	// maxDeliveries is how often one generation is delivered again.
	maxDeliveries = 20
	// maxReads is how often a refresh reads a row that parallel requests change.
	maxReads = 5
)

// delivery orders the refresh tokens of a session. Each rotation begins a new
// generation with delivery 0; a browser that lost the tokens of a generation
// gets its next delivery. Only the newest delivery is live.
type delivery struct{ generation, number int64 }

func deliveryOf(claims *token.Claims) delivery { return delivery{claims.Generation, claims.Delivery} }

func currentDelivery(s *models.Session) delivery { return delivery{s.Generation, s.Delivery} }

// previousDelivery is the delivery whose rotation began the current generation.
func previousDelivery(s *models.Session) delivery {
	return delivery{s.Generation - 1, s.PreviousDelivery}
}

func confirmedDelivery(s *models.Session) delivery {
	return delivery{s.ConfirmedGeneration, s.ConfirmedDelivery}
}

func (d delivery) after(other delivery) bool {
	return d.generation > other.generation || d.generation == other.generation && d.number > other.number
}

// verdict classifies a refresh token of a live session.
type verdict int

const (
	verdictCurrent  verdict = iota // the live token: it rotates the session
	verdictParallel                // its successor was delivered a moment ago: the same again
	verdictLate                    // its successor may be lost: another delivery
	verdictRestored                // newer than the row, which is from a backup
	verdictReplay                  // used before: someone has a copy
)

// judge classifies a refresh token (docs/architecture.md, "Life of a session").
// Besides the live token only its immediate predecessor can be valid, because
// browsers send requests in parallel, lose responses, and crash before they
// have saved their cookies.
func (s *Service) judge(presented delivery, session *models.Session, now time.Time) verdict {
	current, deliveredAt := currentDelivery(session), session.DeliveredAt.Time()
	switch {
	case presented == current:
		return verdictCurrent
	case presented.after(current):
		return verdictRestored
	case presented != previousDelivery(session):
		return verdictReplay
	case now.Sub(deliveredAt) <= s.refreshGrace:
		return verdictParallel
	case session.Delivery >= maxDeliveries:
		return verdictReplay
	case current.after(confirmedDelivery(session)), !session.LastSeenAt.Time().After(deliveredAt.Add(crashWindow)):
		return verdictLate
	}
	return verdictReplay
}

// refresh continues a session with its refresh token: silent refresh.
func (s *Service) refresh(ctx context.Context, claims *token.Claims, client Client) (Result, error) {
	p, err := s.store.Sessions.Rotate(ctx, s.rotation(claims, client))
	if err == nil {
		s.countRotation(RotationWon)
		return s.delivered(p), nil
	}
	if !errors.Is(err, apperr.NotFound) {
		return Result{}, err
	}
	for range maxReads {
		now := s.now()
		p, err := s.store.Sessions.Examine(ctx, claims.SessionID, claims.ID, now)
		if p, err = ofToken(claims, p, err); p == nil {
			return Result{Over: true}, err
		}
		if p.Over != "" {
			return Result{Over: true, Ended: p.Over}, nil
		}
		switch verdict := s.judge(deliveryOf(claims), &p.Session, now); verdict {
		case verdictCurrent:
			return Result{}, held(&p.Session, now, "This browser opened too many pages in a short time.")
		case verdictParallel:
			s.countRotation(RotationOverlap)
			return s.delivered(p), nil
		case verdictLate:
			done, err := s.redeliver(ctx, p, client)
			if err != nil {
				return Result{}, err
			}
			if done {
				s.countRotation(RotationRedelivered)
				return s.delivered(p), nil
			}
		default:
			ended, err := s.endAfterReuse(ctx, p, claims, client)
			return Result{Over: true, Ended: ended}, err
		}
	}
	return Result{}, errChanged()
}

// rotation returns the query for the next generation of a token's session.
func (s *Service) rotation(claims *token.Claims, client Client) models.Rotation {
	rotation := models.Rotation{
		SessionID: claims.SessionID, UserID: claims.Subject, TokenID: claims.ID,
		Generation: claims.Generation, Delivery: claims.Delivery, To: client.place(), Now: s.now(),
	}
	if s.limits.Enabled() {
		rotation.PerMinute = rotationsPerMinute
	}
	return rotation
}

// redeliver begins another delivery of the session's generation. It returns
// false when the row has changed since it was read. A delivery to another
// address or browser than the one before is written to the audit log: it may
// have gone to a thief.
func (s *Service) redeliver(ctx context.Context, p *models.Presence, client Client) (done bool, err error) {
	before := p.Session
	err = s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		var err error
		done, err = tx.Sessions.Redeliver(ctx, &p.Session, client.place(), s.now())
		if done && before.DeliveredTo != client.place() {
			user := &models.User{ID: before.UserID, Username: p.Username}
			details := audit.Details{Current: p.Session.Generation, CurrentDelivery: p.Session.Delivery}
			record(Actor{SessionID: before.ID, Client: client}.Event(audit.LateDelivery, user, details))
		}
		return err
	})
	return done && err == nil, err
}

// held returns why a live session did not rotate although its live token was
// presented: too many rotations in this minute, for which words is the message,
// or a parallel change.
func held(session *models.Session, now time.Time, words string) error {
	if wait := session.PauseUntil().Sub(now); wait > 0 && session.Rotations >= rotationsPerMinute {
		return apperr.Wait(apperr.TooMany, wait, words, errors.New("rotations of one session"))
	}
	return errChanged()
}

func errChanged() error {
	return apperr.Wait(apperr.Unavailable, time.Second, "", errors.New("the session changed while it was refreshed"))
}

func (s *Service) delivered(p *models.Presence) Result {
	return Result{Identity: IdentityOf(p), Tokens: s.mint(&p.Session)}
}

// heldBy returns where the current tokens of a session are: who got them, and when
// they were last seen in use.
func heldBy(session *models.Session) *audit.Use {
	address, agent, _ := strings.Cut(session.DeliveredTo, " ")
	if agent == "" && address == "" {
		return nil
	}
	return &audit.Use{IP: address, UserAgent: agent, At: max(session.DeliveredAt, session.LastSeenAt)}
}

// endAfterReuse ends a session after a refresh token that was used before or is
// newer than the row, and returns the reason. A used token means that someone
// has a copy: the person is told at the next sign-in. A newer token was issued
// before the database was restored from a backup: it is no attack.
func (s *Service) endAfterReuse(ctx context.Context, p *models.Presence, claims *token.Claims, client Client) (models.Reason, error) {
	presented, current := deliveryOf(claims), currentDelivery(&p.Session)
	reason, event := models.ReasonReplay, audit.Replay
	if presented.after(current) {
		reason, event = models.ReasonRestored, audit.Restored
	}
	details := audit.Details{
		Presented: presented.generation, PresentedDelivery: presented.number,
		Current: current.generation, CurrentDelivery: current.number, Held: heldBy(&p.Session),
	}
	ended := false
	err := s.audit.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		user, err := tx.Users.Lock(ctx, p.Session.UserID)
		if err != nil {
			return err
		}
		err = tx.Sessions.End(ctx, p.Session.ID, user.ID, reason, s.now())
		if errors.Is(err, apperr.NotFound) {
			return nil // a parallel request ended it
		}
		if err != nil {
			return err
		}
		record(Actor{SessionID: p.Session.ID, Client: client}.Event(event, user, details))
		ended = true
		if reason == models.ReasonReplay {
			return tx.Users.MarkReplayed(ctx, user.ID, s.now())
		}
		return nil
	})
	if err == nil && ended && reason == models.ReasonReplay {
		s.countRotation(RotationReplay)
	}
	return reason, err
}
