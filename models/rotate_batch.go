package models

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
)

// rotationBatch collects the rotations that wait for SQLite's one writer: who
// gets the turn carries all of them out and commits once. Making a commit safe
// on disk is the most of a rotation's cost, and a burst of requests shares it.
// Each rotation is answered after that commit, as if it had been alone.
type rotationBatch struct {
	store   *Store
	pool    *preparedPool
	mu      sync.Mutex
	waiting []*rotationCall
}

type rotationCall struct {
	Rotation
	done     chan struct{} // closed when presence and err are set
	presence *Presence
	err      error
}

func (b *rotationBatch) rotate(ctx context.Context, r Rotation) (*Presence, error) {
	call := &rotationCall{Rotation: r, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, call)
	b.mu.Unlock()
	select {
	case <-call.done:
	case b.store.writer <- struct{}{}:
		b.takeTurn(ctx)
		<-call.done // by us, or by who had the turn before
	case <-ctx.Done():
		if b.withdraw(call) {
			return nil, translate("wait for the database", ctx.Err())
		}
		<-call.done // it is being carried out
	}
	if call.err != nil {
		return nil, translate("rotate session", call.err)
	}
	return call.presence, nil
}

// takeTurn gives the writer's turn back, also after a panic.
func (b *rotationBatch) takeTurn(ctx context.Context) {
	defer func() { <-b.store.writer }()
	b.carryOut(ctx)
}

// withdraw takes back a call that nobody has begun.
func (b *rotationBatch) withdraw(call *rotationCall) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.waiting, call)
	if i >= 0 {
		b.waiting = slices.Delete(b.waiting, i, i+1)
	}
	return i >= 0
}

// carryOut runs every waiting call in one transaction. The caller has the
// writer's turn.
func (b *rotationBatch) carryOut(ctx context.Context) {
	b.mu.Lock()
	calls := b.waiting
	b.waiting = nil
	b.mu.Unlock()
	// The others must not fail because this one's visitor went away.
	ctx = context.WithoutCancel(ctx)
	err := errors.New("rotations: no answer") // of a panic
	defer func() {
		for _, call := range calls {
			if err != nil {
				call.presence, call.err = nil, err
			}
			close(call.done)
		}
	}()
	err = b.together(ctx, calls)
}

// together returns an error when none of the calls was kept.
func (b *rotationBatch) together(ctx context.Context, calls []*rotationCall) error {
	switch len(calls) {
	case 0:
		return nil
	case 1: // a transaction by itself
		calls[0].presence, calls[0].err = rotate(ctx, b.store.hot, calls[0].Rotation)
		return nil
	}
	tx, err := b.store.sqlDB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	inTx := &preparedTx{Tx: tx, pool: b.pool}
	for _, call := range calls {
		call.presence, call.err = rotate(ctx, inTx, call.Rotation)
		if call.err != nil && !errors.Is(call.err, sql.ErrNoRows) {
			_ = tx.Rollback()
			return call.err
		}
	}
	return tx.Commit()
}
