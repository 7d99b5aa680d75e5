package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"latchkey/internal/testdb"
)

// mount mounts a small file system for the length of the drill and returns its
// folder.
func (s *stage) mount(args ...string) (string, error) {
	folder := filepath.Join(s.dir, "disk")
	if err := os.Mkdir(folder, 0o755); err != nil {
		return "", err
	}
	if err := tool("mount", append(args, folder)...); err != nil {
		return "", cannotRun{err.Error()}
	}
	s.later(func() { _ = tool("umount", "--lazy", folder) })
	return folder, os.Chmod(folder, 0o1777)
}

// full fills the disk of the database for some seconds.
func full(ctx context.Context, s *stage) error {
	size := "size=48m"
	if s.database == postgresName {
		size = "size=320m"
	}
	folder, err := s.mount("-t", "tmpfs", "-o", size, "latchkey-drill")
	if err != nil {
		return err
	}
	if s.database == postgresName {
		if err := s.serverIn(folder); err != nil {
			return err
		}
	}
	url, err := s.newDatabaseOf(ctx, s.database, folder)
	if err != nil {
		return err
	}
	return s.outage(ctx, url, func(c *crowd) (d span, err error) {
		if s.database == postgresName {
			if err := s.postgres.Hold(); err != nil { // it may end by itself
				return d, err
			}
		}
		filled := time.Now()
		filler, err := fill(folder)
		if err != nil {
			return d, err
		}
		err = until(ctx, 30*time.Second, "a write fails because the disk is full", func() bool {
			d.from = c.tally.lastRefused()
			return d.from.After(filled)
		})
		err = errors.Join(err, s.hold(ctx, 10*time.Second, 4*time.Second))
		d.to = time.Now()
		err = errors.Join(err, os.Remove(filler))
		if s.database == postgresName {
			alive := syscall.Kill(s.postgres.PID, 0) == nil
			err = errors.Join(err, s.postgres.Resume())
			if d.works = time.Now(); !alive {
				s.fact("PostgreSQL ended by itself and was started again")
			}
		}
		return d, err
	})
}

// serverIn starts PostgreSQL with its data in a folder.
func (s *stage) serverIn(folder string) error {
	server, err := testdb.StartServerIn(folder, postgresSettings()...)
	if err != nil {
		return err
	}
	s.postgres = server
	s.later(func() { _ = server.Stop() })
	return nil
}

// fill writes a file that takes all free space.
func fill(folder string) (path string, err error) {
	path = filepath.Join(folder, "filler")
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err := file.Write(block); errors.Is(err, syscall.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			return "", err
		}
	}
	return path, nil
}

// readOnly makes the database take no writes for some seconds.
func readOnly(ctx context.Context, s *stage) error {
	if s.database == postgresName {
		return readOnlyPostgres(ctx, s)
	}
	// An ext4 file system turns read-only when its journal cannot be written.
	// Remounting it is the only way back.
	image := filepath.Join(s.dir, "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return err
	}
	if err := errors.Join(os.Truncate(image, 64<<20), tool("mkfs.ext4", "-q", "-F", image)); err != nil {
		return cannotRun{err.Error()}
	}
	folder, err := s.mount("-o", "loop", image)
	if err != nil {
		return err
	}
	url, err := s.newDatabaseOf(ctx, s.database, folder)
	if err != nil {
		return err
	}
	p, err := s.startPortal(ctx, url, "")
	if err != nil {
		return err
	}
	c, err := s.gather(ctx, p.addr, p.addr)
	if err != nil {
		return err
	}
	if err := tool("mount", "-o", "remount,abort", folder); err != nil {
		return cannotRun{err.Error()}
	}
	start, answers := time.Now(), 0
	for time.Since(start) < 6*time.Second {
		asked := time.Now()
		code := ready(ctx, p.addr)
		if took := time.Since(asked); took > readyWithin+tolerance {
			s.broken("/readyz took %s to answer", seconds(took))
		}
		if code == 200 && asked.Sub(start) > readyWithin {
			s.broken("/readyz said 200 on a file system that is read-only")
			break
		}
		if answers++; pause(ctx, probeEvery) != nil {
			return ctx.Err()
		}
	}
	s.fact("%d times /readyz on a file system that is read-only", answers)
	c.disperse()
	if _, err := p.stop(); err != nil {
		s.broken("%v", err)
	}
	if err := errors.Join(tool("umount", folder), tool("mount", "-o", "loop", image, folder)); err != nil {
		return fmt.Errorf("mount the file system again: %w", err)
	}
	return s.conclude(ctx, c, p, true)
}

// readOnlyPostgres makes PostgreSQL refuse writes, as a standby does after a failover.
func readOnlyPostgres(ctx context.Context, s *stage) error {
	url, err := s.newDatabase(ctx)
	if err != nil {
		return err
	}
	set := func(value string) error {
		return s.execute(ctx, "SET default_transaction_read_only = off",
			"ALTER SYSTEM SET default_transaction_read_only = "+value, "SELECT pg_reload_conf()")
	}
	return s.outage(ctx, url, func(*crowd) (d span, err error) {
		if err := set("on"); err != nil {
			return d, err
		}
		d.from = time.Now()
		err = pause(ctx, 6*time.Second)
		d.to = time.Now()
		return d, errors.Join(err, set("off"))
	})
}
