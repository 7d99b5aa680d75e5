package main

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/auth/password"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// accountOf reads an account from the database.
// withStore runs f on a database.
func withStore(t *testing.T, databaseURL string, f func(store *models.Store)) {
	t.Helper()
	store, err := models.Open(t.Context(), models.Options{URL: databaseURL, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	f(store)
}

func accountOf(t *testing.T, databaseURL, name string) (user *models.User) {
	t.Helper()
	withStore(t, databaseURL, func(store *models.Store) {
		var err error
		if user, err = store.Users.ByName(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	})
	return user
}

func fits(t *testing.T, hash, word string) bool {
	t.Helper()
	ok, _, err := password.NewHasher(password.HasherOptions{}).Verify(context.Background(), hash, word)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// TestAdminCreate creates admins with a password from standard input and with a
// reset link.
func TestAdminCreate(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e := newEnvironment(t, databaseURL)
		// One newline at the end is not part of the password; a second one is.
		for name, word := range map[string]string{"ana": secretWord, "bo": secretWord, "cy": secretWord + "\n", "di": " " + secretWord + " "} {
			stdin := word + "\n"
			if name == "bo" {
				stdin = word
			}
			o := command(t, e, stdin, "admin", "create", "--username="+name, "--email="+name+"@example.org", "--name=A B", "--password-stdin").
				exits(exitDone).prints("Created admin " + name + " <" + name + "@example.org>.").hides(secretWord)
			if strings.Contains(o.stdout, "/reset") {
				t.Errorf("prints a link although there is a password:\n%s", o.stdout)
			}
			user := accountOf(t, databaseURL, name)
			if user.Role != models.RoleAdmin || user.FullName != "A B" || !fits(t, user.PasswordHash, word) {
				t.Errorf("%s: got %+v", name, user)
			}
		}
		o := command(t, e, "", "admin", "create", "--username=ed", "--email=ed@example.org").exits(exitDone).
			prints("Created admin ed <ed@example.org>.", "Set the password with this reset link. It works once, within 24 hours:")
		link := regexp.MustCompile(`(?m)^http://localhost:\d+/reset\?token=[A-Za-z0-9_-]{43}$`)
		if !link.MatchString(o.stdout) {
			t.Errorf("prints no link:\n%s", o.stdout)
		}
		if user := accountOf(t, databaseURL, "ed"); user.PasswordHash != "" {
			t.Error("the account has a password already")
		}
	})
}

// TestReadPassword checks that exactly one newline is removed, and nothing else.
func TestReadPassword(t *testing.T) {
	for _, test := range []struct{ stdin, want string }{
		{"word", "word"},
		{"word\n", "word"},
		{"word\r\n", "word"},
		{"word\r", "word\r"},
		{"word\n\n", "word\n"},
		{"word\r\r\n", "word\r"},
		{" word \n", " word "},
	} {
		if got, err := readPassword(strings.NewReader(test.stdin)); err != nil || got != test.want {
			t.Errorf("%q: got %q, %v, want %q", test.stdin, got, err, test.want)
		}
	}
}

// TestCreateRefused checks that errors name the flags to change, one per line.
func TestCreateRefused(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e := newEnvironment(t, databaseURL)
		command(t, e, "short\n", "admin", "create", "--username=a", "--email=nothing", "--name=a\nb", "--password-stdin").exits(exitFailed).complains(
			"latchkey: --username: Use 2 to 32 characters.\n", "latchkey: --email: Enter an email address like name@example.com.\n",
			"latchkey: --name: A name cannot contain", "latchkey: --password-stdin: Password must be at least 12 characters. Yours has 5.\n").hides("short")
		command(t, e, "", "user", "create", "--username=ana", "--email=ana@example.org").exits(exitDone).prints("Created user ana")
		// The shell may use reserved names.
		command(t, e, "", "admin", "create", "--username=Admin", "--email=admin@example.org").exits(exitDone).prints("Created admin admin")
		command(t, e, "", "user", "create", "--username=ANA", "--email=ANA@example.org", "--role=admin").exits(exitFailed).
			complains("--username: This username is taken. Choose another.", "--email: There is already an account with this email address.")
		command(t, e, strings.Repeat("x", 3000), "user", "create", "--username=bo", "--email=bo@example.org", "--password-stdin").exits(exitFailed).
			complains("--password-stdin: Password must be at most 256 characters.")
	})
}

