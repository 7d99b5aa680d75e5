package models

import (
	"strconv"
	"strings"
)

// show selects the users of a page of keys, with their live sessions, and what
// else the page says.
func (s *userSearch) show(extra string, keys fragment) fragment {
	var query fragment
	query.add("SELECT "+extra+"users.id, users.username, users.email, users.email_folded, users.full_name, users.password_changed_at, users.role,"+
		" users.disabled_at, users.last_sign_in_at, users.created_at,"+
		" (SELECT count(*) FROM sessions WHERE user_id = users.id AND ended_at = 0"+
		" AND expires_at > ? AND last_seen_at + idle_ttl > ?) AS sessions"+
		" FROM (", s.now, s.now)
	query.append(keys)
	// Left, because SQLite would otherwise go through all users first.
	query.add(") AS page LEFT JOIN users ON users.username = page.username" + s.by(s.keys()))
	return query
}

// inOrder selects the rows of the groups that come after from, and not after
// stop, with what terms look at, from the index of the order. Both engines merge the groups' ranges
// when the outer select asks for this order.
func (s *userSearch) inOrder(terms userTerms, from, stop userCursor) fragment {
	most := s.limit
	if !terms.none() {
		most = max(s.limits.counted, s.limits.walkPrefix, s.limits.walkName) + 1
	}
	columns := s.columns() + ", email_folded"
	if terms.name != "" {
		// PostgreSQL goes to the table for a name.
		columns += map[string]string{dialectSQLite: ", seq", dialectPostgres: ", full_name"}[s.dialect]
	}
	if terms.id != "" {
		columns += ", id"
	}
	var parts []fragment
	for _, group := range s.groups {
		var part fragment
		part.add("SELECT " + columns + " FROM " + s.users(s.order.index) + " WHERE " + s.in(group))
		s.within(&part, from, stop)
		if s.dialect == dialectPostgres {
			// It reads a part from its index, in order, when told that few of
			// its rows will do (no caller takes more) and, while it has no
			// statistics, that this index narrows down most (it does not).
			part.add(" AND " + s.order.everything() + s.by(s.order.columns) + " LIMIT " + strconv.Itoa(most))
		}
		parts = append(parts, part)
	}
	return union(parts, " UNION ALL ")
}

// walk selects the first rows that match along the index of the order, none
// beyond stop.
func (s *userSearch) walk(stop userCursor) fragment {
	var query fragment
	query.add("SELECT * FROM (")
	query.append(s.inOrder(s.terms, s.from, stop))
	query.add(") AS walked WHERE ")
	query.append(s.terms.matching())
	query.add(s.by(s.keys()) + s.first())
	return query
}

// stopKey selects the row at which a walk ends: so many rows on in one group,
// the nearest when there are several.
func (s *userSearch) stopKey() fragment {
	rows := s.limits.walkPrefix
	switch {
	case s.terms.name != "":
		rows = s.limits.walkName
	case len(s.order.columns) == 1:
		rows = s.limits.walkTogether
	}
	var parts []fragment
	for _, group := range s.groups {
		var part fragment
		part.add("SELECT " + s.columns() + " FROM " + s.users(s.order.index) + " WHERE " + s.in(group))
		s.within(&part, s.from, nil)
		part.add(s.by(s.order.columns) + " LIMIT 1 OFFSET " + strconv.Itoa(rows))
		parts = append(parts, part)
	}
	query := union(parts, " UNION ALL ")
	query.add(s.by(s.keys()) + " LIMIT 1")
	return query
}

// countGroups counts the users of the groups.
func (s *userSearch) countGroups() fragment {
	var parts []fragment
	for _, group := range s.groups {
		parts = append(parts, fragment{text: "SELECT 1 FROM " + s.users(s.order.index) + " WHERE " + s.in(group)})
	}
	return s.counted(union(parts, " UNION ALL "))
}

