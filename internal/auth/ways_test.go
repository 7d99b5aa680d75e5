package auth_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"

	"latchkey/internal/auth"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestWays counts how often a sign-in goes to PostgreSQL and back (docs/adr/0012-transactions-in-few-ways.md).
// Each is a round trip when the database is on another machine.
func TestWays(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*auth.Options)
		device bool // a browser that signed in before
		want   int64
	}{
		{"without limits", nil, false, 3},
		{"with limits", limited, false, 6},
		{"with limits, a known device", limited, true, 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			databaseURL, ways := countWays(t, testdb.PostgresURL(t))
			store, err := models.Open(t.Context(), models.Options{URL: databaseURL})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close() })
			if err := store.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			p := newPortal(t, store, newClock(), test.change)
			known := p.signUp("ada").Device
			if !test.device {
				known = ""
			}
			login := func() {
				t.Helper()
				if _, err := p.Login(t.Context(), auth.Login{Identifier: "ada", Password: goodPassword, Device: known, Client: p.client}); err != nil {
					t.Fatal(err)
				}
			}
			login() // its statements are compiled
			before := ways.Load()
			login()
			if got := ways.Load() - before; got != test.want {
				t.Errorf("a sign-in took %d ways, want %d", got, test.want)
			}
		})
	}
}

// countWays puts itself between a client and a database, and counts how often
// the client says something after the database did.
func countWays(t *testing.T, databaseURL string) (proxied string, ways *atomic.Int64) {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	database := u.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	ways = new(atomic.Int64)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(client, database, ways)
		}
	}()
	u.Host = listener.Addr().String()
	return u.String(), ways
}

func relay(client net.Conn, database string, ways *atomic.Int64) {
	defer func() { _ = client.Close() }()
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", database)
	if err != nil {
		return
	}
	var asked atomic.Bool // since the database said something
	go func() {
		defer func() { _ = server.Close() }()
		_, _ = io.Copy(writer(func(b []byte) (int, error) {
			if !asked.Swap(true) {
				ways.Add(1)
			}
			return server.Write(b)
		}), client)
	}()
	_, _ = io.Copy(writer(func(b []byte) (int, error) {
		asked.Store(false)
		return client.Write(b)
	}), server)
}

// writer is a function that takes what is written.
type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }
