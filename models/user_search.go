package models

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"
)

// How a page of users is found fast among a million, on both engines, without
// trusting a planner's guess:
//
// Matches are counted first, up to maxCounted. Up to that number, all are read
// and sorted. If there are more, the index of the order is read from the cursor
// on, and matching users are kept, because most stretches contain some. If the
// page is not full after many users, all matches are read and sorted after all.

// userSearch builds the statements for one page.
type userSearch struct {
	postgres        bool
	order           userOrder
	desc            bool // the direction of reading, which a page before a cursor reverses
	status          UserStatus
	role            Role
	words           []string // as foldSearch writes them
	exact           []any    // the search as a username and as an address
	id              string   // not empty: the one user that the search names
	from            []any    // the place in front of the first row wanted; nil: none
	limit           int      // rows wanted: those of the page and one more
	counted, walked int
	now             Time
}

// rankOther is the rank of all other matches.
const rankOther = 2

// query is SQL with ? for its arguments. Its text comes only from the source,
// never from a value.
type query struct {
	text string
	args []any
}

func (q *query) add(text string, args ...any) {
	q.text += text
	q.args = append(q.args, args...)
}

// with replaces each %s of text by a query.
func with(text string, parts ...query) query {
	var q query
	for i, piece := range strings.Split(text, "%s") {
		if i > 0 {
			q.add(parts[i-1].text, parts[i-1].args...)
		}
		q.add(piece)
	}
	return q
}

// search returns a page with one row more than it shows, in the direction of
// reading, and how many users there are on all pages.
func (u *Users) search(ctx context.Context, s *userSearch) (page UserPage, err error) {
	db := u.store.db.WithContext(ctx)
	number := func(q query) (n int, err error) { return n, db.Raw(q.text, q.args...).Scan(&n).Error }
	rows := func(q query) (rows []UserRow, err error) {
		q = s.show(q)
		return rows, db.Raw(q.text, q.args...).Scan(&rows).Error
	}
	if len(s.words) > 0 {
		if page.Incomplete, err = u.unsearchable(ctx); err != nil {
			return page, err
		}
	}
	found, err := number(s.count(s.matching(query{text: "0"})))
	if err != nil {
		return page, err
	}
	page.Count, page.More = min(found, s.counted), found > s.counted
	if page.More {
		page.Users, err = rows(s.walk())
		if err != nil || len(page.Users) == s.limit {
			return page, err
		}
		if left, err := number(s.beyondWalk()); left == 0 || err != nil {
			return page, err
		}
	}
	page.Users, err = rows(s.gather(page.More))
	return page, err
}

// show selects the users of a page, with their live sessions. On both engines
// the page is the outer loop.
func (s *userSearch) show(page query) query {
	q := with(`SELECT users.id, username, email, full_name, password_changed_at, role, disabled_at, last_sign_in_at, created_at, k1 AS key,
		(SELECT count(*) FROM sessions WHERE user_id = users.id AND ended_at = 0 AND expires_at > %s AND last_seen_at + idle_ttl > %s) AS sessions
		FROM (%s) AS page CROSS JOIN users WHERE users.id = page.id`, arg(s.now), arg(s.now), page)
	q.add(s.by("k1, k2"))
	return q
}

func arg(value any) query { return query{"?", []any{value}} }

// count counts the rows of a select, up to one more than are counted. On
// PostgreSQL a materialized select is planned without regard to the LIMIT
// around it: otherwise a wrong guess of the planner would make it read all
// users in search of the first matches. It still reads no more rows than the
// LIMIT; SQLite would read all.
func (s *userSearch) count(rows query) query {
	materialized := "NOT MATERIALIZED"
	if s.postgres {
		materialized = "MATERIALIZED"
	}
	return with("WITH hits AS "+materialized+" (%s) SELECT count(*) FROM (SELECT 1 FROM hits"+limit(s.counted+1)+") AS counted", rows)
}

func limit(n int) string { return fmt.Sprint(" LIMIT ", n) }

// matching selects the places of all users that match. SQLite has no
// statistics, so the query makes it read the trigram index, unless a filter
// with its own index leaves few users.
func (s *userSearch) matching(key query) query {
	from, trigrams := "users WHERE %s", query{text: "1 = 1"}
	if !s.postgres && len(s.words) > 0 && s.role != RoleAdmin && s.status != StatusDisabled {
		from, trigrams = "users_search CROSS JOIN users WHERE users.seq = users_search.rowid AND users_search MATCH %s", arg(trigramsOf(s.words))
	}
	return with("SELECT users.id, %s AS k1, users.username AS k2 FROM "+from+" AND %s", key, trigrams, s.match())
}

// trigramsOf returns an FTS5 query for trigrams that cover the words. A text
// with all the trigrams may still not contain the words.
func trigramsOf(words []string) string {
	var terms []string
	for _, word := range words {
		letters := []rune(word)
		for i := 0; i < len(letters); i += 3 {
			start := min(i, len(letters)-3)
			trigram := string(letters[start : start+3])
			terms = append(terms, `"`+strings.ReplaceAll(trigram, `"`, `""`)+`"`)
		}
	}
	return strings.Join(terms, " ")
}

