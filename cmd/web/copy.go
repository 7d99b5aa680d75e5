package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"latchkey/internal/config"
	"latchkey/models"
)

type copyCmd struct {
	To string `required:"" placeholder:"URL" help:"The empty database: sqlite:PATH or postgres://USER@HOST/NAME. The password comes from PGPASSWORD or ~/.pgpass."`
}

// Run copies the database into another one.
func (c copyCmd) Run(ctx context.Context, p *process) error {
	target, warnings, err := config.ArgumentDatabase("--to", c.To, p.getenv)
	if err != nil {
		return usageError{err.Error()}
	}
	for _, warning := range warnings {
		_, _ = fmt.Fprintf(p.stderr, "latchkey: warning: %s\n", warning)
	}
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	logger := newLogger(cfg, p.stderr)
	source, err := models.OpenCopySource(ctx, databaseOptions(cfg, logger))
	if err != nil {
		return copyError(ctx, err)
	}
	defer source.Close()
	to := *cfg
	to.Database = target
	line := newTerminalLine(p.stderr)
	copied, err := source.CopyTo(ctx, databaseOptions(&to, logger), func(now models.CopyProgress) { showCopy(line, now) })
	line.clear()
	if err != nil {
		return copyError(ctx, err)
	}
	return printCopied(p.stdout, copied, cfg, target)
}

// copyError names the database to change.
func copyError(ctx context.Context, err error) error {
	if failure, ok := errors.AsType[models.NotUndoneError](err); ok {
		why := oneLine(failure.Err)
		if ctx.Err() != nil {
			why = "stopped"
		}
		return fmt.Errorf("--to: %s; the database could not be emptied again (%s): name another one", why, oneLine(failure.Undo))
	}
	if ctx.Err() != nil {
		return errors.New("stopped: nothing was copied, and the target is as it was before")
	}
	if target, ok := errors.AsType[models.TargetError](err); ok {
		return fmt.Errorf("--to: %s", oneLine(target.Err))
	}
	return databaseError(err)
}

// showCopy shows how far a copy is.
func showCopy(line *terminalLine, now models.CopyProgress) {
	verb, pause := "copying", 100*time.Millisecond
	if now.Comparing {
		verb = "comparing"
	}
	if now.Rows == now.Of {
		pause = 0
	}
	line.show(fmt.Sprintf("%s %s: %d of %d rows", verb, now.Table, now.Rows, now.Of), pause)
}

// printCopied prints what was copied, and what is to be done next.
func printCopied(w io.Writer, copied *models.Copied, from *config.Config, target config.Database) error {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 4, 2, ' ', tabwriter.AlignRight)
	rows := int64(0)
	for _, t := range copied.Tables {
		_, _ = fmt.Fprintf(table, "%d\t  %s\n", t.Rows, t.Name)
		rows += t.Rows
	}
	_ = table.Flush() // into memory
	for _, name := range copied.LeftOut {
		_, _ = fmt.Fprintf(&text, "Left out: the table %s, which Latchkey did not make.\n", name)
	}
	variable := "postgres://… (the URL after --to, with its password)"
	if target.Dialect == config.SQLite {
		variable = "sqlite:" + target.Path
	}
	_, _ = fmt.Fprintf(&text, `
Copied %d tables with %d rows. The number of rows and the SHA-256 of every table are the same in both databases.

Do not start a server on the old database again. Next:
1. %s
2. Set LATCHKEY_DATABASE_URL to %s.
3. Start the server. Everyone stays signed in.
`, len(copied.Tables), rows, movedSecret(from, target), variable)
	_, err := io.WriteString(w, text.String())
	return err
}

// movedSecret says how the server gets the same secret. Everyone has to sign in again
// with another one.
func movedSecret(from *config.Config, target config.Database) string {
	path := from.SecretPath()
	if abs, err := filepath.Abs(path); err == nil && path != "" {
		path = abs
	}
	to := *from
	to.Database = target
	_, err := os.Stat(path)
	switch {
	case from.Secret.IsZero() && err != nil && target.Dialect == config.Postgres:
		return "Generate a secret and set LATCHKEY_SECRET to it: openssl rand -hex 32"
	case from.Secret.IsZero() && err != nil:
		return "The server generates a secret beside the database file."
	case !from.Secret.IsZero() && target.Dialect == config.SQLite:
		return "Keep LATCHKEY_SECRET as it is. Without it the server generates another secret, and everyone has to sign in again."
	case !from.Secret.IsZero():
		return "Keep LATCHKEY_SECRET as it is."
	case target.Dialect == config.Postgres:
		return "Set LATCHKEY_SECRET_FILE=" + path + ", or LATCHKEY_SECRET to what this file holds. With another secret everyone has to sign in again."
	case filepath.Dir(from.Database.Path) == filepath.Dir(target.Path):
		return "Keep " + path + ": with another secret everyone has to sign in again."
	}
	return "Copy the secret: cp -p " + path + " " + to.SecretPath() + ". With another secret everyone has to sign in again."
}
