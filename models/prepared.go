package models

import (
	"context"
	"database/sql"
	"sync"

	"gorm.io/gorm"
)

// maxPrepared bounds the statements that are kept; the queries of this package
// are far fewer, and what comes later is compiled each time.
const maxPrepared = 500

// preparedPool gives GORM a pool whose statements are compiled once for each
// connection. Its own cache compiles a statement that is first met inside a
// transaction anew on every use, and nearly every write is in one.
type preparedPool struct {
	*sql.DB
	mu         sync.RWMutex
	statements map[string]*sql.Stmt
}

func newPreparedPool(db *sql.DB) *preparedPool {
	return &preparedPool{DB: db, statements: map[string]*sql.Stmt{}}
}

// get returns the compiled query; nil when there are too many already.
func (p *preparedPool) get(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.RLock()
	stmt, full := p.statements[query], len(p.statements) >= maxPrepared
	p.mu.RUnlock()
	if stmt != nil || full {
		return stmt, nil
	}
	stmt, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if first := p.statements[query]; first != nil {
		_ = stmt.Close() // somebody else was faster
		return first, nil
	}
	p.statements[query] = stmt
	return stmt, nil
}

// BeginTx is how GORM begins a transaction.
func (p *preparedPool) BeginTx(ctx context.Context, options *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := p.DB.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	return &preparedTx{Tx: tx, pool: p}, nil
}

// ExecContext runs a statement that returns no rows.
func (p *preparedPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := p.get(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return p.DB.ExecContext(ctx, query, args...)
	}
	return stmt.ExecContext(ctx, args...)
}

// QueryContext runs a statement that returns rows.
func (p *preparedPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := p.get(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return p.DB.QueryContext(ctx, query, args...)
	}
	return stmt.QueryContext(ctx, args...)
}

// preparedTx is a transaction of a preparedPool.
type preparedTx struct {
	*sql.Tx
	pool *preparedPool
}

// ExecContext runs a statement that returns no rows.
func (t *preparedTx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := t.pool.get(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return t.Tx.ExecContext(ctx, query, args...)
	}
	return t.StmtContext(ctx, stmt).ExecContext(ctx, args...)
}

// QueryContext runs a statement that returns rows.
func (t *preparedTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := t.pool.get(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return t.Tx.QueryContext(ctx, query, args...)
	}
	return t.StmtContext(ctx, stmt).QueryContext(ctx, args...)
}
