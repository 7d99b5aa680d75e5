package backup

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// stampFormat is the time in the name of a backup, in UTC.
	stampFormat = "20060102-150405"
	// retryAfter is when a failed backup is tried again, if the next one is not due
	// before.
	retryAfter = 5 * time.Minute
	// abandoned is the age of an unfinished file that no process writes any more.
	abandoned = time.Hour
)

// ScheduleOptions say when a server makes backups.
type ScheduleOptions struct {
	Dir    string
	Every  time.Duration
	Keep   int
	Ending string // of the files' names: ".db" or ".dump"
	Make   func(ctx context.Context, path string) error
	Logger *slog.Logger
	Now    func() time.Time
}

// Schedule makes backups in a folder. The names of the files say when the last one was
// made, so that a restart does not change the schedule. It is safe for concurrent use.
type Schedule struct {
	ScheduleOptions

	mu     sync.Mutex
	status Status
}

// Status is what is known about the backups of a schedule.
type Status struct {
	Every  time.Duration
	Since  time.Time // when this process began with the schedule
	Last   time.Time // when the newest backup was made; zero: there is none
	Failed error     // of the last attempt; nil: it succeeded, or there was none
}

// Late reports whether the newest backup is older than two backups apart, or
// whether there is none after that time.
func (s Status) Late(now time.Time) bool {
	last := s.Last
	if last.IsZero() {
		last = s.Since
	}
	return now.Sub(last) > 2*s.Every
}

// NewSchedule returns a schedule. Run starts it.
func NewSchedule(o ScheduleOptions) *Schedule {
	s := &Schedule{ScheduleOptions: o, status: Status{Every: o.Every, Since: o.Now()}}
	if newest, err := Newest(o.Dir, o.Ending); err == nil {
		s.status.Last = newest
	}
	return s
}

// Newest returns when the newest backup in a folder was made, as its name says; zero
// if there is none. ending is that of the names, ".db" or ".dump".
func Newest(dir, ending string) (time.Time, error) {
	names, err := made(dir, ending)
	if err != nil || len(names) == 0 {
		return time.Time{}, err
	}
	return instant(names[len(names)-1], ending), nil
}

// Status returns what is known now.
func (s *Schedule) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Run makes backups until ctx ends. A failure is logged, and tried again: it never
// ends the server.
func (s *Schedule) Run(ctx context.Context) error {
	if err := s.try(); err != nil {
		s.note(time.Time{}, err)
		s.Logger.Error("backups cannot be written to LATCHKEY_BACKUP_DIR", "folder", s.Dir, "error", err.Error())
	}
	timer := time.NewTimer(s.wait())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		wait := min(retryAfter, s.Every)
		if s.backUp(ctx) {
			wait = s.wait()
		}
		timer.Reset(wait)
	}
}

// try makes the folder and a file in it.
func (s *Schedule) try() error {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return err
	}
	file, err := newPartial(filepath.Join(s.Dir, "latchkey"+s.Ending))
	if err != nil {
		return err
	}
	return os.Remove(file)
}

// wait returns how long it is until the next backup is due. A backup from the future
// is one of a clock that was wrong.
func (s *Schedule) wait() time.Duration {
	last, now := s.Status().Last, s.Now()
	if last.IsZero() {
		return 0
	}
	return min(max(0, last.Add(s.Every).Sub(now)), s.Every)
}

// backUp makes one backup, removes the oldest ones, and reports whether there is a new
// one.
func (s *Schedule) backUp(ctx context.Context) bool {
	start := s.Now()
	path := filepath.Join(s.Dir, "latchkey-"+start.UTC().Format(stampFormat)+s.Ending)
	err := os.MkdirAll(s.Dir, 0o700)
	if err == nil {
		s.sweep()
		err = s.Make(ctx, path)
	}
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		s.note(time.Time{}, err)
		s.Logger.Error("no backup was made; it is tried again", "after", min(retryAfter, s.Every).String(), "error", err.Error())
		return false
	}
	s.note(start, nil)
	s.Logger.Info("made a backup", "file", path, "took", s.Now().Sub(start).String())
	if err := s.prune(filepath.Base(path)); err != nil {
		s.Logger.Error("remove old backups", "error", err.Error())
	}
	return true
}

// note records an attempt: when it succeeded, or why it failed.
func (s *Schedule) note(made time.Time, failed error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Failed = failed
	if failed == nil {
		s.status.Last = made
	}
}

// made returns the names of the backups in the folder, the oldest first.
func made(dir, ending string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if entry.Type().IsRegular() && !instant(entry.Name(), ending).IsZero() {
			names = append(names, entry.Name())
		}
	}
	slices.Sort(names)
	return names, err
}

// instant returns when the backup with that name was made; zero if the file is none.
func instant(name, ending string) time.Time {
	rest, ours := strings.CutPrefix(name, "latchkey-")
	stamp, ends := strings.CutSuffix(rest, ending)
	at, err := time.Parse(stampFormat, stamp)
	if !ours || !ends || err != nil || at.Format(stampFormat) != stamp { // Parse accepts fractions of a second
		return time.Time{}
	}
	return at
}

// prune removes the oldest backups, and keeps the one that was just made whatever its
// name says.
func (s *Schedule) prune(latest string) error {
	names, err := made(s.Dir, s.Ending)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == latest })
	failures := []error{s.pruneSecrets()}
	for _, name := range names[:max(0, len(names)-(s.Keep-1))] {
		path := filepath.Join(s.Dir, name)
		if err := os.Remove(path); err != nil {
			failures = append(failures, err)
			continue
		}
		if err := os.Remove(SecretOf(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// pruneSecrets removes the secrets whose backup is gone.
func (s *Schedule) pruneSecrets() error {
	entries, err := os.ReadDir(s.Dir)
	failures := []error{err}
	for _, entry := range entries {
		name, isSecret := strings.CutSuffix(entry.Name(), SecretOf(""))
		if !isSecret || instant(name, s.Ending).IsZero() {
			continue
		}
		if _, err := os.Lstat(filepath.Join(s.Dir, name)); errors.Is(err, os.ErrNotExist) {
			failures = append(failures, os.Remove(filepath.Join(s.Dir, entry.Name())))
		}
	}
	return errors.Join(failures...)
}

// sweep removes the unfinished files of a process that was killed.
func (s *Schedule) sweep() {
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return // the backup fails for the same reason, and says so
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".latchkey") || !strings.Contains(entry.Name(), partial) {
			continue
		}
		path := filepath.Join(s.Dir, entry.Name())
		if info, err := os.Stat(path); err == nil && s.Now().Sub(info.ModTime()) > abandoned {
			if err := os.Remove(path); err != nil {
				s.Logger.Warn("remove an unfinished backup", "error", err.Error())
			}
		}
	}
}
