package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// authelia is a file of Authelia. The hash is of secretWord.
const authelia = `users:
  ana:
    displayname: Ana Silva
    password: $6$rounds=1000$5gTkzWYNpzV3pHdp$%s
    email: ana@example.org
    groups: [admins, dev]
  admin:
    password: ''
    email: root@example.org
`

// TestImport runs the command as an operator does: a dry run, a refusal, an import
// and a second one.
func TestImport(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e, file := newEnvironment(t, databaseURL), filepath.Join(t.TempDir(), "users.yml")
		content := fmt.Sprintf(authelia, "UiQlv4yJqHVTVY2v0CXqFkLwQZJZ0i4nP5fN5KZ5ZbcN1mJcL8b6p4x1l4JtE0mY7w3W1k3n4l0JH1ZkQ2n0b/")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		command(t, e, "", "import", file, "--dry-run").exits(exitFailed).
			prints("Format                            users of Authelia (YAML)\nAccounts                          2\n  users                           2\n", "Passwords as SHA-512 crypt        1\n", "Groups that make nobody an admin  admins (1), dev (1)\n").
			complains("latchkey: line 7 (admin): username: This username is reserved. Choose another.\n",
				"latchkey: line 7 (admin): password_hash: There is no password hash. Allow accounts without a password with --without-password.\n",
				"latchkey: nothing was imported: correct the file, or see latchkey import --help\n").hides("$6$")
		command(t, e, "", "import", file).exits(exitFailed).complains("nothing was imported")
		withStore(t, databaseURL, func(store *models.Store) {
			if figures, err := store.Users.Figures(t.Context()); err != nil || figures.Total != 0 {
				t.Errorf("got %d accounts, %v, want none", figures.Total, err)
			}
		})
		flags := []string{"--allow-reserved", "--without-password", "--admin-group=admins"}
		command(t, e, "", append([]string{"import", file, "--dry-run"}, flags...)...).exits(exitDone).
			prints("  admins                    1\n", "  without a password        1\n", "Nothing was imported: this was a dry run.\n")
		command(t, e, content, append([]string{"import", "-"}, flags...)...).exits(exitDone).prints("Imported 2 accounts.\n").hides("$6$")
		if user := accountOf(t, databaseURL, "ana"); user.Role != models.RoleAdmin || !strings.HasPrefix(user.PasswordHash, "$6$") {
			t.Errorf("got %+v", user)
		}
		if user := accountOf(t, databaseURL, "admin"); user.Role != models.RoleUser || user.Status() != models.StatusInvited {
			t.Errorf("got %+v", user)
		}
		command(t, e, "", append([]string{"import", file}, flags...)...).exits(exitFailed).
			complains("latchkey: line 2 (ana): email: There is already an account with this email address.\n", "line 2 (ana): username: This username is taken.")
	})
}

// TestImportRefused checks the one sentence for files that cannot be read, and wrong
// use.
func TestImportRefused(t *testing.T) {
	e, dir := newEnvironment(t, "sqlite:"+filepath.Join(t.TempDir(), "latchkey.db")), t.TempDir()
	command(t, e, "", "import", dir).exits(exitFailed).oneLine().complains("this is a directory: name a file")
	command(t, e, "", "import", filepath.Join(dir, "none.csv")).exits(exitFailed).oneLine().complains("none.csv: no such file or directory")
	command(t, e, "", "import", "-").exits(exitFailed).oneLine().complains("standard input: the file is empty")
	command(t, e, "user;mail\n", "import", "-").exits(exitFailed).oneLine().complains("standard input: line 1: separate the columns with commas")
	command(t, e, "username\n", "import", "-").exits(exitFailed).oneLine().complains("there are no accounts in the file")
	command(t, e, "", "import", "-", "--format=xml").exits(exitUsage)
	command(t, e, "", "import").exits(exitUsage)
	command(t, e, "password_hash,username\nana,$2b$04$5saCYaM0l4ISAkY\n", "import", "-").exits(exitFailed).complains("line 2 (…): username: ").hides("$2b$")
	many := "username,password_hash\n"
	for i := range 30 {
		many += fmt.Sprintf("\"\x1b[31m%d\",x\n", i)
	}
	o := command(t, e, many, "import", "-").exits(exitFailed).complains(`line 2 ("\x1b[31m0"): username: `, "latchkey: 40 more problems not shown\n")
	if lines := strings.Count(o.stderr, "\n"); lines > 23 || strings.Contains(o.stderr, "\x1b") {
		t.Errorf("prints %d lines, or an escape:\n%q", lines, o.stderr)
	}
}
