package models_test

import (
	"context"
	"testing"

	"latchkey/internal/apperr"
	"latchkey/models"
)

// TestPaced checks that a purge goes on until a batch is not full, and that it ends
// with its context.
func TestPaced(t *testing.T) {
	calls := 0
	total, err := models.Paced(t.Context(), func(limit int) (int64, error) {
		if calls++; calls < 4 {
			return int64(limit), nil
		}
		return 7, nil
	})
	if err != nil || calls != 4 || total <= 7 || total%10 != 7 {
		t.Errorf("removed %d in %d calls (%v), want three full batches and 7", total, calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls = 0
	total, err = models.Paced(ctx, func(limit int) (int64, error) {
		calls++
		cancel()
		return int64(limit), nil
	})
	wantKind(t, "canceled", err, apperr.Canceled)
	if calls != 1 || total < 1 {
		t.Errorf("%d calls removed %d, want one", calls, total)
	}
}
