package models

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// copyTable is a table that both ends have.
type copyTable struct {
	name     string
	columns  []string // sorted
	key      []string // the order of the rows
	booleans []bool   // of columns: the target has a BOOLEAN, SQLite 0 and 1
}

// sequenceColumn is the only column that one engine has alone: users.seq, the row
// number for SQLite's search.
const sequenceColumn = "seq"

// queryer is a connection or its transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (e *copyEnd) queryer() queryer {
	if e.tx != nil {
		return e.tx
	}
	return e.conn
}

// tables lists the tables by name, without those of SQLite's search index and of
// PostgreSQL's extensions.
func (e *copyEnd) tables(ctx context.Context) ([]string, error) {
	query := `SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`
	if e.dialect == dialectSQLite {
		query = `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`
	}
	var names []string
	var name string
	err := e.each(ctx, query, nil, func() { names = append(names, name) }, &name)
	slices.Sort(names)
	return names, translate("list the tables", err)
}

// inOrder sorts tables so that each comes after those that it refers to.
func (e *copyEnd) inOrder(ctx context.Context, names []string) ([]string, error) {
	query := `SELECT a.relname, b.relname FROM pg_constraint c JOIN pg_class a ON a.oid = c.conrelid JOIN pg_class b ON b.oid = c.confrelid
		WHERE c.contype = 'f' AND a.relnamespace = current_schema()::regnamespace AND a.oid <> b.oid`
	if e.dialect == dialectSQLite {
		query = `SELECT t.name, f."table" FROM pragma_table_list t JOIN pragma_foreign_key_list(t.name) f
			WHERE t.schema = 'main' AND t.type = 'table' AND t.name <> f."table"`
	}
	refers := map[string][]string{}
	var from, to string
	if err := e.each(ctx, query, nil, func() { refers[from] = append(refers[from], to) }, &from, &to); err != nil {
		return nil, translate("list the foreign keys", err)
	}
	var sorted []string
	placed := func(name string) bool { return slices.Contains(sorted, name) }
	for len(sorted) < len(names) {
		next := slices.IndexFunc(names, func(name string) bool {
			return !placed(name) && !slices.ContainsFunc(refers[name], func(other string) bool { return !placed(other) })
		})
		if next < 0 {
			return nil, fmt.Errorf("tables refer to each other in a circle: %v", refers)
		}
		sorted = append(sorted, names[next])
	}
	return sorted, nil
}

// column is a column as its database describes it.
type column struct {
	name, kind string
	key        int // its place in the primary key, from 1; 0: not in it
}

func (e *copyEnd) columns(ctx context.Context, table string) ([]column, error) {
	query := `SELECT a.attname, format_type(a.atttypid, NULL), COALESCE(array_position(i.indkey::int2[], a.attnum) + 1, 0)
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
		WHERE c.relname = $1 AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''`
	if e.dialect == dialectSQLite {
		query = "SELECT name, type, pk FROM pragma_table_info($1)"
	}
	var list []column
	var c column
	err := e.each(ctx, query, []any{table}, func() { list = append(list, c) }, &c.name, &c.kind, &c.key)
	if err != nil {
		return nil, translate("list the columns of "+table, err)
	}
	list = slices.DeleteFunc(list, func(c column) bool { return table == "users" && c.name == sequenceColumn })
	slices.SortFunc(list, func(a, b column) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

// match describes a table of the target, which the source must have in the same form.
func (s *CopySource) match(ctx context.Context, to *copyEnd, name string) (copyTable, error) {
	t := copyTable{name: name}
	want, err := to.columns(ctx, name)
	if err != nil {
		return t, TargetError{err}
	}
	have, err := s.end.columns(ctx, name)
	if err != nil {
		return t, err
	}
	if !slices.EqualFunc(want, have, func(a, b column) bool { return a.name == b.name }) {
		return t, fmt.Errorf("the table %s has other columns than in a new database", name)
	}
	keys := map[int]string{}
	for _, c := range want {
		t.columns, t.booleans = append(t.columns, c.name), append(t.booleans, c.kind == "boolean")
		if c.key > 0 {
			keys[c.key] = c.name
		}
	}
	for i := 1; i <= len(keys); i++ {
		t.key = append(t.key, keys[i])
	}
	if name == "users" {
		t.key = []string{"id"} // on SQLite the primary key is seq
	}
	if len(t.key) == 0 {
		return t, TargetError{fmt.Errorf("the table %s has no primary key", name)}
	}
	return t, nil
}

// checkEmpty refuses tables with rows.
func (e *copyEnd) checkEmpty(ctx context.Context, tables []string) error {
	for _, name := range tables {
		rows, err := e.count(ctx, name)
		if err != nil {
			return err
		}
		if rows > 0 {
			return fmt.Errorf("the table %s has rows (%d): name an empty database", name, rows)
		}
	}
	return nil
}

func (e *copyEnd) count(ctx context.Context, table string) (rows int64, err error) {
	err = e.queryer().QueryRowContext(ctx, "SELECT count(*) FROM "+quoted([]string{table})).Scan(&rows)
	return rows, translate("count the rows of "+table, err)
}

// each runs a query and calls f for every row, which is in into then.
func (e *copyEnd) each(ctx context.Context, query string, args []any, f func(), into ...any) error {
	rows, err := e.queryer().QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		f()
	}
	return rows.Err()
}

// quoted returns names for SQL, separated by commas. They come from the catalog.
func quoted(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	}
	return strings.Join(list, ", ")
}
