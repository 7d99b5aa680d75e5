package models_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// crowd makes n accounts whose instants often coincide, in groups of all sizes.
func crowd(n int) []models.User {
	random := rand.New(rand.NewPCG(1, 2))
	firsts := []string{"Maria", "Martin", "Ümit", "Žofia", "Olga", "Mary", "Anna", "Noah", "MARK", ""}
	lasts := []string{"Smith", "O'Brien", "Özdemir", "Ma Ria", `100% "Bob_\`, "van Dijk", "山田太郎", "NOT AND"}
	users := make([]models.User, n)
	for i := range users {
		initial := string("aammmmzü"[random.IntN(7)])
		name := strings.TrimSpace(firsts[random.IntN(len(firsts))] + " " + lasts[random.IntN(len(lasts))])
		user := models.User{
			ID: fmt.Sprintf("%026d", 0), Username: fmt.Sprintf("%s%c.%d", initial, 'a'+rune(random.IntN(26)), i),
			Email: fmt.Sprintf("%c%s%d@Example.org", "amMzu"[random.IntN(5)], initial, i), FullName: name,
			Role: models.RoleUser, CreatedAt: models.Time(1 + random.IntN(n/2)),
		}
		user.ID, user.EmailFolded = models.NewID(), models.FoldEmail(user.Email)
		if random.IntN(3) > 0 {
			user.LastSignInAt = models.Time(1 + random.IntN(20))
		}
		if random.IntN(8) == 0 {
			user.DisabledAt = 7
		}
		if random.IntN(50) == 0 {
			user.Role = models.RoleAdmin
		}
		users[i] = user
	}
	return users
}

func addCrowd(t *testing.T, store *models.Store, n int) []models.User {
	t.Helper()
	users := crowd(n)
	must(t, store.InTx(t.Context(), func(tx *models.Store) error {
		for _, user := range users {
			if err := tx.Users.Create(t.Context(), &user); err != nil {
				return err
			}
		}
		return nil
	}))
	return users
}

// folding returns how the database at hand folds names.
func folding(t *testing.T, store *models.Store) func(string) string {
	t.Helper()
	if store.Dialect() == "sqlite" {
		return strings.ToLower
	}
	var folded string
	must(t, store.SQL().QueryRowContext(t.Context(), "SELECT lower('Ü')").Scan(&folded))
	if folded == "ü" {
		return strings.ToLower
	}
	return func(s string) string { // the locale C knows the letters of English
		return strings.Map(func(r rune) rune {
			if r < utf8.RuneSelf {
				r = []rune(strings.ToLower(string(r)))[0]
			}
			return r
		}, s)
	}
}

// expect returns the ids that a query should list, on all pages.
func expect(users []models.User, query models.UserQuery, fold func(string) string) []string {
	q := strings.ToLower(query.Q)
	var found []models.User
	for _, user := range users {
		matches := strings.HasPrefix(user.Username, q) || strings.HasPrefix(user.EmailFolded, q) || user.ID == q ||
			utf8.RuneCountInString(query.Q) >= 3 && strings.Contains(fold(user.FullName), fold(query.Q))
		if matches && (query.Role == "" || query.Role == user.Role) &&
			(query.Status == "" || user.Disabled() == (query.Status == models.StatusDisabled)) {
			found = append(found, user)
		}
	}
	slices.SortFunc(found, func(a, b models.User) int {
		byName := cmp.Compare(a.Username, b.Username)
		order := map[models.UserSort]int{
			"": byName, models.SortUsername: byName, models.SortEmail: cmp.Compare(a.EmailFolded, b.EmailFolded),
			models.SortCreated:    cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), byName),
			models.SortLastSignIn: cmp.Or(cmp.Compare(a.LastSignInAt, b.LastSignInAt), cmp.Compare(a.CreatedAt, b.CreatedAt), byName),
		}[query.Sort]
		if query.Desc {
			return -order
		}
		return order
	})
	ids := make([]string, len(found))
	for i, user := range found {
		ids[i] = user.ID
	}
	return ids
}

type lister func(context.Context, models.UserQuery) (models.UserPage, error)

// leaf turns all pages of a query, forwards and back, and reports what is not
// as it should be.
func leaf(t *testing.T, list lister, query models.UserQuery, want []string, counted int) {
	t.Helper()
	var forwards, backwards []string
	turn := func() models.UserPage {
		page, err := list(t.Context(), query)
		if err != nil {
			t.Fatalf("%+v: %v", query, err)
		}
		if page.Count != min(len(want), counted) || page.More != (len(want) > counted) {
			t.Errorf("%+v: count %d, more %t, want %d", query, page.Count, page.More, len(want))
		}
		return page
	}
	page := turn()
	forwards = append(forwards, ids(page)...)
	if page.Prev != "" {
		t.Errorf("%+v: the first page has one in front", query)
	}
	for page.Next != "" && len(forwards) <= len(want) {
		query.After = page.Next
		page = turn()
		forwards = append(forwards, ids(page)...)
	}
	last := ids(page)
	for page.Prev != "" && len(backwards) <= len(want) {
		query.After, query.Before = "", page.Prev
		page = turn()
		backwards = append(ids(page), backwards...)
		if page.Next == "" {
			t.Errorf("%+v: a page in front of another has none after it", query)
		}
	}
	if diff := gocmp.Diff(want, forwards, gocmp.Transformer("nil", func(s []string) string { return strings.Join(s, "\n") })); diff != "" {
		t.Errorf("%+v forwards (-want +got):\n%s", query, diff)
	}
	if got := append(backwards, last...); !slices.Equal(got, want) {
		t.Errorf("%+v backwards: got %d users, want %d, or not in this order", query, len(got), len(want))
	}
}

func ids(page models.UserPage) []string {
	var ids []string
	for _, row := range page.Users {
		ids = append(ids, row.ID)
	}
	return ids
}

func TestListIsWhatAModelSays(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		users := addCrowd(t, store, 400)
		fold := folding(t, store)
		ways := []struct {
			name          string
			counted, walk int
		}{
			{"few are gathered", 10_000, 10_000},
			{"many are walked", 20, 10_000},
			{"far ones are gathered", 20, 5},
		}
		for _, way := range ways {
			list := func(ctx context.Context, query models.UserQuery) (models.UserPage, error) {
				return store.Users.ListWithin(ctx, query, way.counted, way.walk)
			}
			t.Run(way.name, func(t *testing.T) {
				eachQuery(users, func(query models.UserQuery) {
					want := expect(users, query, fold)
					if way.counted == 10_000 || len(want) > way.counted {
						leaf(t, list, query, want, way.counted)
					}
				})
			})
		}
	})
}

// eachQuery calls f with every order and filter, and many searches.
func eachQuery(users []models.User, f func(models.UserQuery)) {
	searches := []string{"", "m", "ma", "MA", "mar", "aria", "Ümit", "山田太郎", "o'b", `100% "bob_\`, "___", "not and", "zzz", "a ri", users[9].ID, users[5].Username}
	for _, q := range searches {
		for _, sort := range []models.UserSort{models.SortUsername, models.SortEmail, models.SortCreated, models.SortLastSignIn} {
			for _, desc := range []bool{false, true} {
				for _, status := range []models.UserStatus{"", models.StatusActive, models.StatusDisabled} {
					for _, role := range []models.Role{"", models.RoleUser, models.RoleAdmin} {
						f(models.UserQuery{Q: q, Sort: sort, Desc: desc, Status: status, Role: role, Limit: 40})
					}
				}
			}
		}
	}
}

func TestSearchFindsNamesWithoutCase(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		names := []string{"Ümit Yılmaz", "Žofia Nováková", "山田太郎", "Дмитрий", "John O'Neil-Smith"}
		for i, name := range names {
			user := crowd(10)[i]
			user.FullName = name
			must(t, store.Users.Create(t.Context(), &user))
		}
		everyLetter := folding(t, store)("Ž") == "ž"
		tests := []struct {
			q     string
			want  string
			ascii bool // found without knowing letters beyond ASCII
		}{
			{"Ümit", "Ümit Yılmaz", true},
			{"ümit", "Ümit Yılmaz", false},
			{"žOFIA", "Žofia Nováková", false},
			{"nováková", "Žofia Nováková", true},
			{"novakova", "", true}, // accents count
			{"山田太", "山田太郎", true},
			{"田太郎", "山田太郎", true},
			{"山田", "", true}, // two code points are no search of names
			{"дмит", "Дмитрий", false},
			{"NEIL-SMITH", "John O'Neil-Smith", true},
			{"l-s", "John O'Neil-Smith", true},
			{"l s", "", true}, // a space is not a mark
			{"neil*", "", true},
			{`neil" OR "ohn`, "", true},
			{"n_il", "", true},
		}
		for _, test := range tests {
			if !test.ascii && !everyLetter {
				test.want = ""
			}
			page, err := store.Users.List(t.Context(), models.UserQuery{Q: test.q})
			if err != nil {
				t.Errorf("%q: %v", test.q, err)
				continue
			}
			got := ""
			for _, row := range page.Users {
				got += row.FullName
			}
			if got != test.want {
				t.Errorf("%q finds %q, want %q", test.q, got, test.want)
			}
		}
	})
}

