package models

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// How both engines find a page among a million users, whatever their planners
// guess: the trigram index counts the matches, up to maxSorted. That many or
// fewer are all read and sorted. More than that lie close together, so the index
// of the order is read from the cursor on until the page is full.

// userSearch is a query for one page, checked and prepared.
type userSearch struct {
	UserQuery
	db        *gorm.DB
	order     userOrder
	after, by string      // the operator and the direction of reading: ">" and "", or "<" and " DESC"
	words     []string    // as searchWord writes them
	same      clause.Expr // the condition that the username or the address is the search
	id        string      // not empty: the user whose id is the search
	from      []any       // the key and the username in front of the first row wanted; nil: none
}

// rankOther is the rank of users who match but have neither rank 0 nor 1.
const rankOther = 2

// count counts the users who match, up to limit.
func (s *userSearch) count(limit int) (n int, err error) {
	return n, s.db.Raw("SELECT count(*) FROM (?) AS found", s.indexed().Select("1").Limit(limit)).Scan(&n).Error
}

// sorted reads all users who match and returns the first rows of the order.
func (s *userSearch) sorted() ([]UserRow, error) {
	key := gorm.Expr("users." + s.order.key)
	if s.order.key == columnRank {
		key = s.rank()
	}
	return s.show(s.db.Raw("WITH hits AS MATERIALIZED (?) SELECT id, k1, k2 FROM hits", s.indexed().Select("users.id, ? AS k1, username AS k2", key)))
}

// walked reads the index of the order until the page is full. By rank it reads
// the users of rank 0 and then the index of usernames; there is no rank 1.
func (s *userSearch) walked() ([]UserRow, error) {
	users := func(key string) *gorm.DB {
		// The cast keeps PostgreSQL from using the trigram index, and from
		// guessing how many users match: it expects a third of them.
		return s.matching("users", "CAST(? AS integer) > 0").Select("id, " + key + " AS k1, username AS k2")
	}
	if s.order.key != columnRank {
		return s.show(users(s.order.key))
	}
	others := users(fmt.Sprint(rankOther)).Where("NOT ?", s.same).Order("username" + s.by).Limit(s.Limit + 1)
	if s.from != nil && s.from[0] == int64(rankOther) {
		others = others.Where("username "+s.after+" ?", s.from[1])
	}
	return s.show(s.db.Raw("? UNION ALL SELECT id, k1, k2 FROM (?) AS others", users("0").Where(s.same), others))
}

// show returns the rows of a page and one more, from places in the list.
func (s *userSearch) show(places *gorm.DB) (rows []UserRow, err error) {
	order := "k1" + s.by + ", k2" + s.by
	page := s.db.Table("(?) AS places", places).Select("id, k1, k2").Order(order).Limit(s.Limit + 1)
	if s.from != nil {
		page = page.Where("(k1, k2) "+s.after+" ?", s.from)
	}
	now := At(s.Now)
	return rows, s.db.Raw(`SELECT users.id, username, email, email_verified_at, full_name, password_changed_at, role, disabled_at, last_sign_in_at, created_at, k1 AS key,
		(SELECT count(*) FROM sessions WHERE user_id = users.id AND ended_at = 0 AND expires_at > ? AND last_seen_at + idle_ttl > ?) AS sessions,
		EXISTS (SELECT 1 FROM authenticator_apps WHERE user_id = users.id AND removed_at = 0) AS app,
		(SELECT count(*) FROM passkeys WHERE user_id = users.id AND removed_at = 0) AS passkeys
		FROM (?) AS page CROSS JOIN users WHERE users.id = page.id ORDER BY `+order, now, now, page).Scan(&rows).Error
}

// indexed selects the users who match. SQLite, which has no statistics, is told
// to read the trigram index, unless a filter leaves few users and has an index.
// The invited have an index, but can be most of the users.
func (s *userSearch) indexed() *gorm.DB {
	if s.db.Name() == dialectPostgres || len(s.words) == 0 || s.Role == RoleAdmin || s.Status == StatusDisabled {
		return s.matching("users", "?")
	}
	return s.matching("users_search CROSS JOIN users", "?").
		Where("users.seq = users_search.rowid AND users_search MATCH ?", trigrams(s.words))
}

// matching selects the users of a table who match, with the condition that a
// word is contained. Filters have no arguments, so that they use partial indexes.
func (s *userSearch) matching(table, condition string) *gorm.DB {
	db := s.db.Table(table)
	for _, word := range s.words {
		db = db.Where(condition, contains("users.search", word))
	}
	if s.id != "" {
		db = db.Where("users.id = ?", s.id)
	}
	if s.Role != "" {
		db = db.Where("users.role = '" + string(s.Role) + "'") // checked: one of ours
	}
	switch s.Step {
	case StepApp:
		db = db.Where(hasApp)
	case StepPasskey:
		db = db.Where(hasPasskey)
	case StepNone:
		db = db.Where("NOT (" + hasApp + ") AND NOT (" + hasPasskey + ")")
	}
	switch s.Status {
	case StatusActive:
		db = db.Where("users.disabled_at = 0 AND users.password_changed_at <> 0")
	case StatusDisabled:
		db = db.Where("users.disabled_at <> 0")
	case StatusInvited:
		db = db.Where("users.disabled_at = 0 AND users.password_changed_at = 0")
	}
	return db
}

// The conditions on the factors of users. A subquery without a reference to the row
// lets the engine begin with the few accounts that have one.
const (
	hasApp     = "users.id IN (SELECT user_id FROM authenticator_apps WHERE removed_at = 0)"
	hasPasskey = "users.id IN (SELECT user_id FROM passkeys WHERE removed_at = 0)"
)

// rank is 0 for a user whose username or address is the search, 1 when each word
// is a whole part of the username, the address or the name ("rossi4" in
// carla.rossi4, not in carla.rossi42), else rankOther.
func (s *userSearch) rank() clause.Expr {
	parts, separated := "users.search", []string{}
	for _, mark := range []string{".", "-", "_", "+", "@"} {
		parts = "replace(" + parts + ", '" + mark + "', '" + between + "')"
		separated = append(separated, mark, between)
	}
	var whole []clause.Expression
	for _, word := range s.words {
		word = strings.TrimLeft(strings.NewReplacer(separated...).Replace(word), between)
		whole = append(whole, contains(parts, between+word+between))
	}
	return gorm.Expr("CASE WHEN ? THEN 0 WHEN ? THEN 1 ELSE ? END", s.same, clause.And(whole...), rankOther)
}

// contains is the condition that text, which is SQL, contains part.
func contains(text, part string) clause.Expr {
	return gorm.Expr(text+` LIKE ? ESCAPE '\'`, "%"+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(part)+"%")
}

// trigrams returns an FTS5 query for trigrams that cover the words. A text with
// all of them may still not contain the words.
func trigrams(words []string) string {
	var terms []string
	for _, word := range words {
		letters := []rune(word)
		for i := 0; i < len(letters); i += 3 {
			start := min(i, len(letters)-3)
			terms = append(terms, `"`+strings.ReplaceAll(string(letters[start:start+3]), `"`, `""`)+`"`)
		}
	}
	return strings.Join(terms, " ")
}

// searchWord returns the text that SearchText must contain for a word. A word
// shorter than a trigram, three characters, must begin a part of it. A word of
// marks, such as the hyphen in "Rossi - Carla", is "": PostgreSQL has no trigrams
// of marks, and would read all users.
func searchWord(word string) string {
	word = foldSearch(word)
	if !strings.ContainsFunc(word, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
		return ""
	}
	if utf8.RuneCountInString(word) < 3 {
		return between + between + word
	}
	return word
}
