package models

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"latchkey/internal/apperr"
)

const (
	// maxCounted is the largest number of results that are counted exactly and
	// all read to sort them.
	maxCounted = 1000
	// walked is how many users are read in the order of the list when more than
	// maxCounted match, before all matches are read and sorted.
	walked = 10_000
	// maxPage is the most users a page holds, defaultPage the number when the
	// query names none.
	maxPage, defaultPage = 100, 25
	// maxSearch is the longest search in code points, maxWords the most words.
	maxSearch, maxWords = 256, 16
)

// UserStatus says whether an account is active.
type UserStatus string

// The states by which the list can be filtered.
const (
	StatusActive   UserStatus = "active"
	StatusDisabled UserStatus = "disabled"
)

// UserSort is the order of a list of users.
type UserSort string

// The orders. Users who share an instant or a rank follow by username.
const (
	SortUsername   UserSort = "username"
	SortEmail      UserSort = "email"
	SortCreated    UserSort = "created"
	SortLastSignIn UserSort = "last_sign_in"
	SortMatch      UserSort = "match" // best matches of a search first
)

// UserQuery says which users to list. The zero value of every field but Now is
// valid: all users, by username, the first page.
type UserQuery struct {
	// Q finds users by words, without regard to case and accents: each word of
	// three characters or more is contained in the username, the address or the
	// full name, each shorter one begins the username, the address or a word of
	// the name. An id finds its user.
	Q      string
	Status UserStatus // "": both
	Role   Role       // "": both
	Sort   UserSort   // "": SortMatch with a search, else SortUsername
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
	FullName          string
	PasswordChangedAt Time // zero: no password yet
	Role              Role
	DisabledAt        Time
	LastSignInAt      Time
	CreatedAt         Time
	Sessions          int    // live ones
	Key               string // of the list's order, for cursors
}

// UserPage is one page of the list.
type UserPage struct {
	Users []UserRow
	Count int  // of all pages together, at most 1,000
	More  bool // there are more than 1,000
	// Incomplete says that some accounts cannot be searched yet: their text is
	// still being prepared (FillSearch). Only set for a search.
	Incomplete bool
	// Next and Prev are cursors for After and Before; "": there is no such page.
	Next, Prev string
}

// UserFigures are the numbers of the overview.
type UserFigures struct {
	Total, Disabled, Admins int64
}

// List returns a page of users. It returns apperr.Malformed for a query that no
// page sends, such as an unknown order or a foreign cursor.
func (u *Users) List(ctx context.Context, query UserQuery) (UserPage, error) {
	return u.list(ctx, query, maxCounted, walked)
}

func (u *Users) list(ctx context.Context, query UserQuery, counted, walked int) (UserPage, error) {
	if query.Sort == "" {
		query.Sort = SortMatch
	}
	s, err := u.newUserSearch(ctx, query)
	if err != nil {
		return UserPage{}, err
	}
	s.counted, s.walked = counted, walked
	page, err := u.search(ctx, s)
	if err != nil {
		return UserPage{}, translate("list users", err)
	}
	further := len(page.Users) == s.limit // the row beyond the page was found
	if further {
		page.Users = page.Users[:s.limit-1]
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
		// The users on this page were deleted: link only back.
		p.Next, p.Prev = query.Before, query.After
		return
	}
	if hasNext {
		p.Next = order.encode(p.Users[len(p.Users)-1])
	}
	if hasPrev {
		p.Prev = order.encode(p.Users[0])
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

// newUserSearch checks a query and splits its search into words.
func (u *Users) newUserSearch(ctx context.Context, query UserQuery) (*userSearch, error) {
	s := &userSearch{
		postgres: u.store.dialect == dialectPostgres, status: query.Status, role: query.Role,
		desc: query.Desc != (query.Before != ""), limit: cmp.Or(query.Limit, defaultPage) + 1, now: At(query.Now),
		exact: []any{FoldUsername(query.Q), FoldEmail(query.Q)},
	}
	for _, word := range strings.Fields(query.Q) {
		if word = searchWord(word); word != "" {
			s.words = append(s.words, word)
		}
	}
	if len(s.words) == 0 && query.Sort == SortMatch {
		query.Sort = SortUsername
	}
	var err error
	if s.order, err = orderOf(query.Sort, query.Desc); err != nil {
		return nil, err
	}
	if query.Limit < 0 || query.Limit > maxPage ||
		query.Status != "" && query.Status != StatusActive && query.Status != StatusDisabled ||
		query.Role != "" && query.Role != RoleUser && query.Role != RoleAdmin ||
		query.After != "" && query.Before != "" ||
		!isText(query.Q) || utf8.RuneCountInString(query.Q) > maxSearch || len(s.words) > maxWords {
		return nil, apperr.New(apperr.Malformed, "", nil)
	}
	if given := query.After + query.Before; given != "" {
		if s.from, err = s.order.decode(given); err != nil {
			return nil, err
		}
	}
	if id := FoldUsername(query.Q); IsID(id) {
		existing, err := u.Named(ctx, []string{id})
		if err != nil {
			return nil, err
		}
		if existing[id] != nil {
			s.id, s.words = id, nil
		}
	}
	return s, nil
}
