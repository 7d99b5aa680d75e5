package models

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

// rotationBatch collects the rotations that wait for SQLite's one writer. The
// first to get its turn runs all of them in one transaction: the commit, which
// waits for the disk, is most of the cost of a rotation. Each is answered after
// that commit. See docs/adr/0016-rotations-share-a-commit.md.
type rotationBatch struct {
	db       *sql.DB
	hot      *compiledQueries
	writer   chan struct{} // the store's
	usable   func() error  // the store's checkFile
	refusals *refusals     // the store's
	meter    Meter

	mu      sync.Mutex
	waiting []*rotationCall
}

type rotationCall struct {
	Rotation
	ctx      context.Context
	done     chan struct{} // closed when presence and err are set
	presence *Presence
	err      error
}

// rotate adds r to the batch and waits for its answer.
func (b *rotationBatch) rotate(ctx context.Context, r Rotation) (*Presence, error) {
	call := &rotationCall{Rotation: r, ctx: ctx, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, call)
	b.mu.Unlock()
	start := time.Now()
	select {
	case <-call.done:
	case b.writer <- struct{}{}:
		b.meter.waited(start)
		b.run()
		<-call.done // closed by run, or by the caller that had the turn before
	}
	return call.presence, call.err
}

// run answers every waiting call and gives the writer's turn back, also after a
// panic.
func (b *rotationBatch) run() {
	defer func() { <-b.writer }()
	b.mu.Lock()
	calls := b.waiting
	b.waiting = nil
	b.mu.Unlock()
	err := errors.New("rotations: panic")
	defer func() {
		for _, call := range calls {
			if err != nil {
				call.presence, call.err = nil, err
			}
			close(call.done)
		}
	}()
	start := time.Now()
	if err = b.usable(); err == nil {
		err = b.commit(calls)
	}
	b.refusals.note(err)
	if len(calls) > 0 {
		b.meter.queried(opRotate, start)
	}
}

// commit rotates in one transaction. An error means that no call was kept. The
// context of one caller must not undo the rotations of the others.
func (b *rotationBatch) commit(calls []*rotationCall) error {
	if len(calls) == 0 {
		return nil
	}
	ctx := context.Background()
	compiled, err := b.hot.statement(ctx, rotateQuery)
	if err != nil {
		return err
	}
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // without effect after Commit
	statement := tx.StmtContext(ctx, compiled)
	for _, call := range calls {
		if call.err = call.ctx.Err(); call.err != nil {
			continue // the browser is gone: it could not take the new tokens
		}
		call.presence, call.err = call.read(statement.QueryContext(ctx, call.args()...))
		if call.err != nil && !errors.Is(call.err, sql.ErrNoRows) {
			return call.err
		}
	}
	return tx.Commit()
}
