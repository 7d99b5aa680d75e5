package models_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// viewer reads pages. Each read waits at most ten seconds for the database.
type viewer struct {
	store         *models.Store
	session, user string
}

// newViewer returns a viewer on a migrated database whose connections are all
// open and used, so that the statement of read is prepared on each.
func newViewer(t *testing.T, databaseURL string) *viewer {
	t.Helper()
	v := &viewer{store: openAt(t, databaseURL, nil)}
	must(t, v.store.Migrate(t.Context()))
	user := addUser(t, v.store, "ada")
	v.user, v.session = user.ID, addSession(t, v.store, user, nil).ID
	v.warmUp(t)
	return v
}

func (v *viewer) warmUp(t *testing.T) {
	t.Helper()
	conns := make([]*sql.Conn, models.PostgresConns)
	for i := range conns {
		conn, err := v.store.SQL().Conn(t.Context())
		must(t, err)
		conns[i] = conn
	}
	for _, conn := range conns {
		must(t, conn.Close())
	}
	// pg_sleep keeps each connection busy until all are open.
	for _, query := range []func(context.Context) error{v.nap, v.read} {
		var all sync.WaitGroup
		for range models.PostgresConns {
			all.Go(func() {
				if err := query(t.Context()); err != nil {
					t.Errorf("warm up: %v", err)
				}
			})
		}
		all.Wait()
	}
	if got := v.store.SQL().Stats().OpenConnections; got != models.PostgresConns {
		t.Fatalf("%d connections are open, want %d", got, models.PostgresConns)
	}
}

func (v *viewer) nap(ctx context.Context) error {
	_, err := v.store.SQL().ExecContext(ctx, "SELECT pg_sleep(0.05)")
	return err
}

// read and write are two pages.
func (v *viewer) read(ctx context.Context) error {
	_, err := v.store.Users.ByID(ctx, v.user) // every column
	return err
}

func (v *viewer) write(ctx context.Context) error {
	return v.store.Users.SetRole(ctx, v.user, models.RoleUser, epoch)
}

// fewFail views a page once, and then once for each former connection, all at the
// same time. Only the first view may fail, and none may take longer than most.
func fewFail(t *testing.T, most time.Duration, page func(context.Context) error) {
	t.Helper()
	view := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start := time.Now()
		err := page(ctx)
		if took := time.Since(start); took > most {
			t.Errorf("a view took %v, want at most %v", took, most)
		}
		return err
	}
	if err := view(); err != nil {
		t.Logf("the first view: %v", err)
	}
	var later sync.WaitGroup
	for range models.PostgresConns {
		later.Go(func() {
			if err := view(); err != nil {
				t.Errorf("a later view: %v", err)
			}
		})
	}
	later.Wait()
}

// TestConnectionsForgotten simulates a router that drops every connection of the pool,
// while they are idle or just after they were used.
func TestConnectionsForgotten(t *testing.T) {
	tests := []struct {
		name       string
		idle, most time.Duration
	}{
		{"idle", 1100 * time.Millisecond, 3 * time.Second},
		{"just used", 0, 7 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			wire, databaseURL := testdb.NewWire(t, testdb.PostgresURL(t))
			v := newViewer(t, databaseURL)
			wire.Freeze()
			<-time.After(test.idle) // the driver has no clock to set
			fewFail(t, test.most, v.read)
		})
	}
}

// TestServerAway checks that a server that refused connections, or did not answer, is
// used again as soon as it is back.
func TestServerAway(t *testing.T) {
	tests := []struct {
		name       string
		leave, end func(*testdb.Wire)
		most       time.Duration // of a view in the meantime
	}{
		{"refuses", (*testdb.Wire).Cut, (*testdb.Wire).Mend, time.Second},
		{"hangs", (*testdb.Wire).Hang, (*testdb.Wire).Resume, 7 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			wire, databaseURL := testdb.NewWire(t, testdb.PostgresURL(t))
			v := newViewer(t, databaseURL)
			test.leave(wire)
			var views sync.WaitGroup
			for range 3 * models.PostgresConns { // more than the pool has: some wait for their turn
				views.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), test.most)
					defer cancel()
					if err := v.read(ctx); err == nil {
						t.Error("a view succeeded without a database")
					}
				})
			}
			views.Wait()
			test.end(wire)
			fewFail(t, 4*time.Second, v.read)
		})
	}
}

// TestServerRestarted stops a server immediately and starts it again, as after a
// crash.
func TestServerRestarted(t *testing.T) {
	t.Parallel()
	server := testdb.NewServer(t, "synchronous_commit=on") // committed rows must survive
	v := newViewer(t, server.URL.String())
	must(t, server.Restart())
	fewFail(t, 3*time.Second, v.read)
	fewFail(t, 3*time.Second, v.write)
}

// TestServerChanged checks that a change that affects every connection of the pool
// makes only one view fail, not one for each connection.
func TestServerChanged(t *testing.T) {
	tests := []struct {
		name          string
		before, query string // before: for connections opened after it
		page          func(*viewer, context.Context) error
	}{
		{"connections ended", "", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'latchkey' AND datname = current_database()", (*viewer).read},
		{"a column more", "", "ALTER TABLE users ADD COLUMN extra TEXT", (*viewer).read},
		{"was read-only", "SET default_transaction_read_only = on", "RESET default_transaction_read_only", (*viewer).write},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			databaseURL := testdb.PostgresURL(t)
			v, other := newViewer(t, databaseURL), openAt(t, databaseURL+"&application_name=other", nil)
			change := func(query string) {
				t.Helper()
				_, err := other.SQL().ExecContext(t.Context(), query)
				must(t, err)
			}
			if test.before != "" {
				var name string
				must(t, other.SQL().QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name))
				test.before, test.query = "ALTER DATABASE "+name+" "+test.before, "ALTER DATABASE "+name+" "+test.query
				change(test.before)
				v.store = openAt(t, databaseURL, nil)
				v.warmUp(t)
				wantKind(t, "write", v.write(t.Context()), "service unavailable")
				v.warmUp(t)
			}
			change(test.query)
			fewFail(t, 3*time.Second, func(ctx context.Context) error { return test.page(v, ctx) })
		})
	}
}
