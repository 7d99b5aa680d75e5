package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/backup"
	"latchkey/internal/config"
	"latchkey/models"
)

type restoreCmd struct {
	File     string `arg:"" help:"The backup."`
	Replaced string `placeholder:"NAME" help:"PostgreSQL: the name of the renamed database that the backup replaces. Its changes since the backup are listed."`
}

// Run replaces the database with a backup.
func (c restoreCmd) Run(ctx context.Context, p *process) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	logger := newLogger(cfg, p.stderr)
	var counts models.RestoreCounts
	o := backup.RestoreOptions{
		File: c.File, Logger: logger, At: time.Now(), Changes: audit.Changes(),
		CheckSecret: config.CheckSecretFile,
		Settle: func(ctx context.Context, store *models.Store) (err error) {
			counts, err = settleRestored(ctx, audit.New(store, logger, time.Now))
			return err
		},
	}
	var done backup.Restored
	if cfg.Database.Dialect == config.SQLite {
		if c.Replaced != "" {
			return usageError{"--replaced is for PostgreSQL: on SQLite the replaced database is kept beside the new one"}
		}
		o.Database = cfg.Database.Path
		if cfg.Secret.IsZero() {
			o.Secret = cfg.SecretPath()
		}
		done, err = backup.SQLite(ctx, o)
	} else {
		if o.URL, o.Replaced, err = databaseURLs(cfg, c.Replaced); err != nil {
			return err
		}
		done, err = backup.Postgres(ctx, o)
	}
	if err != nil {
		return restoreError(err, cfg)
	}
	return c.report(p, cfg, done, counts)
}

// notSentAgain is the answer on the page of mail for messages that waited in a backup.
const notSentAgain = "Not sent: the server was restored from a backup, and the message may have been sent before."

// settleRestored ends in a restored database what must not come back, and writes the
// restore to its audit log.
func settleRestored(ctx context.Context, log *audit.Log) (counts models.RestoreCounts, err error) {
	err = log.InTx(ctx, func(tx *models.Store, record func(models.Event)) error {
		var err error
		counts, err = tx.EndRestored(ctx, notSentAgain, time.Now())
		record(auth.Shell().Event(audit.DatabaseRestored, nil, audit.Details{
			SessionsEnded: int(counts.Sessions), TokensEnded: int(counts.PersonalTokens), InvitationsWithdrawn: int(counts.Invitations),
		}))
		return err
	})
	return counts, err
}

// databaseURLs returns the URLs of the PostgreSQL database to restore and of the
// replaced one, "" without a name. Their statements may take any time.
func databaseURLs(cfg *config.Config, replaced string) (target, before string, err error) {
	u, err := url.Parse(string(cfg.Database.URL.Bytes()))
	if err != nil {
		return "", "", errors.New("LATCHKEY_DATABASE_URL is not a URL")
	}
	query := u.Query()
	query.Set("statement_timeout", "0")
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	target = u.String()
	if replaced == "" {
		return target, "", nil
	}
	query.Del("dbname")
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	u.Path, u.RawPath = "/"+replaced, ""
	return target, u.String(), nil
}

// restoreError adds what to do to an error.
func restoreError(err error, cfg *config.Config) error {
	if errors.Is(err, backup.ErrNotEmpty) {
		name := "latchkey"
		if u, urlErr := url.Parse(string(cfg.Database.URL.Bytes())); urlErr == nil && len(u.Path) > 1 {
			name = u.Path[1:]
		}
		return fmt.Errorf("%w, and a backup is restored into an empty one: rename it to %s_before, create an empty %[2]s, and run "+
			"latchkey restore --replaced=%[2]s_before FILE (docs/operations.md has the statements)", err, name)
	}
	if replaced, ok := errors.AsType[backup.ReplacedError](err); ok {
		return errors.New(oneLine(replaced))
	}
	if errors.Is(err, apperr.Unavailable) {
		return databaseError(err)
	}
	return err
}

// fewChanges is how many changes are printed; more go to a file.
const fewChanges = 40

