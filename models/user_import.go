package models

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
	gormlog "gorm.io/gorm/logger"
)

// ImportBatch is how many accounts NotFree and CreateMany take at a time.
const ImportBatch = 500

// NotFree are those of some usernames and addresses that no new account can have.
type NotFree struct {
	Usernames map[string]bool // an account or a phantom has it
	Retired   map[string]bool // a username that belonged to an account
	Emails    map[string]bool // compared forms: an account has it, or can get it back
}

// NotFree returns those of at most ImportBatch usernames and addresses, in their
// compared forms, that no new account can have.
func (u *Users) NotFree(ctx context.Context, usernames, emails []string, now time.Time) (NotFree, error) {
	found := NotFree{Usernames: map[string]bool{}, Retired: map[string]bool{}, Emails: map[string]bool{}}
	db := u.store.quiet().db.WithContext(ctx)
	for _, look := range []struct {
		into   map[string]bool
		column string
		rows   *gorm.DB
	}{
		{found.Usernames, "username", db.Model(&User{}).Where("username IN ?", usernames)},
		{found.Usernames, "username", db.Model(&Phantom{}).Where("username IN ? AND until > ?", usernames, At(now))},
		{found.Retired, "username", db.Table("retired_usernames").Where("username IN ? AND (until = 0 OR until > ?)", usernames, At(now))},
		{found.Emails, "email_folded", db.Model(&User{}).Where("email_folded IN ?", emails)},
		{found.Emails, "old_folded", db.Model(&EmailChange{}).Where("old_folded IN ? AND at >= ?", emails, At(now.Add(-KeepEmail)))},
	} {
		var values []string
		if err := look.rows.Pluck(look.column, &values).Error; err != nil {
			return found, translate("look for taken names", err)
		}
		for _, value := range values {
			look.into[value] = true
		}
	}
	return found, nil
}

// quiet returns the same store, which does not log slow statements: those for
// hundreds of accounts are long, and their time says little.
func (s *Store) quiet() *Store {
	quiet := *s
	quiet.db = s.db.Session(&gorm.Session{Logger: gormlog.Discard})
	quiet.attach()
	return &quiet
}

// LongImport prepares the connection of a transaction that inserts many accounts. On
// PostgreSQL its context has to be of WithoutTimeLimit.
func (u *Users) LongImport(ctx context.Context) error {
	// The indexes are written in random order: SQLite's 2 MiB of cache would read
	// and write each page many times.
	statement := "PRAGMA cache_size = -262144" // KiB, of which it takes what it needs
	if u.store.dialect == dialectPostgres {
		statement = "SET LOCAL statement_timeout = 0"
	}
	_, err := u.store.exec(ctx, "prepare an import", statement)
	return err
}

// CreateMany is Create for at most ImportBatch accounts.
func (u *Users) CreateMany(ctx context.Context, users []User, now time.Time) error {
	usernames, emails := make([]string, 0, len(users)), make([]string, 0, len(users))
	for i := range users {
		row := &users[i]
		row.EmailFolded = noEmail + row.ID
		if row.Email != "" {
			row.EmailFolded = FoldEmail(row.Email)
			emails = append(emails, row.EmailFolded)
		}
		row.Search = SearchText(row.Username, row.Email, row.FullName)
		usernames = append(usernames, row.Username)
	}
	quiet := u.store.quiet()
	if err := quiet.create(ctx, "create users", &users); err != nil {
		return err
	}
	return quiet.Users.notRetiredMany(ctx, usernames, emails, now)
}

// notRetiredMany is notRetired and notKept for new accounts. Like them it reads after
// the rows are written.
func (u *Users) notRetiredMany(ctx context.Context, usernames, emails []string, now time.Time) error {
	var n int64
	err := u.store.db.WithContext(ctx).Raw(`
		SELECT (SELECT count(*) FROM retired_usernames WHERE username IN ? AND (until = 0 OR until > ?))
			+ (SELECT count(*) FROM phantoms WHERE username IN ? AND until > ?)
			+ (SELECT count(*) FROM email_changes WHERE old_folded IN ? AND at >= ?)`,
		usernames, At(now), usernames, At(now), emails, At(now.Add(-KeepEmail))).Scan(&n).Error
	if err != nil {
		return translate("look for kept names", err)
	}
	if n > 0 {
		return usernameTaken("create users")
	}
	for _, table := range []string{"retired_usernames", "phantoms"} { // what is left there is over
		if _, err := u.store.exec(ctx, "take usernames", fmt.Sprintf("DELETE FROM %s WHERE username IN ?", table), usernames); err != nil {
			return err
		}
	}
	return nil
}
