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

// TestRotateTogether lets rotations wait for a writer and then run in one batch. Each
// has its own result: live sessions rotate, a used token does not, and neither does a
// session whose browser has disconnected.
func TestRotateTogether(t *testing.T) {
	store := testdb.SQLite(t)
	ada := addUser(t, store, "ada")
	rotation := func(s *models.Session, generation int64) models.Rotation {
		return models.Rotation{SessionID: s.ID, UserID: ada.ID, TokenID: "jti", Generation: generation, Now: epoch.Add(time.Minute)}
	}
	gone, leave := context.WithCancel(t.Context())
	leaver := addSession(t, store, ada, nil)
	type call struct {
		ctx      context.Context
		rotation models.Rotation
		want     apperr.Kind // "" when the session rotates
	}
	calls := []call{{gone, rotation(leaver, leaver.Generation), apperr.Canceled}}
	for range 8 {
		s := addSession(t, store, ada, nil)
		calls = append(calls,
			call{t.Context(), rotation(s, s.Generation), ""},
			call{t.Context(), rotation(s, s.Generation-1), apperr.NotFound})
	}

	release := store.HoldWriter()
	results, failures := make([]*models.Presence, len(calls)), make([]error, len(calls))
	var all sync.WaitGroup
	for i, c := range calls {
		all.Go(func() { results[i], failures[i] = store.Sessions.Rotate(c.ctx, c.rotation) })
	}
	for store.WaitingRotations() < len(calls) {
		runtime.Gosched()
	}
	leave()
	release()
	all.Wait()

	for i, c := range calls {
		what := fmt.Sprintf("rotation %d", i)
		if c.want != "" {
			wantKind(t, what, failures[i], c.want)
			continue
		}
		if failures[i] != nil {
			t.Errorf("%s: %v", what, failures[i])
			continue
		}
		want := c.rotation.Generation + 1
		if got := results[i].Session; got.ID != c.rotation.SessionID || got.Generation != want {
			t.Errorf("%s: got session %s, generation %d", what, got.ID, got.Generation)
		}
		if got := readSession(t, store, c.rotation.SessionID); got.Generation != want {
			t.Errorf("%s: generation %d is stored, want %d", what, got.Generation, want)
		}
	}
	if got := readSession(t, store, leaver.ID); got.Generation != leaver.Generation {
		t.Errorf("the session of the browser that had gone is at generation %d", got.Generation)
	}
}
