package backup

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeBackups writes small files in place of backups.
type fakeBackups struct {
	t      *testing.T
	dir    string
	failed error // what an attempt returns
	tries  int
	log    strings.Builder
}

func (f *fakeBackups) schedule(every time.Duration, keep int) *Schedule {
	return NewSchedule(ScheduleOptions{
		Dir: f.dir, Every: every, Keep: keep, Ending: ".db", Now: time.Now, Logger: slog.New(slog.NewTextHandler(&f.log, nil)),
		Make: func(_ context.Context, path string) error {
			f.tries++
			if f.failed != nil {
				return f.failed
			}
			return errors.Join(os.WriteFile(path, nil, 0o600), os.WriteFile(SecretOf(path), nil, 0o600))
		},
	})
}

// run runs a schedule for some time.
func (f *fakeBackups) run(s *Schedule, length time.Duration) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), length)
	defer cancel()
	if err := s.Run(ctx); err != nil {
		f.t.Error(err)
	}
}

// has checks which files the folder has.
func (f *fakeBackups) has(want ...string) {
	f.t.Helper()
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Errorf("files in the folder (-want +got):\n%s", diff)
	}
}

// TestSchedule checks that backups are made at the start and when they are due, that
// the names in the folder decide that after a restart, and that only the oldest of its
// own files are removed.
func TestSchedule(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by the schedule")
	synctest.Test(t, func(t *testing.T) { // it is midnight of 1 January 2000
		f := &fakeBackups{t: t, dir: dir}
		f.run(f.schedule(24*time.Hour, 2), 12*time.Hour)
		f.has("latchkey-20000101-000000.db", "latchkey-20000101-000000.db.secret")
		foreign := []string{"latchkey-before-upgrade.db", "latchkey-19990101-000000.dump", "latchkey-19990101-000000.db.gz", ".latchkey-x.db.1.part"}
		orphan := "latchkey-19980101-000000.db.secret" // its backup is gone
		for _, name := range append([]string{orphan}, foreign...) {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		f.run(f.schedule(24*time.Hour, 2), 11*time.Hour) // until an hour before the next one is due
		if f.tries != 1 {
			t.Errorf("after a restart there are %d backups, want 1", f.tries)
		}
		s := f.schedule(24*time.Hour, 2)
		f.run(s, 49*time.Hour+time.Minute)
		f.has(append([]string{
			"latchkey-20000103-000000.db", "latchkey-20000103-000000.db.secret",
			"latchkey-20000104-000000.db", "latchkey-20000104-000000.db.secret",
		}, foreign...)...)
		if got := s.Status(); !got.Last.Equal(time.Date(2000, 1, 4, 0, 0, 0, 0, time.UTC)) || got.Failed != nil {
			t.Errorf("got %+v, want the backup of 4 January", got)
		}
	})
}

// TestScheduleFailure checks that a failure is logged and tried again after five
// minutes, removes nothing, and is over with the next success.
func TestScheduleFailure(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeBackups{t: t, dir: dir}
		f.run(f.schedule(time.Hour, 1), time.Minute)
		f.failed = errors.New("no space left")
		s := f.schedule(time.Hour, 1)
		f.run(s, time.Hour+11*time.Minute) // due after 59 minutes; again after 64 and 69
		if f.tries != 4 || strings.Count(f.log.String(), "no space left") != 3 {
			t.Errorf("got %d tries, want 1 and 3 failures that are logged:\n%s", f.tries, f.log.String())
		}
		f.has("latchkey-20000101-000000.db", "latchkey-20000101-000000.db.secret")
		if got := s.Status(); got.Failed == nil || got.Last.IsZero() {
			t.Errorf("got %+v, want the backup and the failure", got)
		}
		f.failed = nil
		f.run(s, 6*time.Minute)
		if got := s.Status(); got.Failed != nil || f.tries != 5 {
			t.Errorf("got %+v after %d tries, want a success", got, f.tries)
		}
	})
}

// TestScheduleClock checks that a backup from the future, which a wrong clock made,
// neither stops the schedule nor costs the newest backup.
func TestScheduleClock(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeBackups{t: t, dir: dir}
		if err := os.WriteFile(filepath.Join(dir, "latchkey-20360101-000000.db"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		f.run(f.schedule(time.Hour, 1), time.Hour+time.Minute)
		f.has("latchkey-20000101-010000.db", "latchkey-20000101-010000.db.secret")
	})
}

// TestLate checks from when on a schedule is late.
func TestLate(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name        string
		since, last time.Duration // before now; 0: never
		want        bool
	}{
		{"just started, none yet", time.Hour, 0, false},
		{"none for two days", 49 * time.Hour, 0, true},
		{"made yesterday", 480 * time.Hour, 30 * time.Hour, false},
		{"made two days ago", 480 * time.Hour, 49 * time.Hour, true},
		{"made long before the start", time.Minute, 49 * time.Hour, true},
	} {
		s := Status{Every: 24 * time.Hour, Since: now.Add(-test.since)}
		if test.last > 0 {
			s.Last = now.Add(-test.last)
		}
		if got := s.Late(now); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}
