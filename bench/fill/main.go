// Command fill migrates an empty database and fills it with made-up users and what
// they did, for drills and measurements on large databases:
//
//	go run ./bench/fill -database sqlite:/tmp/drill/latchkey.db -users 100000
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"

	"latchkey/bench/seed"
	"latchkey/models"
)

func main() {
	url := flag.String("database", "", "sqlite:PATH or postgres://…, an empty database")
	users := flag.Int("users", 100_000, "how many users")
	flag.Parse()
	if err := fill(context.Background(), *url, *users); err != nil {
		fmt.Fprintf(os.Stderr, "fill: %v\n", err)
		os.Exit(1)
	}
}

func fill(ctx context.Context, url string, users int) error {
	store, err := models.Open(ctx, models.Options{URL: url})
	if err != nil {
		return err
	}
	if err := errors.Join(store.Migrate(ctx), store.Close()); err != nil {
		return err
	}
	driver, dialect, source := "pgx", "postgres", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, dialect = "sqlite", "sqlite"
		source = "file:" + path + "?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)&_pragma=cache_size(-200000)"
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	err = seed.Users(ctx, db, dialect, users)
	if err == nil {
		err = seed.Activity(ctx, db)
	}
	return errors.Join(err, db.Close())
}
