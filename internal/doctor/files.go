package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"latchkey/models"
)

func (o Options) files(context.Context) []Check {
	g := group{name: "Files"}
	if o.Path != "" {
		o.disk(&g)
		o.databaseFiles(&g)
	}
	o.secret(&g)
	if o.EnvFile != "" {
		if info, err := os.Stat(o.EnvFile); err == nil {
			mode(&g, "Environment file", o.EnvFile, info)
		}
	}
	return g.checks
}

// Free space. A start, an upgrade and a backup each need some.
const (
	freeWarn = 512 << 20
	freeFail = 64 << 20
)

// disk checks the file system of the SQLite file.
func (o Options) disk(g *group) {
	system, err := models.FileSystemAt(o.Path)
	switch {
	case err != nil:
		g.warn("File system", err.Error(), "Make sure that the database is on a local disk.")
		return
	case system.Network:
		g.fail("File system", o.Path+" is on "+system.Name+", a network file system, where SQLite loses data", "Move the folder to a local disk, or use PostgreSQL.")
	case system.Unsure:
		g.warn("File system", o.Path+" is on "+system.Name+", which may be on another machine", "Make sure that it is a local disk: SQLite loses data on a network file system.")
	default:
		g.ok("File system", system.Name)
	}
	free(g, "Free space", filepath.Dir(o.Path), "Make room: on a full disk nobody can sign in.", system)
}

// free checks the free space of a folder. Some file systems do not tell it.
func free(g *group, name, folder, advice string, system models.FileSystem) {
	if system.Size == 0 {
		return
	}
	detail := fmt.Sprintf("%s of %s in %s", bytesIn(system.Free), bytesIn(system.Size), folder)
	switch {
	case system.Free < freeFail:
		g.fail(name, detail, advice)
	case system.Free < freeWarn:
		g.warn(name, detail, "Make room, or give the portal a larger disk.")
	default:
		g.ok(name, detail)
	}
}

// databaseFiles checks who can read the SQLite file, and that the files beside it
// belong to the same user. A command that another user ran makes files that the
// server cannot write.
func (o Options) databaseFiles(g *group) {
	database, err := os.Stat(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return // another check says so
	}
	if err != nil {
		g.fail("Database file", err.Error(), "Run latchkey doctor as the server's user.")
		return
	}
	mode(g, "Database file", o.Path, database)
	var strangers []string
	for _, ending := range []string{"-wal", "-shm", ".lock", ".use"} {
		if info, err := os.Stat(o.Path + ending); err == nil && owner(info) != owner(database) {
			strangers = append(strangers, filepath.Base(o.Path)+ending)
		}
	}
	if len(strangers) > 0 {
		g.fail("Owner", strings.Join(strangers, ", ")+" and the database belong to different users, so the server may not be able to write",
			"Run chown for every file in "+filepath.Dir(o.Path)+", and commands as the server's user.")
		return
	}
	g.ok("Owner", "the files beside the database belong to its user")
}

// mode checks that only the owner, and perhaps the group, can read a file.
func mode(g *group, name, path string, info fs.FileInfo) {
	perm := info.Mode().Perm()
	detail := fmt.Sprintf("%s, mode %04o", path, perm)
	switch {
	case perm&0o007 != 0:
		g.fail(name, detail+": every user of this machine can read it", "Run chmod 600 "+path+".")
	case perm&0o020 != 0:
		g.warn(name, detail+": its group can write it", "Run chmod 600 "+path+".")
	default:
		g.ok(name, detail)
	}
}

// secret checks where the master secret comes from. Package config has checked that it
// is long and random enough.
func (o Options) secret(g *group) {
	const name = "Secret"
	switch {
	case o.SecretPath == "":
		g.ok(name, "set by LATCHKEY_SECRET, long and random enough")
	default:
		info, err := os.Stat(o.SecretPath)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if _, err := os.Stat(o.Path); err == nil {
				g.warn(name, o.SecretPath+" is missing beside an existing database: the next start makes another, and everybody has to sign in again", "Put it back from a backup, unless you removed it on purpose.")
			} else {
				g.ok(name, "the first start makes one in "+o.SecretPath)
			}
		case err != nil:
			g.fail(name, err.Error(), "Run latchkey doctor as the server's user.")
		default:
			mode(g, name, o.SecretPath, info)
		}
	}
	if o.Previous {
		g.warn("Previous secret", "LATCHKEY_SECRET_PREVIOUS is still set", fmt.Sprintf("Unset it when the new secret has been in use for %s, the longest life of a session.", o.SessionTTL))
	}
}

// owner returns the id of the user that a file belongs to.
func owner(info fs.FileInfo) uint32 {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return stat.Uid
}
