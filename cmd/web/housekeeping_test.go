package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestPurgeHeldIsLoggedOnce checks the log of a portal whose clock jumps: one line
// that nothing is purged, and one that purging resumes.
func TestPurgeHeldIsLoggedOnce(t *testing.T) {
	servicetest.Each(t, nil, func(p *servicetest.Portal) {
		var log bytes.Buffer
		o := &portal{store: p.Store, auth: p.Auth, accounts: p.Accounts, outbox: p.Outbox, logger: slog.New(slog.NewTextHandler(&log, nil))}
		hours := func(n int) {
			for range n {
				p.Clock.Advance(time.Hour)
				o.purge(p.T.Context())
			}
		}
		want := func(when string, held, resumed int) {
			p.T.Helper()
			if strings.Count(log.String(), "nothing is purged") != held || strings.Count(log.String(), "purging goes on\"") != resumed {
				p.T.Errorf("%s: want %d lines that purging is held and %d that it goes on:\n%s", when, held, resumed, log.String())
			}
		}
		hours(2)
		want("steady", 0, 0)
		p.Clock.Advance(181 * 24 * time.Hour)
		hours(10)
		want("ahead", 1, 0)
		p.Clock.Advance(-181 * 24 * time.Hour)
		hours(10)
		want("set right", 1, 0)
		hours(16)
		want("a day later", 1, 1)
	})
}

// TestEraseWhileHeld checks that no deleted account is erased while the clock may be
// wrong.
func TestEraseWhileHeld(t *testing.T) {
	servicetest.Each(t, nil, func(p *servicetest.Portal) {
		var log bytes.Buffer
		o := &portal{store: p.Store, auth: p.Auth, accounts: p.Accounts, outbox: p.Outbox, logger: slog.New(slog.NewTextHandler(&log, nil))}
		p.Join("ada")
		user := p.User("ada")
		if _, _, err := p.Accounts.Delete(p.T.Context(), auth.Shell(), user.ID, user.Email); err != nil {
			p.T.Fatal(err)
		}
		want := func(when string, erased bool) {
			p.T.Helper()
			ids, err := p.Store.DeletedUsers.Due(p.T.Context(), p.Clock.Now().Add(account.RestoreTime), 10)
			if err != nil || (len(ids) == 0) != erased || strings.Contains(log.String(), "erased deleted accounts") != erased {
				p.T.Errorf("%s: %v (%v), want erased %t:\n%s", when, ids, err, erased, log.String())
			}
		}
		o.purge(p.T.Context())
		p.Clock.Advance(31 * 24 * time.Hour) // the clock may be wrong, or the portal was off
		o.purge(p.T.Context())
		want("after the jump", false)
		for range 25 {
			p.Clock.Advance(time.Hour)
			o.purge(p.T.Context())
		}
		want("a day later", true)
	})
}

// TestPurgeAtStart starts the server on a database whose newest row is 181 days old,
// which looks like a clock that is 181 days ahead, and checks that it keeps the row.
func TestPurgeAtStart(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		ctx := t.Context()
		store, err := models.Open(ctx, models.Options{URL: databaseURL})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = store.Close() }()
		if err := store.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		serve := func(line string, want int) {
			t.Helper()
			s := start(t, newEnvironment(t, databaseURL, withPurge+"=0"))
			s.out.wait(t, line)
			s.stop()
			if n, err := store.Audit.CountSince(ctx, "test", time.Unix(0, 0)); int(n) != want || err != nil {
				t.Errorf("%d rows (%v), want %d:\n%s", n, err, want, s.out)
			}
		}
		old := models.Event{At: models.At(time.Now().AddDate(0, 0, -181)), Action: "test"}
		if err := store.Audit.Append(ctx, old); err != nil {
			t.Fatal(err)
		}
		s := start(t, newEnvironment(t, databaseURL))
		if s.stop(); strings.Contains(s.out.String(), "purged") {
			t.Errorf("purges before the first minute is over:\n%s", s.out)
		}
		serve("nothing is purged for now", 1)
		serve("nothing is purged for now", 1)
	})
}
