package models_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func TestOpenRefuses(t *testing.T) {
	for _, url := range []string{"", "latchkey.db", "mysql://localhost/x", "sqlite3:x", "postgres:x", "postgres://u:hunter2@%zz/x", "postgresql://u:hunter2@[::1/x"} {
		if store, err := models.Open(t.Context(), models.Options{URL: url}); err == nil {
			_ = store.Close()
			t.Errorf("%q: opened", url)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error repeats the password: %v", url, err)
		}
	}
}

// TestPragmas checks the settings of several connections at the same time.
func TestPragmas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder", "that is not there", "latch key?.db")
	store := openAt(t, "sqlite:"+path, nil)
	must(t, store.Migrate(t.Context()))
	want := map[string]string{
		"journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "5000", "synchronous": "2", "trusted_schema": "0",
	}
	var conns []*sql.Conn
	for range 3 {
		conn, err := store.SQL().Conn(t.Context())
		must(t, err)
		conns = append(conns, conn)
	}
	for i, conn := range conns {
		for name, value := range want {
			var got string
			must(t, conn.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got))
			if got != value {
				t.Errorf("connection %d: %s is %s, want %s", i, name, got, value)
			}
		}
		must(t, conn.Close())
	}
	for _, name := range []string{path, path + ".lock"} {
		info, err := os.Stat(name)
		must(t, err)
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has mode %o, want 600", filepath.Base(name), got)
		}
	}
	info, err := os.Stat(filepath.Dir(path))
	must(t, err)
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("the folder has mode %o, want 700", got)
	}
}

func TestInTx(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		failure := errors.New("changed my mind")
		err := store.InTx(ctx, func(tx *models.Store) error {
			addUser(t, tx, "ada")
			return tx.InTx(ctx, func(tx *models.Store) error {
				addUser(t, tx, "bob")
				return failure
			})
		})
		if !errors.Is(err, failure) {
			t.Errorf("%v, want the function's own error", err)
		}
		for _, name := range []string{"ada", "bob"} {
			_, err := store.Users.ByUsername(ctx, name)
			wantKind(t, name+" after the rollback", err, apperr.NotFound)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is swallowed")
				}
			}()
			_ = store.InTx(ctx, func(tx *models.Store) error {
				addUser(t, tx, "ada")
				panic("on purpose")
			})
		}()
		must(t, store.InTx(ctx, func(tx *models.Store) error {
			addUser(t, tx, "ada")
			return nil
		}))
		if _, err := store.Users.ByUsername(ctx, "ada"); err != nil {
			t.Errorf("after the commit: %v", err)
		}
	})
}

// TestWriterTurn checks that on SQLite a caller that disconnects stops waiting.
func TestWriterTurn(t *testing.T) {
	store := testdb.SQLite(t)
	must(t, store.InTx(t.Context(), func(*models.Store) error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wantKind(t, "wait for the writer", store.Denylist.Deny(ctx, "x", "y", models.ReasonLogout, epoch), apperr.Canceled)
		return nil
	}))
}

func TestErrorKinds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada := addUser(t, store, "ada")
		for _, test := range []struct{ username, email, field string }{
			{"ada", "new@example.org", "username"}, {"new", "ADA@example.ORG", "email"},
		} {
			err := store.Users.Create(ctx, &models.User{
				ID: models.NewID(), Username: test.username, Email: test.email, Role: models.RoleUser, CreatedAt: 1, UpdatedAt: 1,
			})
			wantKind(t, test.field, err, apperr.Conflict)
			if got := apperr.Details(err).Field; got != test.field {
				t.Errorf("the conflict is of field %q, want %q", got, test.field)
			}
		}
		bob := addUser(t, store, "bob")
		renamed, readdressed := *bob, *bob
		renamed.Username, readdressed.EmailFolded = "ada", "ada@example.org"
		wantKind(t, "rename", store.Users.SetNames(ctx, &renamed, epoch), apperr.Conflict)
		wantKind(t, "new address", store.Users.SetNames(ctx, &readdressed, epoch), apperr.Conflict)
		err := store.Users.Create(ctx, &models.User{ID: ada.ID, Username: "eve", Email: "eve@x", Role: models.RoleUser, CreatedAt: 1, UpdatedAt: 1})
		wantKind(t, "id taken", err, apperr.Conflict)
		if got := apperr.Details(err).Field; got != "" {
			t.Errorf("the conflict of ids is of field %q", got)
		}

		_, err = store.Users.ByID(ctx, "")
		wantKind(t, "empty id", err, apperr.NotFound)
		_, err = store.Users.ByID(ctx, "1=1")
		wantKind(t, "a condition as id", err, apperr.NotFound)
		_, err = store.Sessions.ByID(ctx, models.NewID())
		wantKind(t, "no session", err, apperr.NotFound)
		wantKind(t, "change an unknown user", store.Users.SetRole(ctx, models.NewID(), models.RoleAdmin, epoch), apperr.NotFound)
		wantKind(t, "delete an unknown user", store.Users.Delete(ctx, models.NewID()), apperr.NotFound)

		orphan := sample(ada)
		orphan.UserID = models.NewID()
		wantKind(t, "a session of an unknown user", store.Sessions.Create(ctx, orphan), "")
		wantKind(t, "no such role", store.Users.SetRole(ctx, ada.ID, "root", epoch), "")

		canceled, cancel := context.WithCancel(ctx)
		cancel()
		_, err = store.Users.ByID(canceled, ada.ID)
		wantKind(t, "canceled read", err, apperr.Canceled)
		wantKind(t, "canceled write", store.Users.SetRole(canceled, ada.ID, models.RoleUser, epoch), apperr.Canceled)
		wantKind(t, "canceled transaction", store.InTx(canceled, func(*models.Store) error { return nil }), apperr.Canceled)
		late, cancel := context.WithDeadline(ctx, time.Unix(1, 0))
		defer cancel()
		_, err = store.Users.ByID(late, ada.ID)
		wantKind(t, "late read", err, apperr.Unavailable)
	})
}