// walkAll selects all rows of the groups that match.
func (s *userSearch) walkAll() fragment {
	query := fragment{text: "SELECT " + strings.Join(s.keys(), ", ") + ", username FROM ("}
	query.append(s.inOrder(s.terms, nil, nil))
	query.add(") AS walked WHERE ")
	query.append(s.terms.matching())
	return query
}

// gather selects the first rows of all that match. The first of a union are
// among the first of its parts.
func (s *userSearch) gather() fragment {
	var parts []fragment
	for _, branch := range []struct{ column, index string }{{"username", "users_by_username"}, {"email_folded", "users_by_email"}} {
		for _, group := range s.groups {
			var part fragment
			part.add("SELECT " + s.columns() + " FROM " + s.users(branch.index) + " WHERE " + s.in(group) + " AND ")
			part.append(s.terms.prefix(branch.column))
			s.within(&part, s.from, nil)
			parts = append(parts, s.head(part, branch.index == s.order.index))
		}
	}
	if s.terms.name != "" {
		part := s.named(s.columns())
		s.within(&part, s.from, nil)
		parts = append(parts, s.head(part, false))
	}
	if s.terms.id != "" {
		var part fragment
		part.add("SELECT "+s.columns()+" FROM users WHERE id = ?"+s.filter(), s.terms.id)
		s.within(&part, s.from, nil)
		parts = append(parts, part)
	}
	query := union(parts, " UNION ")
	query.add(s.by(s.keys()) + s.first())
	return query
}

// head selects the first rows of part. Unless part comes in order, PostgreSQL
// is kept from walking the order's index instead.
func (s *userSearch) head(part fragment, ordered bool) fragment {
	var query fragment
	query.add("SELECT * FROM (")
	query.append(part)
	if !ordered && s.dialect == dialectPostgres {
		query.add(" OFFSET 0")
	}
	query.add(") AS branch" + s.by(s.keys()) + s.first())
	return query
}

// hits selects all that match, each in the first branch that has it.
func (s *userSearch) hits(columns string, terms userTerms) fragment {
	var query fragment
	username, email := terms.prefix("username"), terms.prefix("email_folded")
	for i, group := range s.groups {
		if i > 0 {
			query.add(" UNION ALL ")
		}
		query.add("SELECT " + columns + " FROM " + s.users("users_by_username") + " WHERE " + s.in(group) + " AND ")
		query.append(username)
		query.add(" UNION ALL SELECT " + columns + " FROM " + s.users("users_by_email") + " WHERE " + s.in(group) + " AND ")
		query.append(email)
		query.except(username)
	}
	if terms.name != "" {
		query.add(" UNION ALL ")
		query.append(s.named(columns))
		query.except(username, email)
	}
	if terms.id != "" {
		query.add(" UNION ALL SELECT "+columns+" FROM users WHERE id = ?"+s.filter(), terms.id)
		query.except(username, email, terms.contained())
	}
	return query
}

// countPrefixes counts the users whose username or address starts with the
// search.
func (s *userSearch) countPrefixes() fragment {
	return s.counted(s.hits("1", userTerms{dialect: s.dialect, low: s.terms.low, high: s.terms.high}))
}

// countNames counts the users whose full name contains the search, on SQLite.
func (s *userSearch) countNames() fragment {
	return s.counted(fragment{text: "SELECT 1 FROM users_name WHERE users_name MATCH ?", args: []any{s.terms.name}})
}

// counted counts the rows of a select, up to one more than are counted.
func (s *userSearch) counted(rows fragment) fragment {
	query := fragment{text: "SELECT count(*) FROM ("}
	query.append(rows)
	query.add(" LIMIT " + strconv.Itoa(s.limits.counted+1) + ") AS counted")
	return query
}

// gatherAll selects all that match.
func (s *userSearch) gatherAll() fragment { return s.hits(s.columns(), s.terms) }

