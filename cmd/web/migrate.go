package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

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
		return printMigrations(ctx, p.stdout, store)
	})
}

type migrateStatusCmd struct{}

// Run lists the migrations.
func (migrateStatusCmd) Run(ctx context.Context, p *process) error {
	return p.database(ctx, func(store *models.Store) error { return printMigrations(ctx, p.stdout, store) })
}

// database opens the database without migrating it and runs f.
func (p *process) database(ctx context.Context, f func(*models.Store) error) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	store, err := models.Open(ctx, databaseOptions(cfg, newLogger(cfg, p.stderr)))
	if err != nil {
		return databaseError(err)
	}
	defer func() { _ = store.Close() }()
	return f(store)
}

func printMigrations(ctx context.Context, w io.Writer, store *models.Store) error {
	list, err := store.Migrations(ctx)
	if err != nil && !errors.Is(err, models.ErrSchemaNewer) {
		return databaseError(err)
	}
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, m := range list {
		state := "pending"
		if !m.AppliedAt.IsZero() {
			state = "applied " + m.AppliedAt.UTC().Format("2006-01-02 15:04 UTC")
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\n", m.Name, state)
	}
	return errors.Join(err, table.Flush())
}
