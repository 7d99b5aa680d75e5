package main

import (
	"strings"
	"sync"

	"latchkey/internal/testdb"
)

// postgresSettings are the settings of a server in production: commits survive a
// power cut. The sizes let a data directory fit on a small disk.
func postgresSettings() []string {
	return []string{"fsync=on", "synchronous_commit=on", "full_page_writes=on", "autovacuum=on", "min_wal_size=32MB", "max_wal_size=64MB"}
}

// sharedServer is the PostgreSQL server of all drills that need none of their own.
type sharedServer struct {
	mu     sync.Mutex
	server *testdb.Server
}

// get starts the server if it does not run.
func (h *sharedServer) get() (*testdb.Server, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server != nil {
		return h.server, nil
	}
	server, err := testdb.StartServer(postgresSettings()...)
	if err != nil && strings.Contains(err.Error(), "not installed") {
		return nil, cannotRun{err.Error()}
	}
	h.server = server
	return server, err
}

func (h *sharedServer) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server != nil {
		_ = h.server.Stop()
	}
}

// server returns the PostgreSQL server of the drill.
func (s *stage) server() (*testdb.Server, error) {
	if s.postgres != nil {
		return s.postgres, nil
	}
	return s.shared.get()
}