func TestDatabaseGone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		must(t, store.SQL().Close())
		_, err := store.Sessions.Identify(ctx, "x", "y", epoch)
		wantKind(t, "closed: identify", err, apperr.Unavailable)
		if got := apperr.Details(err).RetryAfter; got != 5*time.Second {
			t.Errorf("wait %v, want 5s", got)
		}
		_, err = store.Sessions.Rotate(ctx, models.Rotation{SessionID: "x"})
		wantKind(t, "closed: rotate", err, apperr.Unavailable)
		_, err = store.Users.ByEmail(ctx, "a@b")
		wantKind(t, "closed: read", err, apperr.Unavailable)
		wantKind(t, "closed: transaction", store.InTx(ctx, func(*models.Store) error { return nil }), apperr.Unavailable)
		wantKind(t, "closed: ready", store.Ready(ctx), apperr.Unavailable)
	})
}

// TestFileGone deletes or replaces the file of an open database and checks that the
// portal is not ready, that writes fail instead of going to the old file, and that no
// connection creates a new file.
func TestFileGone(t *testing.T) {
	tests := []struct {
		name   string
		change func(path string) error
		left   bool // there is a file
	}{
		{"deleted", os.Remove, false},
		{"replaced", func(path string) error {
			other := path + ".copy"
			return errors.Join(os.WriteFile(other, nil, 0o600), os.Rename(other, path))
		}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "latchkey.db")
			store := openAt(t, "sqlite:"+path, nil)
			must(t, store.Migrate(t.Context()))
			must(t, store.Ready(t.Context()))
			must(t, test.change(path))
			wantKind(t, "ready", store.Ready(t.Context()), apperr.Unavailable)
			_, err := store.Sessions.Rotate(t.Context(), models.Rotation{SessionID: "x"})
			wantKind(t, "rotate", err, apperr.Unavailable)
			wantKind(t, "write", store.Audit.Append(t.Context(), models.Event{Action: "login"}), apperr.Unavailable)
			wantKind(t, "transaction", store.InTx(t.Context(), func(*models.Store) error { return nil }), apperr.Unavailable)
			store.SQL().SetMaxIdleConns(0) // forces a new connection
			_, err = store.Users.ByEmail(t.Context(), "a@b")
			if !test.left {
				wantKind(t, "read", err, apperr.Unavailable)
			}
			if _, err := os.Stat(path); (err == nil) != test.left {
				t.Errorf("the file is there: %t (%v), want %t", err == nil, err, test.left)
			}
		})
	}
}