func TestSearchKnowsChangedNames(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		found := func(q string) int {
			t.Helper()
			page, err := store.Users.List(t.Context(), models.UserQuery{Q: q})
			must(t, err)
			return page.Count
		}
		ann, bob := addUser(t, store, "ann"), addUser(t, store, "bob")
		must(t, store.Users.SetProfile(t.Context(), ann.ID, "ann", "Zebra Crossing", epoch))
		if got := found("the ann"); got != 0 {
			t.Errorf("the old name finds %d users, want 0", got)
		}
		if got := found("bra cro"); got != 1 {
			t.Errorf("the new name finds %d users, want 1", got)
		}
		must(t, store.Users.Delete(t.Context(), bob.ID))
		if got := found("the bob"); got != 0 {
			t.Errorf("a deleted user's name finds %d users, want 0", got)
		}
	})
}

func TestListCountsLiveSessions(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ann, bob := addUser(t, store, "ann"), addUser(t, store, "bob")
		now := models.At(epoch)
		addSession(t, store, ann, nil)
		addSession(t, store, ann, nil)
		addSession(t, store, ann, func(s *models.Session) { s.EndedAt = now })
		addSession(t, store, ann, func(s *models.Session) { s.ExpiresAt = now })
		addSession(t, store, ann, func(s *models.Session) { s.LastSeenAt = now.Add(-time.Hour) })
		page, err := store.Users.List(t.Context(), models.UserQuery{Now: epoch})
		must(t, err)
		got := map[string]int{}
		for _, row := range page.Users {
			got[row.ID] = row.Sessions
		}
		if diff := gocmp.Diff(map[string]int{ann.ID: 2, bob.ID: 0}, got); diff != "" {
			t.Errorf("sessions (-want +got):\n%s", diff)
		}
	})
}

