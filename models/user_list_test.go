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

// crowd creates n accounts whose times often coincide, in groups of all sizes.
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
		if random.IntN(4) > 0 {
			user.PasswordChangedAt = 5
		}
		if random.IntN(50) == 0 {
			user.Role = models.RoleAdmin
		}
		users[i] = user
	}
	// Many users match "mar"; one has it as the username, one as the address.
	users[3].Username, users[7].Email, users[7].EmailFolded = "mar", "Mar", "mar"
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

// plainLetters writes the letters of crowd and of the searches in the way that
// searches compare them.
func plainLetters(text string) string {
	return strings.NewReplacer("ü", "u", "ž", "z", "ö", "o").Replace(strings.ToLower(text))
}

// rankOf returns how well a user matches a search: 0, when the username or the
// address is the search, 1, when all words are whole parts of them or of the
// name, 2; and false when the user does not match.
func rankOf(user models.User, search string, many bool) (rank int, found bool) {
	if user.ID == search {
		return 2, true
	}
	parts := append([]string{user.Username, user.Email}, strings.Fields(user.FullName)...)
	separators := func(r rune) bool { return strings.ContainsRune(".-_+@", r) }
	whole := true
	for _, word := range strings.Fields(plainLetters(search)) {
		contained, isPart := false, false
		for _, part := range parts {
			part = plainLetters(part)
			if utf8.RuneCountInString(word) < 3 {
				contained = contained || strings.HasPrefix(part, word)
			} else {
				contained = contained || strings.Contains(part, word)
			}
			isPart = isPart || slices.Contains(strings.FieldsFunc(part, separators), word)
		}
		if !contained {
			return 0, false
		}
		whole = whole && isPart
	}
	switch {
	case user.Username == strings.ToLower(search) || user.EmailFolded == strings.ToLower(search):
		return 0, true
	case whole && !many:
		return 1, true
	}
	return 2, true
}

