package models

import (
	"context"
	"time"
)

const (
	// purgeBatch is how many rows one statement of a purge removes: on SQLite every
	// other write waits for it.
	purgeBatch = 100
	// purgeRest is how long a purge rests after a batch, as a multiple of the time that
	// the batch took: it takes a quarter of the time of a database at most.
	purgeRest = 3
)

// Paced calls remove, which removes at most limit rows and returns how many, until it
// finds fewer. It rests in between, so that after a backlog other writes hardly wait.
// It returns how many rows were removed in all.
func Paced(ctx context.Context, remove func(limit int) (int64, error)) (total int64, err error) {
	for {
		began := time.Now()
		n, err := remove(purgeBatch)
		total += n
		if err != nil || n < purgeBatch {
			return total, err
		}
		select {
		case <-time.After(purgeRest * time.Since(began)):
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return total, translate("purge", ctx.Err())
		}
	}
}
