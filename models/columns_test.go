package models_test

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestColumnsAreAdded runs every method of every table on PostgreSQL, as a replica does
// while the next release adds columns to every table: no statement fails because its
// result has changed, and none has the result *.
func TestColumnsAreAdded(t *testing.T) {
	log := make(lines, 1000)
	store := oneConnection(t, testdb.PostgresURL(t), log)
	must(t, store.Migrate(t.Context()))
	callAll(t, store)
	for _, table := range strs(t, store, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT LIKE 'goose_%'") {
		for _, change := range []string{"ALTER TABLE " + table + " ADD COLUMN later TEXT NOT NULL DEFAULT ''", "CREATE INDEX " + table + "_later ON " + table + " (later)"} {
			_, err := store.SQL().ExecContext(t.Context(), change)
			must(t, err)
		}
	}
	callAll(t, store)
	statements := strs(t, store, "SELECT statement FROM pg_prepared_statements")
	if len(statements) < 150 {
		t.Errorf("only %d statements were prepared: does this test still call every method?", len(statements))
	}
	star := regexp.MustCompile(`(?i)(SELECT|DISTINCT|RETURNING|,)\s+\*|\.\*`)
	for _, statement := range statements {
		if star.MatchString(statement) {
			t.Errorf("the result of a statement is *: %s", statement)
		}
	}
	for len(log) > 0 {
		if line := <-log; strings.Contains(line, "sent again") {
			t.Errorf("the log says %s", line)
		}
	}
}

// TestSentAgain checks that a statement outside of a transaction survives a column that
// changes its type, once, and that the log says so.
func TestSentAgain(t *testing.T) {
	log := make(lines, 1000)
	store := oneConnection(t, testdb.PostgresURL(t), log)
	ctx := t.Context()
	must(t, store.Migrate(ctx))
	ada := addUser(t, store, "ada")
	find := func() error { _, err := store.Users.ByID(ctx, ada.ID); return err }
	inTx := func() error {
		return store.InTx(ctx, func(tx *models.Store) error { _, err := tx.Users.ByID(ctx, ada.ID); return err })
	}
	change := func(kind string) {
		t.Helper()
		_, err := store.SQL().ExecContext(ctx, "ALTER TABLE users ALTER COLUMN full_name TYPE "+kind)
		must(t, err)
	}
	must(t, find())
	change("varchar")
	must(t, find())
	if len(log) != 1 {
		t.Errorf("%d lines in the log, want 1", len(log))
	}
	must(t, inTx())
	change("text")
	if err := inTx(); sqlState(err) != "0A000" {
		t.Errorf("in a transaction: %v, want 0A000", err)
	}
	must(t, inTx())
}

// oneConnection opens a store on PostgreSQL whose statements all take one connection.
func oneConnection(t *testing.T, databaseURL string, log lines) *models.Store {
	t.Helper()
	store, err := models.Open(t.Context(), models.Options{URL: databaseURL, Conns: 1, Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	must(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func sqlState(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// callAll calls every method of every table with made-up arguments, and the searches
// of users, which write their statements by their arguments. Most find no row or break
// a constraint; other errors fail the test.
func callAll(t *testing.T, store *models.Store) {
	t.Helper()
	check := func(name string, err error) {
		t.Helper()
		if code := sqlState(err); code != "" && !strings.HasPrefix(code, "23") {
			t.Errorf("%s: %v", name, err)
		}
	}
	tables := reflect.ValueOf(store).Elem()
	for i := range tables.NumField() {
		if table := tables.Type().Field(i); !table.IsExported() {
			continue
		}
		for j := range tables.Field(i).NumMethod() {
			name, method := tables.Type().Field(i).Name+"."+tables.Field(i).Type().Method(j).Name, tables.Field(i).Method(j)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			in := make([]reflect.Value, method.Type().NumIn())
			for k := range in {
				in[k] = madeUp(method.Type().In(k), ctx)
			}
			call := method.Call
			if method.Type().IsVariadic() {
				call = method.CallSlice
			}
			for _, out := range call(in) {
				if err, ok := out.Interface().(error); ok {
					check(name, err)
				}
			}
			cancel()
		}
	}
	for _, q := range []models.UserQuery{
		{}, {Q: "ada"}, {Q: "ada lovelace", Sort: "username"}, {Q: "ad"}, {Status: models.StatusDisabled}, {Role: models.RoleAdmin, Step: models.StepNone}, {Q: "ada", Step: models.StepApp},
	} {
		_, err := store.Users.List(t.Context(), q)
		check("Users.List", err)
	}
}

// madeUp returns an argument: no number, text or list in it is empty.
func madeUp(kind reflect.Type, ctx context.Context) reflect.Value { //nolint:revive // ctx is a value here
	switch kind {
	case reflect.TypeFor[context.Context]():
		return reflect.ValueOf(ctx)
	case reflect.TypeFor[time.Time]():
		return reflect.ValueOf(epoch)
	}
	value := reflect.New(kind).Elem()
	switch kind.Kind() {
	case reflect.String:
		value.SetString(strings.Repeat("a", 26))
	case reflect.Bool:
		value.SetBool(true)
	case reflect.Int, reflect.Int64:
		value.SetInt(1)
	case reflect.Slice:
		value.Set(reflect.Append(value, madeUp(kind.Elem(), ctx)))
	case reflect.Pointer:
		value.Set(reflect.New(kind.Elem()))
		value.Elem().Set(madeUp(kind.Elem(), ctx))
	case reflect.Struct:
		for i := range kind.NumField() {
			if kind.Field(i).IsExported() {
				value.Field(i).Set(madeUp(kind.Field(i).Type, ctx))
			}
		}
	case reflect.Func:
		value.Set(reflect.MakeFunc(kind, func([]reflect.Value) []reflect.Value {
			out := make([]reflect.Value, kind.NumOut())
			for i := range out {
				out[i] = reflect.Zero(kind.Out(i))
			}
			return out
		}))
	}
	return value
}
