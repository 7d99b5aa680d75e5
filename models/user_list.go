package models

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"latchkey/internal/apperr"
)

const (
	// maxCounted is up to where results are counted exactly.
	maxCounted = 10_000
	// maxPage is the most users a page holds, defaultPage what it holds when
	// nothing is said.
	maxPage, defaultPage = 100, 25
	// maxSearch is the longest search in code points: nothing that is
	// searched is longer.
	maxSearch = 256
)

// UserStatus is whether an account can be used.
type UserStatus string

// The states by which the list can be filtered.
const (
	StatusActive   UserStatus = "active"
	StatusDisabled UserStatus = "disabled"
)

// UserSort is what a list of users is ordered by.
type UserSort string

// The orders. Users with the same instant follow by the instant they were
// created, then by username.
const (
	SortUsername   UserSort = "username"
	SortEmail      UserSort = "email"
	SortCreated    UserSort = "created"
	SortLastSignIn UserSort = "last_sign_in"
)

// UserQuery says which users to list. The zero value of every field but Now is
// good: all of them, by username, the first page.
type UserQuery struct {
	// Q finds users whose username or address starts with it, whose id it is
	// or, from three code points on, whose full name contains it; all without
	// case. Case is Unicode's simple folding on SQLite and that of the
	// database's locale on PostgreSQL. Accents count.
	Q      string
	Status UserStatus // "": both
	Role   Role       // "": both
	Sort   UserSort   // "": SortUsername
	Desc   bool
	// After and Before are cursors of an earlier page of the same order: the
	// page that follows, or the one in front. At most one is set.
	After, Before string
	Limit         int       // 1 to 100; 0: 25
	Now           time.Time // decides which sessions are live
}

// UserRow is one line of the list.
type UserRow struct {
	ID                string
	Username          string
	Email             string
	EmailFolded       string
	FullName          string
	PasswordChangedAt Time // zero: no password yet
	Role              Role
	DisabledAt        Time
	LastSignInAt      Time
	CreatedAt         Time
	Sessions          int // live ones
}

// UserPage is one page of the list.
type UserPage struct {
	Users []UserRow
	Count int  // of all pages together, at most 10,000
	More  bool // there are more than 10,000
	// Next and Prev are cursors for After and Before; "": there is no such page.
	Next, Prev string
}

// UserFigures are the numbers of the overview.
type UserFigures struct {
	Total, Disabled, Admins int64
}

// List returns a page of users. A query that no page could have sent, such as
// an unknown order or a cursor that is not ours, is apperr.Malformed.
func (u *Users) List(ctx context.Context, query UserQuery) (UserPage, error) {
	return u.list(ctx, query, usualLimits())
}

func (u *Users) list(ctx context.Context, query UserQuery, limits searchLimits) (UserPage, error) {
	s, err := newUserSearch(u.store.dialect, query)
	if err != nil {
		return UserPage{}, err
	}
	s.limits = limits
	rows, count, err := u.search(ctx, s)
	if err != nil {
		return UserPage{}, translate("list users", err)
	}
	page := UserPage{Users: rows, Count: min(count, limits.counted), More: count > limits.counted}
	further := len(rows) >= s.limit // the row beyond the page was found
	if further {
		page.Users = rows[:s.limit-1]
	}
	if query.Before != "" {
		slices.Reverse(page.Users)
	}
	page.link(query, s.order, further)
	return page, nil
}

// link sets the cursors. A page that a cursor led to has a neighbour on the
// side it came from.
func (p *UserPage) link(query UserQuery, order userOrder, further bool) {
	hasNext, hasPrev := further, query.After != ""
	if query.Before != "" {
		hasNext, hasPrev = true, further
	}
	if len(p.Users) == 0 {
		// Whom the cursor knew has gone: all that is left is the way back.
		p.Next, p.Prev = query.Before, query.After
		return
	}
	if hasNext {
		p.Next = order.encode(order.place(p.Users[len(p.Users)-1]))
	}
	if hasPrev {
		p.Prev = order.encode(order.place(p.Users[0]))
	}
}

// Figures counts all users exactly. Its cost grows with the number of users:
// some tens of milliseconds for a million.
func (u *Users) Figures(ctx context.Context) (UserFigures, error) {
	var figures UserFigures
	err := u.store.db.WithContext(ctx).Raw(`
		SELECT (SELECT count(*) FROM users) AS total,
			(SELECT count(*) FROM users WHERE disabled_at <> 0) AS disabled,
			(SELECT count(*) FROM users WHERE role = 'admin') AS admins`).Scan(&figures).Error
	return figures, translate("count users", err)
}

// newUserSearch checks a query and prepares its statements.
func newUserSearch(dialect string, query UserQuery) (*userSearch, error) {
	order, err := orderOf(query.Sort, query.Desc)
	if err != nil {
		return nil, err
	}
	limit := query.Limit
	if limit == 0 {
		limit = defaultPage
	}
	switch {
	case limit < 1 || limit > maxPage,
		query.Status != "" && query.Status != StatusActive && query.Status != StatusDisabled,
		query.Role != "" && query.Role != RoleUser && query.Role != RoleAdmin,
		query.After != "" && query.Before != "",
		!isText(query.Q) || utf8.RuneCountInString(query.Q) > maxSearch:
		return nil, apperr.New(apperr.Malformed, "", nil)
	}
	s := &userSearch{
		dialect: dialect,
		order:   order,
		desc:    query.Desc != (query.Before != ""),
		groups:  userGroups(query.Status, query.Role),
		limit:   limit + 1,
		now:     At(query.Now),
		terms:   newUserTerms(dialect, query.Q),
	}
	if given := query.After + query.Before; given != "" {
		if s.from, err = order.decode(given); err != nil {
			return nil, err
		}
	}
	return s, nil
}
