package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"latchkey/models"
)

func (o Options) database(ctx context.Context) []Check {
	ctx, cancel := context.WithTimeout(ctx, databaseTimeout)
	defer cancel()
	facts, err := models.Inspect(ctx, o.Database)
	g := group{name: "Database"}
	switch {
	case errors.Is(err, models.ErrNoDatabase):
		g.warn("File", o.Path+" does not exist", "If this is a new portal, start it: the server makes the file. Otherwise correct the path in LATCHKEY_DATABASE_URL.")
	case errors.Is(err, models.ErrNetworkFileSystem):
		return nil // the check of the file system says so
	case err != nil && o.Path != "":
		g.fail("File", err.Error(), "Run latchkey doctor as the server's user.")
	case ctx.Err() != nil:
		g.fail("Connection", fmt.Sprintf("no answer within %s", databaseTimeout), "Check that the database runs, and the host and port in LATCHKEY_DATABASE_URL.")
	case err != nil:
		g.fail("Connection", o.Explain(err).Error(), "Check LATCHKEY_DATABASE_URL, and that the database runs.")
	default:
		o.judge(&g, facts)
	}
	return g.checks
}

// judge turns facts about a database into checks.
func (o Options) judge(g *group, f *models.Facts) {
	switch {
	case f.Unclosed:
		g.warn("File", "the server did not close "+o.Path+": nothing can be read without writing", "Start the server: it reads the write-ahead log beside the file.")
		return
	case f.Damage != "":
		g.fail("Integrity", "the file is damaged: "+firstLine(f.Damage), "Stop the server, keep the file, and restore a backup.")
		return
	}
	if o.Path != "" {
		g.ok("Connection", "SQLite "+f.Version+", "+bytesIn(f.Size))
	} else {
		detail := "PostgreSQL " + f.Version
		if f.Secure {
			detail += ", encrypted"
		}
		g.ok("Connection", detail)
	}
	switch {
	case f.Schema == f.Wanted:
		g.ok("Schema", fmt.Sprintf("version %d, as this program needs", f.Schema))
	case f.Schema > f.Wanted:
		g.fail("Schema", fmt.Sprintf("version %d is newer than this program, which needs %d", f.Schema, f.Wanted), "Run the release that made it, or a later one.")
	case f.Schema == 0:
		g.warn("Schema", "no tables yet", "Start the server, or run latchkey migrate up.")
	default:
		g.warn("Schema", fmt.Sprintf("version %d; this program needs %d", f.Schema, f.Wanted), "Make a backup, then run latchkey migrate up or start the server.")
	}
	if want := map[bool]string{true: "UTF-8", false: "UTF8"}[o.Path != ""]; f.Encoding == want {
		g.ok("Encoding", f.Encoding)
	} else {
		g.fail("Encoding", f.Encoding+"; Latchkey needs "+want, "Create another database, as docs/operations.md says.")
	}
	if o.Path != "" {
		judgeSQLite(g, f)
		return
	}
	judgeDurability(g, f)
	o.judgeConnections(g, f)
	judgeClock(g, f.Skew)
}

func judgeSQLite(g *group, f *models.Facts) {
	switch {
	case f.Journal == "wal":
		g.ok("Durability", "write-ahead log, and every commit is on disk before it is acknowledged")
	case f.Schema == 0:
		g.ok("Durability", "the first start turns on the write-ahead log")
	default:
		g.warn("Durability", "the journal is "+f.Journal+", not a write-ahead log", "Start the server: it sets the mode. If it stays, the file system cannot hold a write-ahead log.")
	}
	if f.Checked {
		g.ok("Integrity", "quick_check found nothing")
	} else {
		g.ok("Integrity", "the file is large: the first seconds of quick_check found nothing")
	}
}

func judgeDurability(g *group, f *models.Facts) {
	var off []string
	for _, name := range []string{"fsync", "synchronous_commit"} {
		if f.Settings[name] == "off" {
			off = append(off, name)
		}
	}
	switch {
	case f.Standby:
		g.fail("Durability", "this server is a standby and cannot be written to", "Name the primary in LATCHKEY_DATABASE_URL, or list the hosts with target_session_attrs=read-write.")
	case f.Settings["default_transaction_read_only"] == "on":
		g.fail("Durability", "default_transaction_read_only is on: nothing can be written", "Set it to off for this role and database.")
	case len(off) > 0:
		g.fail("Durability", strings.Join(off, ", ")+" off: after a crash, sessions that were ended may come back", "Set each to on in postgresql.conf, or for the role.")
	default:
		g.ok("Durability", "fsync on; synchronous_commit "+f.Settings["synchronous_commit"])
	}
	if f.Settings["full_page_writes"] == "off" {
		g.warn("Full pages", "full_page_writes is off: safe only where the file system writes whole pages (ZFS)", "Set it to on in postgresql.conf, unless the database is on such a file system.")
	}
}

// whileMigrating is how many connections a process opens beside its pool to migrate.
const whileMigrating = 2

// judgeConnections compares the pool with what the database gives.
func (o Options) judgeConnections(g *group, f *models.Facts) {
	most := f.Setting("max_connections") - f.Setting("superuser_reserved_connections") - f.Setting("reserved_connections")
	others := f.Used - f.Servers
	each := o.Pool + whileMigrating
	room := max(most-others, 0) / each
	detail := fmt.Sprintf("%d of %d are in use, %d of them by Latchkey; one process takes up to %d while it migrates, so there is room for %s",
		f.Used, most, f.Servers, each, counted(room, "process", "processes"))
	switch {
	case room < 1:
		g.fail("Connections", detail, "Raise max_connections, or lower LATCHKEY_DATABASE_POOL.")
	case room < 2:
		g.warn("Connections", detail, "A second process during an upgrade needs more: raise max_connections, or lower LATCHKEY_DATABASE_POOL.")
	default:
		g.ok("Connections", detail)
	}
}

// The differences between two clocks. Beyond the second, nothing is purged.
const (
	skewWarn = 5 * time.Second
	skewFail = 30 * time.Second
)

func judgeClock(g *group, skew time.Duration) {
	detail := fmt.Sprintf("this machine's differs from the database's by %s", skew.Abs().Round(time.Millisecond))
	switch {
	case skew.Abs() > skewFail:
		g.fail("Clock", detail, "Run NTP on both machines: sessions end too early or too late.")
	case skew.Abs() > skewWarn:
		g.warn("Clock", detail, "Run NTP on both machines.")
	default:
		g.ok("Clock", detail)
	}
}

// bytesIn writes a number of bytes in a decimal unit that fits.
func bytesIn(n int64) string {
	switch {
	case n >= 10e9:
		return fmt.Sprintf("%d GB", n/1e9)
	case n >= 10e6:
		return fmt.Sprintf("%d MB", n/1e6)
	}
	return fmt.Sprintf("%d kB", (n+999)/1e3)
}
