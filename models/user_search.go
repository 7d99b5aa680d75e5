package models

import "context"

// How a page of users is found fast among a million, on both engines, without
// trusting a planner's guess or its statistics:
//
// Every order has an index that starts with role and "is disabled", so that
// the filters name up to four groups, each a range of every index, sorted.
// A page without a search is the head of each group's range, merged.
//
// A search matches on up to four branches: a range of the index by username, a
// range of the index by address, the index of names, and the id. There are two
// ways to the first rows of a page in its order:
//
//   - walk: go along the order's index from the cursor and keep what matches.
//     Costs what lies between the matches, so it suits many.
//   - gather: take every match from its branches and keep the first rows in
//     order. Costs the number of matches, so it suits few.
//
// Matches are counted first, up to maxCounted. That many or fewer are
// gathered. More are walked, as they must come along often; unless all of them
// lie at the far end of the order, which shows when the walk has gone on for
// long, and then they are gathered after all. When the filters leave no more
// than maxCounted users, these are walked, whatever the number of matches.

// searchLimits are where one way becomes better than the other.
type searchLimits struct {
	counted int // up to where matches are counted exactly, and gathered
	// How many rows a walk looks at before it gives up.
	walkPrefix, walkName int
	// The same in the order of usernames or addresses, where what starts alike
	// lies together: it begins soon or it does not.
	walkTogether int
}

// usualLimits are measured at a million users. Matches of the indexes by
// username and address are gathered at a third of a microsecond each, so that a
// walk must come to its end soon to be better; a match of the index of names
// costs ten times that.
func usualLimits() searchLimits {
	return searchLimits{counted: maxCounted, walkPrefix: 10_000, walkName: 30_000, walkTogether: 1_000}
}

// userSearch makes the statements for one page.
type userSearch struct {
	dialect string
	order   userOrder
	desc    bool // the direction of reading, which a page before a cursor turns
	groups  []userGroup
	terms   userTerms
	from    userCursor // the row in front of the first one wanted; nil: none
	limit   int        // rows wanted: those of the page and one more
	limits  searchLimits
	now     Time
}

// userGroup is the users of one role that are all active or all disabled.
type userGroup struct {
	role     Role
	disabled bool
}

// userGroups returns the groups that pass the filters.
func userGroups(status UserStatus, role Role) []userGroup {
	var groups []userGroup
	for _, group := range []userGroup{{RoleUser, false}, {RoleUser, true}, {RoleAdmin, false}, {RoleAdmin, true}} {
		if (role == "" || role == group.role) && (status == "" || group.disabled == (status == StatusDisabled)) {
			groups = append(groups, group)
		}
	}
	return groups
}

// search returns up to s.limit rows in the direction of reading, and how many
// users there are on all pages, at most one more than are counted.
func (u *Users) search(ctx context.Context, s *userSearch) ([]UserRow, int, error) {
	if s.terms.none() || len(s.groups) < len(userGroups("", "")) {
		everybody, err := u.number(ctx, s.countGroups())
		if err != nil {
			return nil, 0, err
		}
		if s.terms.none() {
			rows, err := u.rows(ctx, s, s.walk(nil))
			return rows, everybody, err
		}
		if everybody <= s.limits.counted {
			return u.headAndCount(ctx, s, s.walkAll())
		}
	}
	count, err := u.number(ctx, s.countPrefixes())
	if err != nil {
		return nil, 0, err
	}
	if count <= s.limits.counted && s.dialect == dialectSQLite && s.terms.name != "" && s.filter() == "" {
		// Here the index of names alone knows how many there are.
		if count, err = u.number(ctx, s.countNames()); err != nil {
			return nil, 0, err
		}
	}
	if count <= s.limits.counted {
		var rows []UserRow
		if rows, count, err = u.headAndCount(ctx, s, s.gatherAll()); err != nil || count <= s.limits.counted {
			return rows, count, err
		}
	}
	rows, err := u.walkOrGather(ctx, s)
	return rows, count, err
}

// walkOrGather walks a while, and gathers when that was too short.
func (u *Users) walkOrGather(ctx context.Context, s *userSearch) ([]UserRow, error) {
	stop, err := u.stop(ctx, s)
	if err != nil {
		return nil, err
	}
	rows, err := u.rows(ctx, s, s.walk(stop))
	if err != nil || len(rows) == s.limit || stop == nil {
		return rows, err
	}
	return u.rows(ctx, s, s.gather())
}

// stop returns the place at which a walk ends, or nil when it may go to the end.
func (u *Users) stop(ctx context.Context, s *userSearch) (userCursor, error) {
	rows, err := u.rows(ctx, s, s.stopKey())
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return s.order.place(rows[0]), nil
}

// number runs a fragment that counts.
func (u *Users) number(ctx context.Context, query fragment) (int, error) {
	var n int
	err := u.store.db.WithContext(ctx).Raw(query.text, query.args...).Scan(&n).Error
	return n, err
}

// rows returns the users that keys selects.
func (u *Users) rows(ctx context.Context, s *userSearch, keys fragment) ([]UserRow, error) {
	query := s.show("", keys)
	var rows []UserRow
	err := u.store.db.WithContext(ctx).Raw(query.text, query.args...).Scan(&rows).Error
	return rows, err
}

// headAndCount returns the first rows of all, and how many all are.
func (u *Users) headAndCount(ctx context.Context, s *userSearch, all fragment) ([]UserRow, int, error) {
	query := s.show("found, ", s.headAndCount(all))
	var found []struct {
		Found int
		UserRow
	}
	if err := u.store.db.WithContext(ctx).Raw(query.text, query.args...).Scan(&found).Error; err != nil || len(found) == 0 {
		return nil, 0, err
	}
	rows := make([]UserRow, 0, len(found))
	for _, row := range found {
		if row.ID != "" {
			rows = append(rows, row.UserRow)
		}
	}
	return rows, found[0].Found, nil
}
