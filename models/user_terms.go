package models

import (
	"strings"
	"unicode/utf8"
)

// minName is from how many code points on names are searched: their indexes
// are of three in a row.
const minName = 3

// userTerms is what a user must match, one of them.
type userTerms struct {
	dialect   string
	low, high string // what starts with the search lies from low to before high
	name      string // for the index of names; "": names are not searched
	id        string // "": the search is not an id
}

// newUserTerms takes a search apart.
func newUserTerms(dialect, search string) userTerms {
	terms := userTerms{dialect: dialect}
	terms.low = strings.ToLower(search)
	terms.high = afterPrefix(terms.low)
	if IsID(terms.low) {
		terms.id = terms.low
	}
	if utf8.RuneCountInString(search) < minName {
		return terms
	}
	terms.name = search
	if dialect == dialectSQLite {
		// A string of FTS5: nothing in it is an operator.
		terms.name = `"` + strings.ReplaceAll(search, `"`, `""`) + `"`
	}
	return terms
}

// none reports whether everybody matches.
func (t userTerms) none() bool { return t.low == "" }

// prefix is the condition that column starts with the search: a range, because
// a prepared LIKE does not become one.
func (t userTerms) prefix(column string) fragment {
	if t.high == "" {
		return fragment{text: column + " >= ?", args: []any{t.low}}
	}
	return fragment{text: column + " >= ? AND " + column + " < ?", args: []any{t.low, t.high}}
}

// contained is the condition that the full name contains the search.
func (t userTerms) contained() fragment {
	switch {
	case t.name == "":
		return fragment{text: "1 = 0"}
	case t.dialect == dialectSQLite:
		return fragment{text: "seq IN (SELECT rowid FROM users_name WHERE users_name MATCH ?)", args: []any{t.name}}
	}
	return fragment{text: "strpos(lower(full_name), lower(?)) > 0", args: []any{t.name}}
}

// indexed is contained for PostgreSQL's index of names, which takes all marks
// for the same: it lets pass some that do not contain the search. No character
// of a pattern is left that means something to LIKE.
func (t userTerms) indexed() fragment {
	return fragment{text: "name_key(full_name) LIKE '%' || name_key(?) || '%'", args: []any{t.name}}
}

// matching is the condition on a row of a walk. The CASE hides it from
// planners, which would leave the index of the order for it.
func (t userTerms) matching() fragment {
	if t.none() {
		return fragment{text: "1 = 1"}
	}
	query := fragment{text: "CASE WHEN "}
	query.append(t.prefix("username"))
	query.add(" OR ")
	query.append(t.prefix("email_folded"))
	if t.name != "" {
		query.add(" OR ")
		query.append(t.contained())
	}
	if t.id != "" {
		query.add(" OR id = ?", t.id)
	}
	query.add(" THEN 1 ELSE 0 END = 1")
	return query
}

// afterPrefix returns the least text that is greater than all that start with
// prefix, byte by byte, which in UTF-8 is code point by code point; "" when
// there is none.
func afterPrefix(prefix string) string {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch last {
		case utf8.MaxRune:
			continue
		case 0xD7FF: // the surrogates that follow are not text
			last = 0xDFFF
		}
		return prefix + string(last+1)
	}
	return ""
}
