package models_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestRotateTogether lets rotations gather behind a writer: all of them are
// carried out, each answered for itself, but for the one that was called off.
func TestRotateTogether(t *testing.T) {
	store := testdb.SQLite(t)
	ada := addUser(t, store, "ada")
	var sessions []*models.Session
	for range 8 {
		sessions = append(sessions, addSession(t, store, ada, func(*models.Session) {}))
	}
	rotation := func(s *models.Session, generation int64) models.Rotation {
		return models.Rotation{SessionID: s.ID, UserID: ada.ID, TokenID: "jti", Generation: generation, Now: epoch.Add(time.Minute)}
	}
	asked := make([]models.Rotation, 0, len(sessions)+2)
	for _, s := range sessions {
		asked = append(asked, rotation(s, s.Generation))
	}
	used := rotation(sessions[0], sessions[0].Generation-1)
	leaver := addSession(t, store, ada, func(*models.Session) {})
	asked = append(asked, used, rotation(leaver, leaver.Generation))

	release := store.HoldWriter()
	leaving, leave := context.WithCancel(t.Context())
	results, failures := make([]*models.Presence, len(asked)), make([]error, len(asked))
	var group, left sync.WaitGroup
	for i, r := range asked {
		ctx, done := t.Context(), &group
		if r.SessionID == leaver.ID {
			ctx, done = leaving, &left
		}
		done.Go(func() { results[i], failures[i] = store.Sessions.Rotate(ctx, r) })
	}
	for store.WaitingRotations() < len(asked) {
		runtime.Gosched()
	}
	leave()
	left.Wait()
	release()
	group.Wait()

	for i, r := range asked {
		switch what := fmt.Sprintf("rotation %d", i); {
		case r.SessionID == leaver.ID:
			wantKind(t, what, failures[i], apperr.Canceled)
		case r == used:
			wantKind(t, what, failures[i], apperr.NotFound)
		case failures[i] != nil:
			t.Errorf("%s: %v", what, failures[i])
		default:
			if got := results[i].Session; got.ID != r.SessionID || got.Generation != r.Generation+1 {
				t.Errorf("%s: got session %s, generation %d", what, got.ID, got.Generation)
			}
			if got := readSession(t, store, r.SessionID); got.Generation != r.Generation+1 {
				t.Errorf("%s: generation %d is stored", what, got.Generation)
			}
		}
	}
	if got := readSession(t, store, leaver.ID); got.Generation != leaver.Generation {
		t.Errorf("what was called off is at generation %d", got.Generation)
	}
}
