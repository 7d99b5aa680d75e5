package models

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// copyStep is after how many rows a copy reports its progress.
const copyStep = 1000

// rowReader reads the rows of a table in the order of its key, and computes the
// SHA-256 of them in a form that is the same on both engines.
type rowReader struct {
	table  copyTable
	result *sql.Rows
	values []any // of the row
	into   []any // pointers to values
	rows   int64
	digest hash.Hash
	buffer []byte
	step   func(rows int64)
	strict bool  // refuse text that PostgreSQL cannot store
	err    error // why next failed
}

func (e *copyEnd) read(ctx context.Context, t copyTable) (*rowReader, error) {
	query := "SELECT " + quoted(t.columns) + " FROM " + quoted([]string{t.name}) + " ORDER BY " + quoted(t.key)
	result, err := e.tx.QueryContext(ctx, query)
	if err != nil {
		return nil, translate("read the table "+t.name, err)
	}
	r := &rowReader{
		table: t, result: result, values: make([]any, len(t.columns)), into: make([]any, len(t.columns)), digest: sha256.New(), step: func(int64) {},
	}
	for i := range r.values {
		r.into[i] = &r.values[i]
	}
	return r, nil
}

// readAll reads a table to its end.
func (e *copyEnd) readAll(ctx context.Context, t copyTable, step func(int64)) (*rowReader, error) {
	r, err := e.read(ctx, t)
	if err != nil {
		return nil, err
	}
	defer r.close()
	r.step = step
	for {
		if values, err := r.next(); values == nil || err != nil {
			return r, err
		}
	}
}

func (r *rowReader) close() { _ = r.result.Close() }

func (r *rowReader) sum() string { return string(r.digest.Sum(nil)) }

// next returns the values of the next row, until the call after it, and nil after the
// last one. Each is an int64, a string or nil.
func (r *rowReader) next() ([]any, error) {
	values, err := r.scan()
	if err != nil {
		r.err = err
		return nil, err
	}
	if values == nil {
		r.step(r.rows)
	} else if r.rows++; r.rows%copyStep == 0 {
		r.step(r.rows)
	}
	return values, nil
}

func (r *rowReader) scan() ([]any, error) {
	if !r.result.Next() {
		return nil, translate("read the table "+r.table.name, r.result.Err())
	}
	if err := r.result.Scan(r.into...); err != nil {
		return nil, translate("read the table "+r.table.name, err)
	}
	b := r.buffer[:0]
	for i, value := range r.values {
		switch v := value.(type) {
		case nil:
			b = append(b, 'n')
		case bool:
			number := int64(0)
			if v {
				number = 1
			}
			r.values[i] = number
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(number))
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
		case string:
			if r.strict && !isText(v) {
				return nil, r.unstorable(i)
			}
			b = append(binary.AppendUvarint(append(b, 't'), uint64(len(v))), v...)
		default:
			return nil, fmt.Errorf("the column %s of the table %s has a value of the type %T, which cannot be copied", r.table.columns[i], r.table.name, value)
		}
	}
	r.buffer = b
	_, _ = r.digest.Write(b) // never fails (hash.Hash)
	return r.values, nil
}

// unstorable names the row with text that PostgreSQL refuses, by its key.
func (r *rowReader) unstorable(i int) error {
	var key []string
	for _, name := range r.table.key {
		key = append(key, fmt.Sprintf("%s %q", name, r.values[slices.Index(r.table.columns, name)]))
	}
	return fmt.Errorf("the table %s has text in column %s, row %s, that PostgreSQL cannot store (a NUL, or bytes that are not UTF-8): correct it first",
		r.table.name, r.table.columns[i], strings.Join(key, ", "))
}

// write inserts the rows of another database.
func (e *copyEnd) write(ctx context.Context, t copyTable, source *rowReader) error {
	if e.dialect == dialectPostgres {
		return e.conn.Raw(func(driver any) error { return copyIn(ctx, driver.(*stdlib.Conn).Conn(), t, source) })
	}
	insert, err := e.tx.PrepareContext(ctx, "INSERT INTO "+quoted([]string{t.name})+" ("+quoted(t.columns)+") VALUES (?"+strings.Repeat(", ?", len(t.columns)-1)+")")
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	for {
		values, err := source.next()
		if values == nil || err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return err
		}
	}
}

// copyIn sends the rows by COPY, in the transaction that the connection is in.
func copyIn(ctx context.Context, conn *pgx.Conn, t copyTable, source *rowReader) error {
	row := make([]any, len(t.columns))
	rows := func() ([]any, error) {
		values, err := source.next()
		if values == nil || err != nil {
			return nil, err
		}
		for i, value := range values {
			row[i] = value
			if number, ok := value.(int64); ok && t.booleans[i] {
				row[i] = number != 0
			}
		}
		return row, nil
	}
	_, err := conn.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromFunc(rows))
	return err
}
