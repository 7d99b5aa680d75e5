package main

import (
	"context"
	"time"

	"latchkey/internal/backup"
	"latchkey/internal/config"
)

// schedule returns the backups that the server makes by itself, nil for none.
func schedule(o *portal) *backup.Schedule {
	if o.cfg.Backup.Dir == "" {
		return nil
	}
	ending := ".db"
	if o.cfg.Database.Dialect == config.Postgres {
		ending = ".dump"
	}
	return backup.NewSchedule(backup.ScheduleOptions{
		Dir: o.cfg.Backup.Dir, Every: o.cfg.Backup.Every, Keep: o.cfg.Backup.Keep, Ending: ending, Logger: o.logger, Now: time.Now,
		Make: func(ctx context.Context, path string) error {
			options, err := backupOptions(o.cfg, o.store)
			if err != nil {
				return err
			}
			return backup.Make(ctx, options, path)
		},
	})
}

// backupStatus returns what the overview shows of the schedule, nil for nothing.
func (o *portal) backupStatus() func() backup.Status {
	if o.backups == nil {
		return nil
	}
	return o.backups.Status
}
