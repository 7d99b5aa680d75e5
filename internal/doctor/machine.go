package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"syscall"
	"time"

	"latchkey/models"
)

// Limits of the machine.
const (
	// memoryLeast is the documented minimum of a memory limit.
	memoryLeast = 96 << 20
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

// backupName is the name of a backup that the server made.
var backupName = regexp.MustCompile(`^latchkey-\d{8}-\d{6}\.(db|dump)$`)

func (o Options) backup(context.Context) []Check {
	g := group{name: "Backup"}
	if o.BackupDir == "" {
		g.warn("Schedule", "the server makes no backups", "Set LATCHKEY_BACKUP_DIR, unless another program makes them.")
		return g.checks
	}
	entries, err := os.ReadDir(o.BackupDir)
	if errors.Is(err, fs.ErrNotExist) {
		g.warn("Folder", o.BackupDir+" does not exist yet", "The server makes it with its first backup. If it runs already, its log says why there is none.")
		return g.checks
	}
	if err != nil {
		g.fail("Folder", err.Error(), "Run latchkey doctor as the server's user, and let it own the folder.")
		return g.checks
	}
	newest, count := time.Time{}, 0
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && info.Mode().IsRegular() && backupName.MatchString(entry.Name()) {
			count++
			if info.ModTime().After(newest) {
				newest = info.ModTime()
			}
		}
	}
	age := o.Now().Sub(newest).Round(time.Minute)
	switch {
	case count == 0:
		g.warn("Age", "there is none in "+o.BackupDir+" yet", "Start the server, or run latchkey backup FILE.")
	case age > 2*o.BackupEvery:
		g.fail("Age", fmt.Sprintf("the newest of %s is %s old, and one is due every %s", counted(count, "backup", "backups"), age, o.BackupEvery), "See why in the server's log.")
	default:
		g.ok("Age", fmt.Sprintf("the newest of %s is %s old", counted(count, "backup", "backups"), age))
	}
	if system, err := models.FileSystemAt(o.BackupDir); err == nil {
		free(&g, "Free space", o.BackupDir, system)
	}
	return g.checks
}

func (o Options) mail(ctx context.Context) []Check {
	g := group{name: "Mail"}
	switch {
	case o.Mail != nil:
		ctx, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		if err := o.Mail.Try(ctx); err != nil {
			g.fail("Mail server", err.Error(), "Correct LATCHKEY_SMTP_URL, then run latchkey mail test ADDRESS.")
		} else {
			g.ok("Mail server", "takes the connection and the sign-in; no message was sent")
		}
	case o.MailFolder != "" && o.Loopback:
		g.ok("Mail", "messages are written to "+o.MailFolder)
	case o.MailFolder != "":
		g.warn("Mail", "messages are written to "+o.MailFolder+" and reach nobody", "Set LATCHKEY_SMTP_URL to your mail server.")
	default:
		g.warn("Mail", "none is sent: people cannot reset a forgotten password themselves", "Set LATCHKEY_SMTP_URL to your mail server.")
	}
	return g.checks
}