// TestUserCommands runs every user command.
func TestUserCommands(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e := newEnvironment(t, databaseURL)
		do := func(args ...string) *outcome {
			t.Helper()
			return command(t, e, "", append([]string{"user"}, args...)...)
		}
		do("list").exits(exitDone).prints("USERNAME")
		do("create", "--username=ana", "--email=Ana@example.org", "--name=Ana Silva").exits(exitDone)
		do("create", "--username=bo", "--email=bo@example.org", "--role=admin").exits(exitDone)
		id := accountOf(t, databaseURL, "ana").ID

		list := do("list").exits(exitDone).prints("ana", "Ana@example.org", "Ana Silva", "user", "invited", "never", id, "bo", "admin")
		if got := strings.Count(list.stdout, "\n"); got != 3 {
			t.Errorf("got %d lines, want a header and 2 accounts:\n%s", got, list.stdout)
		}
		for _, filter := range []string{"--role=admin", "-qbo", "--search=bo@"} {
			if o := do("list", filter).exits(exitDone).prints("bo@example.org"); strings.Contains(o.stdout, "Ana") {
				t.Errorf("%s lists others:\n%s", filter, o.stdout)
			}
		}
		do("list", "--status=invited").prints("ana", "bo")
		if o := do("list", "--status=active"); strings.Contains(o.stdout, "@") {
			t.Errorf("people without a password are listed as active:\n%s", o.stdout)
		}
		for _, name := range []string{"ana", "ANA", "ana@EXAMPLE.org", id} {
			do("show", name).exits(exitDone).prints("Username", "ana", "Ana@example.org", "Ana Silva", "invited", id, "Password set", "never")
		}
		do("show", "ana").prints("Email verified  no")
		do("reset-two-step", "ana").exits(exitFailed).complains("This account has no second step and no passkeys.")
		withStore(t, databaseURL, func(store *models.Store) {
			if err := store.Apps.Create(t.Context(), &models.AuthenticatorApp{ID: models.NewID(), UserID: id, Secret: "sealed"}); err != nil {
				t.Fatal(err)
			}
		})
		do("show", "ana").prints("Second step     authenticator app, 0 passkeys")
		do("reset-two-step", "ana").exits(exitDone).
			prints("The two-step sign-in of ana is reset: the password alone signs in now. Sessions ended: 0.")
		do("show", "ana").prints("Second step     no app, 0 passkeys")
		do("verify", "ana").exits(exitDone).prints("Ana@example.org is verified.")
		do("verify", "ana").exits(exitDone).prints("Ana@example.org was verified already.")
		if since := accountOf(t, databaseURL, "ana").EmailVerifiedAt; since.IsZero() {
			t.Error("the address is not verified")
		}
		do("show", "ana").prints("Email verified  20")
		if o := do("list", "-qana").prints("VERIFIED"); !regexp.MustCompile(`Ana@example\.org +yes `).MatchString(o.stdout) {
			t.Errorf("the list does not say that the address is verified:\n%s", o.stdout)
		}
		do("disable", "ana", "--reason", "left the team").exits(exitDone).
			prints("ana is disabled. Sessions ended: 0. All its sessions and tokens have stopped working.")
		do("show", "ana").prints("disabled", "left the team")
		do("list", "--status=disabled").prints("ana")
		do("reset-link", "ana").exits(exitFailed).oneLine().complains("This account is disabled. Enable it first.")
		do("disable", "ana").exits(exitDone)
		do("enable", "ana").exits(exitDone).prints("ana is enabled.")
		do("reset-link", id).exits(exitDone).prints("It works once, within 24 hours:", "/reset?token=")
		do("sign-out", "ana").exits(exitDone).prints("ana is signed out everywhere. Sessions ended: 0.")
		do("disable", "ana", "--reason", strings.Repeat("x", 501)).exits(exitFailed).oneLine().complains("latchkey: --reason: Use a reason of at most 500 characters.")

		// The last active admin cannot be disabled or demoted.
		for _, act := range []string{"disable", "demote"} {
			do(act, "bo").exits(exitFailed).oneLine().complains("This is the last active admin. Make someone else an admin first.")
		}
		do("promote", "ana").exits(exitDone).prints("ana is an admin.")
		do("demote", "bo").exits(exitDone).prints("bo is an ordinary user.")
		do("disable", "ana").exits(exitFailed)
		if user := accountOf(t, databaseURL, "ana"); user.Role != models.RoleAdmin || user.Disabled() {
			t.Errorf("got %+v", user)
		}
		for _, act := range []string{"show", "disable", "enable", "sign-out", "reset-link", "promote", "demote"} {
			do(act, "nobody").exits(exitFailed).oneLine().complains(`no account has the username, email address or id "nobody"`)
			do(act, "").exits(exitFailed)
			do(act, "1=1").exits(exitFailed)
		}
	})
}

// TestRestoreCommand checks that a deleted account is restored by any of its names,
// and the errors for one that cannot be.
func TestRestoreCommand(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		e := newEnvironment(t, databaseURL)
		command(t, e, "", "user", "create", "--username=ana", "--email=Ana@example.org").exits(exitDone)
		id := accountOf(t, databaseURL, "ana").ID
		for _, name := range []string{"ANA", "ana@EXAMPLE.org", id} {
			store, err := models.Open(t.Context(), models.Options{URL: databaseURL, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			err = store.InTx(t.Context(), func(tx *models.Store) error {
				return tx.DeletedUsers.Keep(t.Context(), id, time.Now(), time.Now().Add(time.Hour))
			})
			if err := errors.Join(err, store.Close()); err != nil {
				t.Fatal(err)
			}
			command(t, e, "", "user", "show", "ana").exits(exitFailed).oneLine().complains("no account has the username")
			command(t, e, "", "user", "restore", name).exits(exitDone).prints("ana is restored. Its sessions and access tokens do not come back.")
			if got := accountOf(t, databaseURL, "ana").ID; got != id {
				t.Errorf("got id %s, want %s", got, id)
			}
		}
		command(t, e, "", "user", "restore", "ana").exits(exitFailed).oneLine().complains(`no account that can be restored has the username, email address or id "ana"`)
	})
}
