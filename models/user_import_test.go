package models_test

import (
	"context"
	"testing"
	"time"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestLongImport checks that a statement of an import, unlike one of a request, may
// take longer than statement_timeout and longer than an answer is awaited.
func TestLongImport(t *testing.T) {
	store := openAt(t, testdb.PostgresURL(t)+"&statement_timeout=250", nil) // an answer is awaited for one second more
	long := func(ctx context.Context) error {
		return store.InTx(ctx, func(tx *models.Store) error {
			if err := tx.Users.LongImport(ctx); err != nil {
				return err
			}
			return tx.Sleep(ctx, 1400*time.Millisecond)
		})
	}
	ended := make(chan error, 1)
	go func() { ended <- long(t.Context()) }()
	if err := long(models.WithoutTimeLimit(t.Context())); err != nil {
		t.Errorf("without a time limit: %v", err)
	}
	if err := <-ended; err == nil {
		t.Error("the statement does not take longer than an answer is awaited")
	}
}