// match is the condition on a row of users.
func (s *userSearch) match() query {
	q := query{text: "1 = 1"}
	for _, word := range s.words {
		if s.postgres {
			q.add(" AND users.search LIKE ?", likePart(word))
		} else {
			q.add(" AND instr(users.search, ?) > 0", word)
		}
	}
	if s.id != "" {
		q.add(" AND users.id = ?", s.id)
	}
	q.add(s.filter())
	return q
}

// likePart is the pattern of LIKE for text that contains part.
func likePart(part string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(part) + "%"
}

func (s *userSearch) filter() string {
	condition := ""
	if s.role != "" {
		condition += " AND users.role = '" + string(s.role) + "'" // checked: one of ours
	}
	switch s.status {
	case StatusActive:
		condition += " AND users.disabled_at = 0"
	case StatusDisabled:
		condition += " AND users.disabled_at <> 0"
	}
	return condition
}

// gather selects the first rows of all matches. many says that there are more
// than are counted.
func (s *userSearch) gather(many bool) query {
	key := query{text: "users." + s.order.key}
	if s.order.key == columnRank {
		key = s.rank(many)
	}
	return s.page(with("WITH hits AS MATERIALIZED (%s) SELECT * FROM hits", s.matching(key)))
}

// page selects the first rows of places.
func (s *userSearch) page(places query) query {
	return with("SELECT id, k1, k2 FROM (%s) AS places WHERE %s"+s.by("k1, k2")+limit(s.limit), places, s.after("k1, k2", s.from))
}

// walk selects the first rows that match among the next users in the order of
// the list. By rank, it follows usernames, after the users whose username or
// address equals the search.
func (s *userSearch) walk() query {
	if s.order.key != columnRank {
		return s.page(with("SELECT users.id, "+s.order.key+" AS k1, username AS k2 FROM (%s) AS users WHERE %s", s.next(limit(s.walked)), s.match()))
	}
	exact := query{"(users.username = ? OR users.email_folded = ?)", s.exact}
	return s.page(with(fmt.Sprintf(`SELECT users.id, 0 AS k1, username AS k2 FROM users WHERE %%s AND %%s
		UNION ALL SELECT users.id, %d AS k1, username AS k2 FROM (%%s) AS users WHERE NOT %%s AND %%s`, rankOther),
		exact, s.match(), s.next(limit(s.walked)), exact, s.match()))
}

// next selects the users who follow the cursor.
func (s *userSearch) next(limit string) query {
	columns, from := s.order.key+", username", s.from
	if s.order.key == columnRank {
		columns = "username, username"
		if from != nil && from[0] == int64(rankOther) {
			from = []any{from[1], from[1]}
		} else {
			from = nil
		}
	}
	return with("SELECT id, username, email_folded, created_at, last_sign_in_at, role, disabled_at, search FROM users WHERE %s"+
		s.by(columns)+limit, s.after(columns, from))
}

// beyondWalk counts 1 when there are users that the walk did not read.
func (s *userSearch) beyondWalk() query {
	return with("SELECT count(*) FROM (%s) AS beyond", s.next(fmt.Sprint(" LIMIT 1 OFFSET ", s.walked)))
}

// rank is 0 for a user whose username or address equals the search, 1 when each
// word is a whole part of the username, the address or the name ("rossi4" in
// carla.rossi4, not in carla.rossi42), else rankOther. With many matches there
// are only the ranks 0 and rankOther, as in walk.
func (s *userSearch) rank(many bool) query {
	q := query{"CASE WHEN users.username = ? OR users.email_folded = ? THEN 0", s.exact}
	if !many && len(s.words) > 0 {
		const marks = ".-_+@"
		position, parts, separated := "instr", "users.search", []string{}
		if s.postgres {
			position = "strpos"
		}
		for _, mark := range marks {
			parts = "replace(" + parts + ", '" + string(mark) + "', '" + between + "')"
			separated = append(separated, string(mark), between)
		}
		q.add(" WHEN 1 = 1")
		for _, word := range s.words {
			word = strings.TrimLeft(strings.NewReplacer(separated...).Replace(word), between)
			q.add(" AND "+position+"("+parts+", ?) > 0", between+word+between)
		}
		q.add(" THEN 1")
	}
	q.add(fmt.Sprintf(" ELSE %d END", rankOther))
	return q
}

// after is the condition that a row comes after a place in the direction of
// reading.
func (s *userSearch) after(columns string, place []any) query {
	switch {
	case place == nil:
		return query{text: "1 = 1"}
	case s.desc:
		return query{"(" + columns + ") < (?, ?)", place}
	}
	return query{"(" + columns + ") > (?, ?)", place}
}

// by returns the order of reading by columns.
func (s *userSearch) by(columns string) string {
	if s.desc {
		columns = strings.ReplaceAll(columns, ",", " DESC,") + " DESC"
	}
	return " ORDER BY " + columns
}

// searchWord returns the text that SearchText must contain for a word. A word
// shorter than a trigram, three characters, must begin a part of the text.
func searchWord(word string) string {
	word = foldSearch(word)
	if n := utf8.RuneCountInString(word); n > 0 && n < 3 {
		return between + between + word
	}
	return word
}
