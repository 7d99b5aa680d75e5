package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"latchkey/internal/backup"
	"latchkey/internal/config"
	"latchkey/models"
)

type backupCmd struct {
	File string `arg:"" help:"The new file, in a folder that only you can read. The master secret goes to FILE.secret."`
}

// Run writes a backup. It neither creates nor migrates a database, so that the binary
// of a new release can make the backup before the upgrade.
func (c backupCmd) Run(ctx context.Context, p *process) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	if err := thereIsADatabase(cfg); err != nil {
		return err
	}
	return p.onDatabase(ctx, cfg, func(store *models.Store) error {
		start := time.Now()
		options, err := backupOptions(cfg, store)
		if err != nil {
			return err
		}
		line := newTerminalLine(p.stderr)
		options.Progress = func(done, expected int64) { showBackup(line, done, expected) }
		err = backup.Make(ctx, options, c.File)
		line.clear()
		if err != nil {
			return err
		}
		info, err := os.Stat(c.File)
		if err != nil {
			return err
		}
		if err := p.say(nil, "The backup is in %s (%s, checked, %s).", c.File, megabytes(info.Size()), time.Since(start).Round(time.Millisecond)); err != nil {
			return err
		}
		return p.sayWhereTheSecretIs(cfg, options, c.File)
	})
}

// thereIsADatabase returns an error if the SQLite file is missing: opening it would
// create it.
func thereIsADatabase(cfg *config.Config) error {
	if cfg.Database.Dialect != config.SQLite {
		return nil
	}
	_, err := os.Stat(cfg.Database.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database at %s: set LATCHKEY_DATABASE_URL as for the server", cfg.Database.Path)
	}
	return err
}

// sayWhereTheSecretIs says what to do about the master secret: nothing before the first
// start, when there is none.
func (p *process) sayWhereTheSecretIs(cfg *config.Config, o backup.Options, file string) error {
	switch {
	case o.Secret != "":
		return p.say(nil, "The master secret is in %s. Anyone who has both files can sign in as any user: keep them as safe as the server.", backup.SecretOf(file))
	case !cfg.Secret.IsZero():
		return p.say(nil, "The master secret is not in it: keep LATCHKEY_SECRET elsewhere, too.")
	}
	return nil
}

// backupOptions say what a backup of the portal has: the master secret only if
// Latchkey made it.
func backupOptions(cfg *config.Config, store *models.Store) (backup.Options, error) {
	o := backup.Options{Store: store, URL: string(cfg.Database.URL.Bytes())}
	if !cfg.Secret.IsZero() {
		return o, nil
	}
	_, err := os.Stat(cfg.SecretPath())
	if errors.Is(err, fs.ErrNotExist) { // before the first start
		return o, nil
	}
	if err != nil {
		return o, fmt.Errorf("cannot read the master secret: %w", err)
	}
	o.Secret = cfg.SecretPath()
	return o, nil
}

// showBackup shows how many bytes of a backup are written. expected is 0 if it is not
// known.
func showBackup(line *terminalLine, done, expected int64) {
	text := megabytes(done) + " written"
	if expected > 0 {
		text = fmt.Sprintf("%s of about %s written", megabytes(done), megabytes(expected))
	}
	line.show(text, 0)
}

// megabytes writes a size for people.
func megabytes(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%d kB", (n+999)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