// headAndCount selects the first rows of all, and how many all are, up to one
// more than are counted. It has a row without a user when the page has none.
func (s *userSearch) headAndCount(all fragment) fragment {
	query := fragment{text: "SELECT * FROM (WITH hits AS MATERIALIZED ("}
	query.append(all)
	query.add(" LIMIT " + strconv.Itoa(s.limits.counted+1) + ") SELECT *" +
		" FROM (SELECT count(*) AS found FROM hits) AS total LEFT JOIN (SELECT * FROM hits")
	if s.from != nil {
		query.add(" WHERE 1 = 1")
		s.compare(&query, s.keys(), s.after(), s.from)
	}
	query.add(s.by(s.keys()) + s.first() + ") AS first ON 1 = 1) AS gathered")
	return query
}

// named selects the users whose full name contains the search. The CASE hides
// the filter from PostgreSQL, which without statistics would take it for the
// rarer condition and leave the index of names for it.
func (s *userSearch) named(columns string) fragment {
	var query fragment
	if s.dialect == dialectSQLite {
		query.add("SELECT "+columns+" FROM users_name CROSS JOIN users WHERE users.seq = users_name.rowid AND users_name MATCH ?", s.terms.name)
	} else {
		query.add("SELECT " + columns + " FROM users WHERE ")
		query.append(s.terms.indexed())
		query.add(" AND ")
		query.append(s.terms.contained())
	}
	query.add(" AND CASE WHEN 1 = 1" + s.filter() + " THEN 1 ELSE 0 END = 1")
	return query
}

// within adds that rows come after from, and not after stop.
func (s *userSearch) within(query *fragment, from, stop userCursor) {
	if from != nil {
		s.compare(query, s.order.columns, s.after(), from)
	}
	if stop != nil {
		s.compare(query, s.order.columns, map[string]string{">": "<=", "<": ">="}[s.after()], stop)
	}
}

// compare adds a comparison of columns with a place.
func (s *userSearch) compare(query *fragment, columns []string, operator string, place userCursor) {
	marks := strings.Repeat(", ?", len(place))[2:]
	query.add(" AND ("+strings.Join(columns, ", ")+") "+operator+" ("+marks+")", place...)
}

// after is the comparison that holds between a row and one in front of it.
func (s *userSearch) after() string {
	if s.desc {
		return "<"
	}
	return ">"
}

// keys are the names of the order's columns on a page of keys.
func (s *userSearch) keys() []string { return []string{"k1", "k2", "k3"}[:len(s.order.columns)] }

// columns are what a page of keys says: place and user.
func (s *userSearch) columns() string {
	text := ""
	for i, key := range s.keys() {
		text += s.order.columns[i] + " AS " + key + ", "
	}
	return text + "username"
}

// by returns the order of reading by columns.
func (s *userSearch) by(columns []string) string {
	if s.desc {
		return " ORDER BY " + strings.Join(columns, " DESC, ") + " DESC"
	}
	return " ORDER BY " + strings.Join(columns, ", ")
}

func (s *userSearch) first() string { return " LIMIT " + strconv.Itoa(s.limit) }

// users names the table, read by index. SQLite has no statistics to choose by
// unless somebody gathers them, and is told.
func (s *userSearch) users(index string) string {
	if s.dialect == dialectSQLite {
		return "users INDEXED BY " + index
	}
	return "users"
}

// in is the condition of a group, as the indexes begin with it.
func (s *userSearch) in(group userGroup) string {
	return "role = '" + string(group.role) + "' AND " + s.disabled(group.disabled)
}

func (s *userSearch) disabled(is bool) string {
	condition := "(disabled_at <> 0)"
	if s.dialect == dialectPostgres {
		condition += "::int"
	}
	if is {
		return condition + " = 1"
	}
	return condition + " = 0"
}

// filter adds the conditions that all groups share.
func (s *userSearch) filter() string {
	condition, first := "", s.groups[0]
	oneRole, oneStatus := true, true
	for _, group := range s.groups {
		oneRole = oneRole && group.role == first.role
		oneStatus = oneStatus && group.disabled == first.disabled
	}
	if oneRole {
		condition += " AND role = '" + string(first.role) + "'"
	}
	if oneStatus {
		condition += " AND " + s.disabled(first.disabled)
	}
	return condition
}