// expect returns the ids that a query should list, on all pages.
func expect(users []models.User, query models.UserQuery, sorted int) []string {
	var found []models.User
	for _, user := range users {
		if _, matches := rankOf(user, query.Q, false); matches && (query.Role == "" || query.Role == user.Role) &&
			(query.Status == "" || query.Status == user.Status()) {
			found = append(found, user)
		}
	}
	many := len(found) > sorted
	slices.SortFunc(found, func(a, b models.User) int {
		var order int
		switch query.Sort {
		case models.SortEmail:
			order = cmp.Compare(a.EmailFolded, b.EmailFolded)
		case models.SortCreated:
			order = cmp.Compare(a.CreatedAt, b.CreatedAt)
		case models.SortLastSignIn:
			order = cmp.Compare(a.LastSignInAt, b.LastSignInAt)
		case models.SortMatch, "":
			rankA, _ := rankOf(a, query.Q, many)
			rankB, _ := rankOf(b, query.Q, many)
			order = cmp.Compare(rankA, rankB)
		}
		if order = cmp.Or(order, cmp.Compare(a.Username, b.Username)); query.Desc {
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

// leaf pages through a query, forwards and backwards, and reports every difference.
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
		t.Errorf("%+v: the first page has a previous page", query)
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
			t.Errorf("%+v: a page before another has no next page", query)
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
		users := addCrowd(t, store, 200)
		ways := []struct {
			name            string
			counted, sorted int
		}{
			{"all are counted and sorted", 10_000, 10_000},
			{"more than are counted", 20, 10_000},
			{"more than are sorted", 20, 20},
		}
		for _, way := range ways {
			list := func(ctx context.Context, query models.UserQuery) (models.UserPage, error) {
				return store.Users.ListWithin(ctx, query, way.counted, way.sorted)
			}
			t.Run(way.name, func(t *testing.T) {
				eachQuery(users, func(query models.UserQuery) {
					want := expect(users, query, way.sorted)
					if way.counted == 10_000 || len(want) > way.counted {
						leaf(t, list, query, want, way.counted)
					}
				})
			})
		}
	})
}

// eachQuery calls f with every search in every order. The filters take turns, so
// that each search is combined with each of them, and each order too.
func eachQuery(users []models.User, f func(models.UserQuery)) {
	searches := []string{
		"", "m", "ma", "MA", "mar", "aria", "Umit", "山田太郎", "o'b", `100% "bob_\`, "___", "not and", "zzz", "  ria\tMA ", "ia zof", "@example.org",
		users[9].ID, users[5].Username, strings.ToUpper(users[5].Email), users[5].Username[:4], "m smith example",
	}
	filters := []models.UserQuery{{}, {Status: models.StatusActive}, {Status: models.StatusDisabled, Role: models.RoleUser}, {Status: models.StatusInvited}, {Role: models.RoleAdmin}}
	turn := 0
	for _, q := range searches {
		for _, sort := range []models.UserSort{"", models.SortUsername, models.SortEmail, models.SortCreated, models.SortLastSignIn} {
			for _, desc := range []bool{false, true} {
				filter := filters[turn%len(filters)]
				f(models.UserQuery{Q: q, Sort: sort, Desc: desc, Status: filter.Status, Role: filter.Role, Limit: 40})
				turn++
			}
		}
		turn++
	}
}

// TestSearchForgives checks that searches find people despite case, accents, order and
// incomplete words.
func TestSearchForgives(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		for _, person := range [][3]string{
			{"carla.rossi4", "c.rossi@example.com", "Carla Rossi"},
			{"carla.rossi42", "carla42@example.org", "Carla Rossini"},
			{"mueller", "hans@muller.example", "Hans Müller"},
			{"soren-o", "soren@example.com", "Søren Ødegård Łukasiewicz"},
			{"weiss", "weiss@example.net", "Änne Weiß-Groß"},
			{"yamada", "taro@example.net", "山田太郎"},
			{"dmitry", "dmitry@example.net", "Дмитрий Йорк"},
			{"oneil", "john@example.net", "John O’Neil–Smith"},
			{"vicki", "vicki@example.net", "Vie\u0323\u0302t Nguyễn"},
			{"bots---old", "bots@example.net", "- * -"},
		} {
			user := models.User{ID: models.NewID(), Username: person[0], Email: person[1], FullName: person[2], Role: models.RoleUser, CreatedAt: 1}
			must(t, store.Users.Create(t.Context(), &user))
		}
		tests := []struct{ q, want string }{
			{"Rossi Carla", "carla.rossi4 carla.rossi42"},
			{"carla  rossi", "carla.rossi4 carla.rossi42"},
			{"\u00a0carla\u200b\trossi ", "carla.rossi4 carla.rossi42"},
			{"carla rossi4", "carla.rossi4 carla.rossi42"}, // the whole part first
			{"carla rossi42", "carla.rossi42"},
			{"carla.rossi42", "carla.rossi42"},
			{"rossini", "carla.rossi42"},
			{"muller", "mueller"},
			{"MÜLLER hans", "mueller"},
			{"mu\u0308ller", "mueller"},
			{"example.com", "carla.rossi4 soren-o"},
			{"EXAMPLE.COM carla", "carla.rossi4"},
			{"soren odegard lukasiewicz", "soren-o"},
			{"Weiss gross", "weiss"},
			{"weiß", "weiss"},
			{"WEIẞ", "weiss"},
			{"山田太", "yamada"},
			{"田太郎", "yamada"},
			{"山田", "yamada"}, // two characters begin a word of the name
			{"太郎", ""},
			{"дмит", "dmitry"},
			{"ДМИТРИЙ", "dmitry"},
			{"O'Neil", "oneil"},
			{"l-s", "oneil"},
			{"l q", ""}, // no word begins with q
			{"jo oneil", "oneil"},
			{"viet nguyen", "vicki"},
			{"Việt Nguyễn", "vicki"},
			{"ca", "carla.rossi4 carla.rossi42"},
			{"h m", "mueller"},
			{"neil*", ""},
			{`neil" OR "ohn`, ""},
			{"n_il", ""},
			{"%", ""},
			{"Rossi - Carla", "carla.rossi4 carla.rossi42"}, // a word of marks is ignored
			{"--- rossini", "carla.rossi42"},
			{"---", ""},
			{"- *", ""},
			{"bots---", "bots---old"},
		}
		for _, test := range tests {
			page, err := store.Users.List(t.Context(), models.UserQuery{Q: test.q})
			if err != nil {
				t.Errorf("%q: %v", test.q, err)
				continue
			}
			var got []string
			for _, row := range page.Users {
				got = append(got, row.Username)
			}
			if got := strings.Join(got, " "); got != test.want || page.Incomplete {
				t.Errorf("%q finds %q, want %q (incomplete %t)", test.q, got, test.want, page.Incomplete)
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
		ann.Username, ann.FullName, ann.Email, ann.EmailFolded = "anna", "Zebra Crossing", "new@example.net", "new@example.net"
		must(t, store.Users.SetNames(t.Context(), ann, epoch))
		for _, q := range []string{"the ann", "ann@example.org"} {
			if got := found(q); got != 0 {
				t.Errorf("%q, from before, finds %d users, want 0", q, got)
			}
		}
		for _, q := range []string{"bra cro", "anna", "new@example"} {
			if got := found(q); got != 1 {
				t.Errorf("%q finds %d users, want 1", q, got)
			}
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

// TestStatus checks that every account has one status, by which the list finds it. A
// disabled account without a password is disabled, not invited.
func TestStatus(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		now := models.At(epoch)
		for name, user := range map[string]models.User{
			"ann": {PasswordChangedAt: now},
			"bob": {},
			"cat": {PasswordChangedAt: now, DisabledAt: now},
			"dan": {DisabledAt: now},
		} {
			user.ID, user.Username, user.Email, user.Role, user.CreatedAt = models.NewID(), name, name+"@example.org", models.RoleUser, now
			must(t, store.Users.Create(t.Context(), &user))
		}
		tests := []struct {
			status models.UserStatus
			q      string
			want   string
		}{
			{"", "", "ann active, bob invited, cat disabled, dan disabled"},
			{models.StatusActive, "", "ann active"},
			{models.StatusInvited, "", "bob invited"},
			{models.StatusDisabled, "", "cat disabled, dan disabled"},
			{models.StatusInvited, "example", "bob invited"},
			{models.StatusInvited, "ann", ""},
		}
		for _, test := range tests {
			page, err := store.Users.List(t.Context(), models.UserQuery{Status: test.status, Q: test.q})
			must(t, err)
			var got []string
			for _, row := range page.Users {
				user, err := store.Users.ByID(t.Context(), row.ID)
				must(t, err)
				if user.Status() != row.Status() {
					t.Errorf("%s: %s in the list, %s by id", row.Username, row.Status(), user.Status())
				}
				got = append(got, row.Username+" "+string(row.Status()))
			}
			if got := strings.Join(got, ", "); got != test.want {
				t.Errorf("status %q, search %q: got %q, want %q", test.status, test.q, got, test.want)
			}
		}
	})
}

// TestBatch checks that a batch has more users than a page, the same ones in the same
// order.
func TestBatch(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		users := addCrowd(t, store, 200)
		query := models.UserQuery{Status: models.StatusActive, Sort: models.SortCreated, Desc: true, Limit: 101}
		var got []string
		for more := true; more; {
			page, err := store.Users.Batch(t.Context(), query)
			must(t, err)
			got = append(got, ids(page)...)
			query.After, more = page.Next, page.Next != ""
		}
		if diff := gocmp.Diff(expect(users, query, 10_000), got); diff != "" {
			t.Errorf("users (-want +got):\n%s", diff)
		}
		_, err := store.Users.Batch(t.Context(), models.UserQuery{Limit: 1001})
		wantKind(t, "more than a batch", err, apperr.Malformed)
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
			{"both cursors", models.UserQuery{After: cursor("u", "a", "a"), Before: cursor("u", "a", "a")}},
			{"not base64", models.UserQuery{After: "%"}},
			{"padded", models.UserQuery{After: cursor("u", "ab", "a") + "="}},
			{"of another order", models.UserQuery{Before: cursor("e", "a", "a")}},
			{"of the same order the other way", models.UserQuery{Desc: true, After: cursor("u", "a", "a")}},
			{"of the other way", models.UserQuery{Before: cursor("U", "a", "a")}},
			{"too short", models.UserQuery{After: cursor("u", "a")}},
			{"too long", models.UserQuery{After: cursor("u", strings.Repeat("a", 2000), "a")}},
			{"NUL", models.UserQuery{After: cursor("u", "a", "b", "c")}},
			{"not UTF-8", models.UserQuery{After: cursor("u", "\xff", "a")}},
			{"no number", models.UserQuery{Sort: models.SortCreated, After: cursor("c", "x", "a")}},
			{"a number too large", models.UserQuery{Sort: models.SortCreated, After: cursor("c", "9223372036854775808", "a")}},
			{"search with NUL", models.UserQuery{Q: "a\x00"}},
			{"search that is not UTF-8", models.UserQuery{Q: "\xff"}},
			{"search without end", models.UserQuery{Q: strings.Repeat("a", 257)}},
			{"search of too many words", models.UserQuery{Q: strings.Repeat("abc ", 17)}},
		}
		for _, test := range tests {
			_, err := store.Users.List(t.Context(), test.query)
			wantKind(t, test.name, err, apperr.Malformed)
		}
	})
}
