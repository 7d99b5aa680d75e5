package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"latchkey/internal/backup"
	"latchkey/models"
)

// Limits of the machine.
const (
	// memoryLeast is the documented minimum of a memory limit.
	memoryLeast = 96_000_000
	// A request takes a descriptor, one more to a protected app's proxy, and the
	// database some: 512 requests are served at once, and others wait.
	descriptorsWarn = 4096
	descriptorsFail = 1024
)

func (o Options) machine(context.Context) []Check {
	g := group{name: "Machine"}
	hashes := counted(o.Hashes, "password hash", "password hashes") + " at a time"
	switch {
	case o.Memory <= 0:
		g.ok("Memory", "no limit, "+hashes)
	case o.Memory < memoryLeast:
		g.fail("Memory", fmt.Sprintf("limited to %s, %s", bytesIn(o.Memory), hashes), fmt.Sprintf("Give it %s or more.", bytesIn(memoryLeast)))
	default:
		g.ok("Memory", fmt.Sprintf("limited to %s, %s", bytesIn(o.Memory), hashes))
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil {
		descriptors(&g, uint64(files.Cur))
	}
	return g.checks
}

func descriptors(g *group, most uint64) {
	const name, advice = "Open files", "Raise the limit (systemd: LimitNOFILE, Docker: ulimits) to 4096 or more: each connection takes one."
	detail := fmt.Sprintf("%d at most", most)
	switch {
	case most < descriptorsFail:
		g.fail(name, detail, advice)
	case most < descriptorsWarn:
		g.warn(name, detail, advice)
	default:
		g.ok(name, detail)
	}
}

func (o Options) backup(context.Context) []Check {
	g := group{name: "Backup"}
	if o.BackupDir == "" {
		g.warn("Schedule", "the server makes no backups", "Set LATCHKEY_BACKUP_DIR, unless another program makes them.")
		return g.checks
	}
	ending := ".db"
	if o.Path == "" {
		ending = ".dump"
		if err := backup.Programs(); err != nil {
			g.warn("Programs", err.Error(), "Install the client programs of PostgreSQL (Debian: package postgresql-client), or unset LATCHKEY_BACKUP_DIR and run pg_dump elsewhere.")
		}
	}
	newest, err := backup.Newest(o.BackupDir, ending)
	if errors.Is(err, fs.ErrNotExist) {
		g.warn("Folder", o.BackupDir+" does not exist yet", "The server makes it with its first backup. If it runs already, its log says why there is none.")
		return g.checks
	}
	if err == nil {
		err = writable(o.BackupDir)
	}
	if err != nil {
		g.fail("Folder", err.Error(), "Run latchkey doctor as the server's user, and let it own the folder.")
		return g.checks
	}
	o.backupAge(&g, newest)
	if system, err := models.FileSystemAt(o.BackupDir); err == nil {
		free(&g, "Free space", o.BackupDir, "Make room: each backup takes as much as the database.", system)
	}
	return g.checks
}

// backupAge judges when the newest backup was made; zero: there is none.
func (o Options) backupAge(g *group, newest time.Time) {
	age := o.Now().Sub(newest).Round(time.Minute)
	switch {
	case newest.IsZero():
		g.warn("Age", "no backup in "+o.BackupDir+" yet", "Start the server: it makes one. If it runs already, its log says why there is none.")
	case age > 2*o.BackupEvery:
		g.fail("Age", fmt.Sprintf("the newest backup is %s old, and one is due every %s", age, o.BackupEvery), "The server's log says why.")
	case age < 0:
		g.warn("Age", "the newest backup has a name in the future: "+newest.Format(time.RFC3339), "Check the clock of this machine, and remove the file if its clock was wrong.")
	default:
		g.ok("Age", fmt.Sprintf("the newest backup is %s old", age))
	}
}

// writable returns an error unless this user can make files in a folder. It makes none.
func writable(folder string) error {
	const write, search = 2, 1 // access(2)
	if err := syscall.Access(folder, write|search); err != nil {
		return fmt.Errorf("%s cannot be written to: %w", folder, err)
	}
	return nil
}

func (o Options) mail(ctx context.Context) []Check {
	g := group{name: "Mail"}
	switch {
	case o.Mail != nil:
		ctx, cancel := context.WithTimeout(ctx, mailTimeout)
		defer cancel()
		if err := o.Mail.Try(ctx); err != nil {
			g.fail("Mail server", err.Error(), "Correct LATCHKEY_SMTP_URL, then run latchkey mail test ADDRESS.")
		} else {
			g.ok("Mail server", "accepts the connection and the credentials; no message was sent")
		}
	case o.MailFolder != "" && o.Loopback:
		g.ok("Mail", "messages are written to "+o.MailFolder)
	case o.MailFolder != "":
		g.warn("Mail", "messages are written to "+o.MailFolder+" and reach nobody", "Set LATCHKEY_SMTP_URL to your mail server.")
	default:
		g.warn("Mail", "no mail is sent: people cannot reset a forgotten password themselves", "Set LATCHKEY_SMTP_URL to your mail server.")
	}
	return g.checks
}
