package models_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestByNameFolds checks that a username is found in capitals and in compatibility
// forms of its letters, and never by letters that only look like them.
func TestByNameFolds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		addUser(t, store, "istanbul")
		addUser(t, store, "kate.1")
		for _, name := range []string{"istanbul", "ISTANBUL", "Istanbul", "KATE.1", "\u212aate.1", "\uff4bate.1"} {
			if _, err := store.Users.ByName(ctx, name); err != nil {
				t.Errorf("name %q: %v", name, err)
			}
		}
		for _, name := range []string{"İstanbul", "İSTANBUL", "ıstanbul", "k\u0430te.1"} {
			_, err := store.Users.ByName(ctx, name)
			wantKind(t, fmt.Sprintf("name %q", name), err, apperr.NotFound)
		}
	})
}

func TestUsers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada := addUser(t, store, "ada")
		for name, find := range map[string]func() (*models.User, error){
			"id":               func() (*models.User, error) { return store.Users.ByID(ctx, ada.ID) },
			"username":         func() (*models.User, error) { return store.Users.ByUsername(ctx, "ada") },
			"email":            func() (*models.User, error) { return store.Users.ByEmail(ctx, "ADA@example.ORG") },
			"name, a username": func() (*models.User, error) { return store.Users.ByName(ctx, "Ada") },
			"name, an address": func() (*models.User, error) { return store.Users.ByName(ctx, "ada@EXAMPLE.org") },
			"lock":             func() (*models.User, error) { return store.Users.Lock(ctx, ada.ID) },
		} {
			got, err := find()
			if diff := cmp.Diff(ada, got); diff != "" || err != nil {
				t.Errorf("%s (%v, -want +got):\n%s", name, err, diff)
			}
		}
		for _, name := range []string{"", "@", "a%", "_da", "%@%"} {
			_, err := store.Users.ByName(ctx, name)
			wantKind(t, fmt.Sprintf("name %q", name), err, apperr.NotFound)
		}
		later := epoch.Add(time.Hour)
		renamed := *ada
		renamed.Username, renamed.FullName, renamed.Email, renamed.EmailFolded = "ada2", "Ada L.", "Ada2@Example.org", "ada2@example.org"
		must(t, store.Users.SetNames(ctx, &renamed, later))
		must(t, store.Users.SetPassword(ctx, ada.ID, "new hash", later))
		for old, want := range map[string]bool{"not the hash": false, "new hash": true} {
			if done, err := store.Users.Rehash(ctx, ada.ID, old, "strong hash"); err != nil || done != want {
				t.Errorf("rehash of %q: done %t, %v", old, done, err)
			}
		}
		must(t, store.Users.SetRole(ctx, ada.ID, models.RoleAdmin, later))
		must(t, store.Users.MarkReplayed(ctx, ada.ID, later))
		want := *ada
		want.Username, want.FullName, want.Email, want.EmailFolded = "ada2", "Ada L.", "Ada2@Example.org", "ada2@example.org"
		want.PasswordHash, want.PasswordChangedAt, want.Role = "strong hash", models.At(later), models.RoleAdmin
		want.UpdatedAt, want.ReplayedAt = models.At(later), models.At(later)
		got, err := store.Users.ByID(ctx, ada.ID)
		if diff := cmp.Diff(&want, got); diff != "" || err != nil {
			t.Errorf("changed (%v, -want +got):\n%s", err, diff)
		}
		want.LastSignInAt = models.At(later)
		must(t, store.Users.SignedIn(ctx, ada.ID, later))
		got, err = store.Users.ByID(ctx, ada.ID)
		if diff := cmp.Diff(&want, got); diff != "" || err != nil {
			t.Errorf("signed in (%v, -want +got):\n%s", err, diff)
		}
		must(t, store.Users.MarkTold(ctx, ada.ID))
		must(t, store.Users.Disable(ctx, ada.ID, "why", later))
		if got, err = store.Users.ByID(ctx, ada.ID); err != nil || !got.Disabled() || got.DisabledReason != "why" || !got.ReplayedAt.IsZero() || got.LastSignInAt != models.At(later) {
			t.Errorf("disabled: %+v (%v)", got, err)
		}
		must(t, store.Users.Enable(ctx, ada.ID, later))
		if got, err = store.Users.ByID(ctx, ada.ID); err != nil || got.Disabled() || got.DisabledReason != "" {
			t.Errorf("enabled: %+v (%v)", got, err)
		}
	})
}