// report says what was done and what the operator has to do.
func (c restoreCmd) report(p *process, cfg *config.Config, done backup.Restored, counts models.RestoreCounts) error {
	w := p.stdout
	var failures []error
	say := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		failures = append(failures, err)
	}
	say("%s is restored.", c.File)
	if done.Kept != "" {
		say("The replaced database is kept in %s. Delete it once you no longer need it.", done.Kept)
	}
	if done.KeptSecret != "" {
		say("The secret of the backup is in place; the one before is kept in %s.", done.KeptSecret)
	}
	if cfg.Database.Dialect == config.SQLite {
		if advice := secretAdvice(cfg, c.File); advice != "" {
			say("%s", advice)
		}
	}
	say("%s", endedWords(counts))
	failures = append(failures, c.listChanges(w, done))
	return errors.Join(failures...)
}

// endedWords say what a restore ended.
func endedWords(counts models.RestoreCounts) string {
	var list []string
	for _, ended := range []struct {
		n    int64
		noun string
	}{
		{counts.Sessions, "session"},
		{counts.PersonalTokens, "personal access token"},
		{counts.Links, "link"},
		{counts.Invitations, "invitation"},
		{counts.Deliveries, "waiting message"},
		{counts.Devices, "remembered device"},
	} {
		switch {
		case ended.n == 1:
			list = append(list, "1 "+ended.noun)
		case ended.n > 1:
			list = append(list, fmt.Sprintf("%d %ss", ended.n, ended.noun))
		}
	}
	if len(list) == 0 {
		return "No session, access token, link or invitation of the backup still worked, so none had to be ended."
	}
	text := "Ended, because they may have been used or removed since the backup: " + strings.Join(list, ", ") + "."
	if counts.Sessions > 0 {
		text += " Everyone has to sign in again."
	}
	return text
}

// secretAdvice says what to do about the secret of a backup that was not put in place;
// "" for nothing.
func secretAdvice(cfg *config.Config, file string) string {
	_, err := os.Stat(backup.SecretOf(file))
	inBackup := err == nil
	_, err = os.Stat(cfg.SecretPath())
	switch {
	case !cfg.Secret.IsZero() && inBackup:
		return fmt.Sprintf("LATCHKEY_SECRET is set, so %s was not put in place. If LATCHKEY_SECRET has changed since the backup, "+
			"authenticator apps will not work until you put the old secret back.", backup.SecretOf(file))
	case !cfg.Secret.IsZero() || inBackup:
		return ""
	case err == nil:
		return fmt.Sprintf("There is no %s, so %s stays. If it has changed since the backup, authenticator apps will not work until you put the old secret back.",
			backup.SecretOf(file), cfg.SecretPath())
	}
	return fmt.Sprintf("There is no %s: the server will make a new secret, and authenticator apps will stop working. "+
		"If you have the old one, put it in %s, with mode 0600.", backup.SecretOf(file), cfg.SecretPath())
}

// listChanges prints the changes since the backup, or writes them to a file when they
// are many.
func (c restoreCmd) listChanges(w io.Writer, done backup.Restored) error {
	const advice = "docs/operations.md, section Backup and restore, says which ones to repeat."
	switch {
	case done.Unread != nil:
		_, err := fmt.Fprintf(w, "The changes since the backup are not known, because the replaced database cannot be read: %v\n"+
			"The server's log has them too: lines with the message \"security\".\n", done.Unread)
		return err
	case len(done.Lost) == 0 && done.Kept == "" && c.Replaced == "":
		_, err := fmt.Fprintln(w, "The changes since the backup are not known, because there was no replaced database to read.")
		return err
	case len(done.Lost) == 0:
		_, err := fmt.Fprintln(w, "The audit log of the replaced database has no changes since the backup.")
		return err
	case len(done.Lost) <= fewChanges:
		_, err := fmt.Fprintf(w, "These changes since the backup are lost; %s\n\n", advice)
		return errors.Join(err, writeChanges(w, done.Lost))
	}
	path := done.Kept + ".changes.txt"
	if done.Kept == "" {
		path = c.File + ".changes.txt"
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil { // they must not be lost a second time
		return errors.Join(writeChanges(w, done.Lost), err)
	}
	if err := errors.Join(writeChanges(file, done.Lost), file.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%d changes since the backup are lost. They are listed in %s; %s\n", len(done.Lost), path, advice)
	return err
}

// writeChanges writes events as a table.
func writeChanges(w io.Writer, events []models.Event) error {
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "TIME\tEVENT\tBY\tACCOUNT\tACCOUNT ID\tDETAILS")
	for _, e := range events {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", instant(e.At), e.Action, e.ActorName, e.SubjectName, e.SubjectID, audit.Detail(e))
	}
	return table.Flush()
}