func TestListRefusesWhatNoPageSends(t *testing.T) {
	cursor := func(parts ...string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "\x00")))
	}
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		tests := []struct {
			name  string
			query models.UserQuery
		}{
			{"order", models.UserQuery{Sort: "password_hash"}},
			{"status", models.UserQuery{Status: "gone"}},
			{"role", models.UserQuery{Role: "root"}},
			{"limit", models.UserQuery{Limit: 101}},
			{"negative limit", models.UserQuery{Limit: -1}},
			{"both cursors", models.UserQuery{After: cursor("u", "a"), Before: cursor("u", "a")}},
			{"not base64", models.UserQuery{After: "%"}},
			{"padded", models.UserQuery{After: cursor("u", "ab") + "="}},
			{"of another order", models.UserQuery{Before: cursor("e", "a")}},
			{"of the same order the other way", models.UserQuery{Desc: true, After: cursor("u", "a")}},
			{"of the other way", models.UserQuery{Before: cursor("U", "a")}},
			{"too short", models.UserQuery{After: cursor("u")}},
			{"too long", models.UserQuery{After: cursor("u", strings.Repeat("a", 2000))}},
			{"NUL", models.UserQuery{After: cursor("u", "a", "b")}},
			{"not UTF-8", models.UserQuery{After: cursor("u", "\xff")}},
			{"no number", models.UserQuery{Sort: models.SortCreated, After: cursor("c", "x", "a")}},
			{"a number too large", models.UserQuery{Sort: models.SortCreated, After: cursor("c", "9223372036854775808", "a")}},
			{"search with NUL", models.UserQuery{Q: "a\x00"}},
			{"search that is not UTF-8", models.UserQuery{Q: "\xff"}},
			{"search without end", models.UserQuery{Q: strings.Repeat("a", 257)}},
		}
		for _, test := range tests {
			_, err := store.Users.List(t.Context(), test.query)
			wantKind(t, test.name, err, apperr.Malformed)
		}
	})
}
