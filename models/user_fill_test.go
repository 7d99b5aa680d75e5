package models_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestFillSearch checks that searches find accounts of an earlier release again after
// the start, even if several processes start at the same time, and that until then a
// search is marked as incomplete.
func TestFillSearch(t *testing.T) {
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		stores := []*models.Store{openAt(t, databaseURL, nil), openAt(t, databaseURL, nil)}
		must(t, stores[0].Migrate(t.Context()))
		const n = 500 // more than two transactions
		must(t, stores[0].InTx(t.Context(), func(tx *models.Store) error {
			for i := range n {
				unfill(t, tx, addUser(t, tx, fmt.Sprintf("user%d", i)), "")
			}
			return nil
		}))
		search := func() models.UserPage {
			page, err := stores[0].Users.List(t.Context(), models.UserQuery{Q: "user7"})
			must(t, err)
			return page
		}
		if page := search(); page.Count != 0 || !page.Incomplete {
			t.Errorf("before: %d users, incomplete %t; want 0, true", page.Count, page.Incomplete)
		}
		stopped, cancel := context.WithCancel(t.Context())
		cancel()
		if err := stores[0].Users.FillSearch(stopped); err == nil {
			t.Error("a canceled fill reports nothing")
		}
		if left, err := stores[0].Users.FillSome(t.Context()); left != 200 || err != nil {
			t.Errorf("one transaction prepares %d accounts (%v), want 200", left, err)
		}
		var both sync.WaitGroup // one that continues where the other stopped, and a second one
		for _, store := range stores {
			both.Go(func() {
				if err := store.Migrate(context.Background()); err != nil {
					t.Errorf("migrate: %v", err)
				}
			})
		}
		both.Wait()
		if page := search(); page.Count != 11 || page.Incomplete {
			t.Errorf("after: %d users, incomplete %t; want 11, false", page.Count, page.Incomplete)
		}
	})
}

func unfill(t *testing.T, store *models.Store, user *models.User, emailFolded string) {
	t.Helper()
	if emailFolded == "" {
		emailFolded = user.EmailFolded
	}
	must(t, store.Users.UnfillSearch(t.Context(), user.ID, emailFolded))
}

// TestFillFoldsAddresses checks that an address that an earlier release stored in
// another form is found in every spelling. If two accounts have the same address,
// both are kept, and the log names them.
func TestFillFoldsAddresses(t *testing.T) {
	const composed, decomposed = "jos\u00e9@example.org", "jose\u0301@example.org"
	testdb.EachURL(t, func(t *testing.T, databaseURL string) {
		var log bytes.Buffer
		store := openAt(t, databaseURL, slog.New(slog.NewTextHandler(&log, nil)))
		must(t, store.Migrate(t.Context()))
		add := func(name, email string) *models.User {
			user := &models.User{ID: models.NewID(), Username: name, Email: email, Role: models.RoleUser, CreatedAt: 1}
			user.EmailFolded = strings.ToLower(email)
			must(t, store.Users.Create(t.Context(), user))
			unfill(t, store, user, strings.ToLower(email))
			return user
		}
		alone := add("alone", "Zoe\u0308@Example.org")
		first := add("first", composed)
		must(t, store.Users.UnfillSearch(t.Context(), first.ID, composed))
		// The earlier release treated the second address as a different one.
		second := &models.User{ID: models.NewID(), Username: "second", Email: "x@example.org", Role: models.RoleUser, CreatedAt: 1}
		must(t, store.Users.Create(t.Context(), second))
		second.Email, second.EmailFolded = decomposed, decomposed
		must(t, store.Users.SetNames(t.Context(), second, epoch))
		unfill(t, store, second, decomposed)

		must(t, store.Migrate(t.Context()))
		for name, want := range map[string]string{
			"zoe\u0308@example.org": alone.ID, "ZO\u00cb@example.org": alone.ID, composed: first.ID, decomposed: first.ID, "second": second.ID,
		} {
			if user, err := store.Users.ByName(t.Context(), name); err != nil || user.ID != want {
				t.Errorf("%q does not find its account (%v)", name, err)
			}
		}
		for _, want := range []string{"two accounts have the same email address", "first=first", "second=second"} {
			if strings.Count(log.String(), want) != 1 {
				t.Errorf("the log says %q %d times, want once:\n%s", want, strings.Count(log.String(), want), &log)
			}
		}
		// A person whose address collides can still change their name.
		found, err := store.Users.ByName(t.Context(), "second")
		must(t, err)
		found.FullName = "Second"
		must(t, store.Users.SetNames(t.Context(), found, epoch))
	})
}

// TestFillLeavesNoAddressAlone checks that accounts without an address keep the value
// that stands for none, which matches no search.
func TestFillLeavesNoAddressAlone(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		for _, name := range []string{"ada", "bea"} {
			user := &models.User{ID: models.NewID(), Username: name, Role: models.RoleUser}
			must(t, store.Users.Create(t.Context(), user))
			unfill(t, store, user, user.EmailFolded)
		}
		must(t, store.Users.FillSearch(t.Context()))
		for _, name := range []string{"ada", "bea"} {
			user, err := store.Users.ByUsername(t.Context(), name)
			must(t, err)
			if user.Email != "" || user.EmailFolded != " "+user.ID {
				t.Errorf("%s: got address %q, compared as %q", name, user.Email, user.EmailFolded)
			}
			for _, typed := range []string{"", user.EmailFolded} {
				_, err := store.Users.ByEmail(t.Context(), typed)
				wantKind(t, "find by "+typed, err, apperr.NotFound)
			}
		}
	})
}