// TestNoValuesInLog makes every kind of statement fail and looks for its arguments in
// the log and in the error.
func TestNoValuesInLog(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		var log bytes.Buffer
		store := openAt(t, databaseURL, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
		must(t, store.Migrate(t.Context()))
		const secret = "ValueThatMustNotBeLogged"
		user := &models.User{ID: secret, Username: secret, Email: secret, PasswordHash: secret, Role: models.RoleUser, CreatedAt: 1, UpdatedAt: 1}
		must(t, store.Users.Create(t.Context(), user))
		ctx := t.Context()
		errs := []error{store.Users.Create(ctx, user), store.Users.SetRole(ctx, secret, secret, epoch)}
		must(t, store.MigrateDown(ctx)) // now everything fails
		log.Reset()
		take := models.Take{Bucket: secret, Rule: models.Rule{Free: 1, Window: time.Hour, Waits: []time.Duration{time.Hour}}}
		for _, call := range []func() error{
			func() error { return store.Users.Create(ctx, user) },
			func() error { _, err := store.Users.ByEmail(ctx, secret); return err },
			func() error { _, err := store.Users.Lock(ctx, secret); return err },
			func() error { _, err := store.Users.Home(ctx, secret, epoch); return err },
			func() error { _, err := store.Users.Named(ctx, []string{secret}); return err },
			func() error { return store.Users.SetPassword(ctx, secret, secret, epoch) },
			func() error { _, err := store.Users.Rehash(ctx, secret, secret, secret); return err },
			func() error { return store.Sessions.Create(ctx, sample(user)) },
			func() error { _, err := store.Sessions.Identify(ctx, secret, secret, epoch); return err },
			func() error {
				_, err := store.Sessions.Rotate(ctx, models.Rotation{SessionID: secret, UserID: secret, TokenID: secret})
				return err
			},
			func() error { return store.Sessions.Confirm(ctx, secret, 1, 0, epoch, epoch) },
			func() error { _, err := store.Sessions.EndAll(ctx, secret, secret, secret, epoch); return err },
			func() error { return store.Denylist.Deny(ctx, secret, secret, secret, epoch) },
			func() error { _, err := store.Attempts.Take(ctx, epoch, take); return err },
			func() error { _, err := store.Attempts.Paused(ctx, []string{secret}, 1, epoch); return err },
			func() error { return store.Attempts.ClearPrefix(ctx, secret) },
			func() error { _, err := store.Devices.Known(ctx, secret, secret); return err },
			func() error { return store.Devices.Remember(ctx, secret, secret, secret, epoch) },
			func() error { _, err := store.Tokens.Use(ctx, secret, secret, epoch); return err },
			func() error { return store.Audit.Append(ctx, models.Event{Action: secret, IP: secret}) },
			func() error { _, err := store.Audit.About(ctx, secret, 5); return err },
			func() error { _, err := store.Audit.PerDay(ctx, epoch, 2, secret); return err },
			func() error {
				_, err := store.Audit.List(ctx, models.AuditQuery{Actor: models.AuditPerson{Name: secret}, Limit: 5})
				return err
			},
		} {
			errs = append(errs, call())
		}
		for i, err := range errs {
			if err == nil {
				t.Errorf("call %d did not fail", i)
			} else if strings.Contains(err.Error(), secret) {
				t.Errorf("an error holds a value: %v", err)
			}
		}
		for _, value := range []string{secret, models.HashToken(secret), "Firefox"} {
			if strings.Contains(log.String(), value) {
				t.Errorf("the log holds a value:\n%s", log.String())
			}
		}
		if got := strings.Count(log.String(), "level=ERROR"); got < 20 {
			t.Errorf("only %d failed statements are in the log", got)
		}
	})
}

func TestIDs(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := models.NewID()
		if !models.IsID(id) || seen[id] {
			t.Fatalf("%q is no new id", id)
		}
		seen[id] = true
	}
	for _, id := range []string{"", "a", strings.Repeat("a", 25), strings.Repeat("a", 27), strings.Repeat("A", 26), strings.Repeat("1", 26), strings.Repeat("ä", 13)} {
		if models.IsID(id) {
			t.Errorf("%q passes as an id", id)
		}
	}
}

func TestTime(t *testing.T) {
	if models.At(time.Time{}) != 0 || !models.Time(0).Time().IsZero() {
		t.Error("never does not stay never")
	}
	moment := time.Date(2026, 3, 1, 9, 30, 0, 123456789, time.FixedZone("", 3600))
	if got, want := models.At(moment).Time(), moment.UTC().Truncate(time.Microsecond); !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("%v, want %v", got, want)
	}
	if got := models.At(moment).Add(time.Minute).Sub(models.At(moment)); got != time.Minute {
		t.Errorf("%v, want a minute", got)
	}
}

// TestOpenTogether opens a file that does not exist yet many times at once, as
// processes that start together do.
func TestOpenTogether(t *testing.T) {
	for range 50 {
		url := "sqlite:" + filepath.Join(t.TempDir(), "new.db")
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				store, err := models.Open(t.Context(), models.Options{URL: url})
				if err != nil {
					t.Error(err)
					return
				}
				if err := store.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	}
}