func TestUserCounts(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		if exists, err := store.Users.AdminExists(ctx); exists || err != nil {
			t.Errorf("an admin in an empty database (%v)", err)
		}
		ada, bob, carol := addUser(t, store, "ada"), addUser(t, store, "bob"), addUser(t, store, "carol")
		must(t, store.Users.SetRole(ctx, ada.ID, models.RoleAdmin, epoch))
		must(t, store.Users.SetRole(ctx, bob.ID, models.RoleAdmin, epoch))
		must(t, store.Users.Disable(ctx, bob.ID, "", epoch))
		if ids, err := store.Users.LockActiveAdmins(ctx); err != nil || fmt.Sprint(ids) != fmt.Sprint([]string{ada.ID}) {
			t.Errorf("active admins %v (%v), want ada", ids, err)
		}
		if got, err := store.Users.CountActiveAdmins(ctx); got != 1 || err != nil {
			t.Errorf("%d active admins (%v), want 1", got, err)
		}
		for name, disabled := range map[string]models.Time{"waiting": 0, "gone": models.At(epoch)} {
			guest := models.User{ID: models.NewID(), Username: name, Email: name + "@example.org", Role: models.RoleUser, DisabledAt: disabled}
			must(t, store.Users.Create(ctx, &guest))
		}
		if got, err := store.Users.CountInvited(ctx); got != 1 || err != nil {
			t.Errorf("%d invited users (%v), want 1", got, err)
		}
		got, err := store.Users.Figures(ctx)
		if diff := cmp.Diff(models.UserFigures{Total: 5, Disabled: 2, Admins: 2}, got); diff != "" || err != nil {
			t.Errorf("figures (%v, -want +got):\n%s", err, diff)
		}
		must(t, store.Users.Disable(ctx, ada.ID, "", epoch))
		if exists, err := store.Users.AdminExists(ctx); !exists || err != nil {
			t.Errorf("disabled admins do not count (%v)", err)
		}
		nobody := models.NewID()
		named, err := store.Users.Named(ctx, []string{ada.ID, nobody, carol.ID})
		want := map[string]*models.User{}
		for user, disabled := range map[*models.User]models.Time{ada: models.At(epoch), carol: 0} {
			want[user.ID] = &models.User{ID: user.ID, Username: user.Username, Email: user.Email, FullName: user.FullName, DisabledAt: disabled}
		}
		if diff := cmp.Diff(want, named); diff != "" || err != nil {
			t.Errorf("named (%v, -want +got):\n%s", err, diff)
		}
	})
}

// TestDeleteCascades checks that deleting an account deletes all its rows except its
// lines in the audit log and its denials.
func TestDeleteCascades(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada, bob := addUser(t, store, "ada"), addUser(t, store, "bob")
		for _, user := range []*models.User{ada, bob} {
			session := addSession(t, store, user, nil)
			must(t, store.Denylist.Deny(ctx, session.ID, user.ID, models.ReasonDeleted, epoch))
			must(t, store.Devices.Remember(ctx, "device", user.ID, "Firefox", epoch))
			must(t, store.Tokens.Create(ctx, &models.OneTimeToken{TokenHash: user.ID, Purpose: models.PurposeSetPassword, UserID: &user.ID, ExpiresAt: 1}))
			must(t, store.Audit.Append(ctx, models.Event{At: 1, Action: "x", SubjectID: user.ID}))
		}
		must(t, store.Users.Delete(ctx, ada.ID))
		for table, want := range map[string]int{
			"users": 1, "sessions": 1, "known_devices": 1, "one_time_tokens": 1, "denylist": 2, "audit_events": 2,
		} {
			if got := len(strs(t, store, "SELECT 'x' FROM "+table)); got != want {
				t.Errorf("%s has %d rows, want %d", table, got, want)
			}
		}
	})
}

func TestOneTimeTokens(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada, bob := addUser(t, store, "ada"), addUser(t, store, "bob")
		add := func(token string, purpose models.Purpose, user *models.User) {
			t.Helper()
			row := &models.OneTimeToken{
				TokenHash: models.HashToken(token), Purpose: purpose, CreatedAt: models.At(epoch), ExpiresAt: models.At(epoch.Add(time.Hour)),
			}
			if user != nil {
				row.UserID = &user.ID
			}
			must(t, store.Tokens.Create(ctx, row))
		}
		use := func(token string, purpose models.Purpose, now time.Time, want bool) {
			t.Helper()
			if used, err := store.Tokens.Use(ctx, token, purpose, now); used != want || err != nil {
				t.Errorf("use %s as %s: %v (%v), want %v", token, purpose, used, err, want)
			}
		}
		add("one", models.PurposeSetPassword, ada)
		add("two", models.PurposeSetPassword, ada)
		add("bobs", models.PurposeSetPassword, bob)
		add("setup", models.PurposeSetup, nil)
		use("one", models.PurposeSetup, epoch, false)
		use("setup", models.PurposeSetPassword, epoch, false)
		use(models.HashToken("one"), models.PurposeSetPassword, epoch, false)
		use("", models.PurposeSetPassword, epoch, false)
		use("one", models.PurposeSetPassword, epoch.Add(time.Hour), false)
		use("one", models.PurposeSetPassword, epoch.Add(time.Hour-time.Microsecond), true)
		use("one", models.PurposeSetPassword, epoch, false)
		must(t, store.Tokens.ReplaceFor(ctx, ada.ID, models.PurposeSetPassword, epoch))
		use("two", models.PurposeSetPassword, epoch, false)
		use("bobs", models.PurposeSetPassword, epoch, true)
		must(t, store.Tokens.LockSetup(ctx))
		must(t, store.Tokens.EndSetup(ctx, epoch))
		use("setup", models.PurposeSetup, epoch, false)
		if row, err := store.Tokens.ByToken(ctx, "two", models.PurposeSetPassword); err != nil || row.ReplacedAt != models.At(epoch) || *row.UserID != ada.ID {
			t.Errorf("a replaced token: %+v (%v)", row, err)
		}
		for _, hash := range strs(t, store, "SELECT token_hash FROM one_time_tokens") {
			if len(hash) != 64 || strings.Contains("one two bobs setup", hash) {
				t.Errorf("a token is kept as %q", hash)
			}
		}
		if n, err := store.Tokens.Purge(ctx, epoch.Add(time.Hour), 10); n != 0 || err != nil {
			t.Errorf("purged %d early (%v)", n, err)
		}
		if n, err := store.Tokens.Purge(ctx, epoch.Add(2*time.Hour), 3); n != 3 || err != nil {
			t.Errorf("purged %d (%v), want 3", n, err)
		}
	})
}

func TestOneTimeTokenOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ada := addUser(t, store, "ada")
		must(t, store.Tokens.Create(t.Context(), &models.OneTimeToken{
			TokenHash: models.HashToken("once"), Purpose: models.PurposeSetPassword, UserID: &ada.ID, ExpiresAt: models.At(epoch.Add(time.Hour)),
		}))
		var won atomic.Int64
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				used, err := store.Tokens.Use(t.Context(), "once", models.PurposeSetPassword, epoch)
				if err != nil {
					t.Errorf("use: %v", err)
				}
				if used {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if got := won.Load(); got != 1 {
			t.Errorf("a token was used %d times, want once", got)
		}
	})
}

func TestDevices(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		ada, bob := addUser(t, store, "ada"), addUser(t, store, "bob")
		known := func(device string, user *models.User, want bool) {
			t.Helper()
			if got, err := store.Devices.Known(ctx, device, user.ID); got != want || err != nil {
				t.Errorf("%s of %s: known %v (%v), want %v", device, user.Username, got, err, want)
			}
		}
		must(t, store.Devices.Remember(ctx, "shared", ada.ID, "Firefox", epoch))
		known("shared", ada, true)
		known("shared", bob, false)
		known("", ada, false)
		for user, want := range map[*models.User]bool{ada: true, bob: false} {
			if renewed, err := store.Devices.Renew(ctx, "shared", user.ID, "Firefox", epoch.Add(time.Hour)); renewed != want || err != nil {
				t.Errorf("renewed the device of %s: %v (%v), want %v", user.Username, renewed, err, want)
			}
		}
		must(t, store.Devices.Remember(ctx, "shared", bob.ID, "Firefox", epoch))
		if n, err := store.Devices.Purge(ctx, epoch.Add(time.Minute), 10); n != 1 || err != nil {
			t.Errorf("purged %d (%v), want 1", n, err)
		}
		known("shared", ada, true)
		known("shared", bob, false)
	})
}

// TestHome counts only live sessions and lists the latest five events about
// the person.
func TestHome(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx, now := t.Context(), epoch.Add(time.Minute)
		ada, bob := addUser(t, store, "ada"), addUser(t, store, "bob")
		addSession(t, store, ada, nil)
		check := func(sessions int, actions ...string) {
			t.Helper()
			home, err := store.Users.Home(ctx, ada.ID, now)
			must(t, err)
			var got []string
			for _, e := range home.Events {
				got = append(got, e.Action)
			}
			if home.Sessions != sessions || fmt.Sprint(got) != fmt.Sprint(actions) || home.PasswordChangedAt != ada.PasswordChangedAt {
				t.Errorf("%d sessions, %v, password of %v; want %d, %v, %v",
					home.Sessions, got, home.PasswordChangedAt, sessions, actions, ada.PasswordChangedAt)
			}
		}
		check(1)
		addSession(t, store, ada, nil)
		addSession(t, store, bob, nil)
		addSession(t, store, ada, func(s *models.Session) { s.IdleTTL = 1 })
		addSession(t, store, ada, func(s *models.Session) { s.ExpiresAt = models.At(epoch) })
		addSession(t, store, ada, func(s *models.Session) { s.EndedAt = 1 })
		check(2)
		for i := range 7 {
			must(t, store.Audit.Append(ctx, models.Event{At: models.Time(i), Action: fmt.Sprint("a", i), SubjectID: ada.ID, ActorID: bob.ID}))
		}
		must(t, store.Audit.Append(ctx, models.Event{At: 99, Action: "other", SubjectID: bob.ID, ActorID: ada.ID}))
		check(2, "a6", "a5", "a4", "a3", "a2")
		if _, err := store.Users.Home(ctx, models.NewID(), now); !errors.Is(err, apperr.NotFound) {
			t.Errorf("of no user: %v", err)
		}
	})
}
