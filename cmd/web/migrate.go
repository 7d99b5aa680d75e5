package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"latchkey/internal/config"
	"latchkey/models"
)

type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" help:"Apply pending migrations."`
	Status migrateStatusCmd `cmd:"" help:"List applied and pending migrations."`
}

type migrateUpCmd struct{}

// Run applies pending migrations.
func (migrateUpCmd) Run(ctx context.Context, p *process) error {
	return p.database(ctx, func(store *models.Store) error {
		if err := store.Migrate(ctx); err != nil {
			return databaseError(err)
		}
		_, err := printMigrations(ctx, p.stdout, store)
		return err
	})
}

type migrateStatusCmd struct {
	ExitCode bool `help:"Exit 1 when migrations are pending."`
}

// Run lists the migrations. A schema that is newer than this program is a failure with
// and without --exit-code.
func (c migrateStatusCmd) Run(ctx context.Context, p *process) error {
	return p.database(ctx, func(store *models.Store) error {
		pending, err := printMigrations(ctx, p.stdout, store)
		if err == nil && c.ExitCode && pending > 0 {
			return fmt.Errorf("migrations are pending: %d. Run latchkey migrate up, or start the server", pending)
		}
		return err
	})
}

// database opens the database without migrating it and runs f.
func (p *process) database(ctx context.Context, f func(*models.Store) error) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	return p.onDatabase(ctx, cfg, f)
}

// onDatabase is database with a configuration that was read.
func (p *process) onDatabase(ctx context.Context, cfg *config.Config, f func(*models.Store) error) error {
	store, err := models.Open(ctx, databaseOptions(cfg, newLogger(cfg, p.stderr)))
	if err != nil {
		return databaseError(err)
	}
	defer func() { _ = store.Close() }()
	return f(store)
}

// printMigrations lists the migrations and returns how many are pending.
func printMigrations(ctx context.Context, w io.Writer, store *models.Store) (pending int, err error) {
	list, err := store.Migrations(ctx)
	if err != nil && !errors.Is(err, models.ErrSchemaNewer) {
		return 0, databaseError(err)
	}
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, m := range list {
		state := "pending"
		if m.AppliedAt.IsZero() {
			pending++
		} else {
			state = "applied " + m.AppliedAt.UTC().Format("2006-01-02 15:04 UTC")
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\n", m.Name, state)
	}
	return pending, errors.Join(err, table.Flush())
}
