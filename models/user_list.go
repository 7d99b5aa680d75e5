package models

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"latchkey/internal/apperr"
)

const (
	// maxCounted is the largest number of results that a page shows exactly.
	maxCounted = 1000
	// maxSorted is the largest number of results that are all read and sorted.
	maxSorted = 20_000
	// maxPage is the most users a page holds, maxBatch the most that Batch
	// returns, defaultPage the number when the query names none.
	maxPage, maxBatch, defaultPage = 100, 1000, 25
	// maxSearch is the longest search in code points, maxWords the most words.
	maxSearch, maxWords = 256, 16
)

// UserStatus is the state of an account. Every account has exactly one.
type UserStatus string

// The states by which the list can be filtered. An invited account has no
// password yet. If it is disabled as well, its state is disabled.
const (
	StatusActive   UserStatus = "active"
	StatusDisabled UserStatus = "disabled"
	StatusInvited  UserStatus = "invited"
)

// UserStep is a filter by the factors of an account besides its password.
type UserStep string

// The filters.
const (
	StepApp     UserStep = "app"     // an authenticator app: two-step sign-in is on
	StepPasskey UserStep = "passkey" // a passkey
	StepNone    UserStep = "none"    // neither
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
	// the name. A word without a letter or a digit is ignored. An id finds its
	// user.
	Q      string
	Status UserStatus // "": all
	Role   Role       // "": both
	Step   UserStep   // "": all
	Sort   UserSort   // "": SortMatch with a search, else SortUsername
	Desc   bool
	// After and Before are cursors of an earlier page of the same order: the
	// page that follows, or the one in front. At most one is set.
	After, Before string
	Limit         int       // 1 to 100, for Batch to 1,000; 0: 25
	Now           time.Time // decides which sessions are live
}

// UserRow is one line of the list.
type UserRow struct {
	ID                string
	Username          string
	Email             string
	EmailVerifiedAt   Time // zero: not verified
	FullName          string
	PasswordChangedAt Time // zero: no password yet
	Role              Role
	DisabledAt        Time
	LastSignInAt      Time
	CreatedAt         Time
	Sessions          int  // live ones
	App               bool // two-step sign-in is on
	Passkeys          int
	Key               string // of the list's order, for cursors
}

// Status returns the state of the account.
func (r UserRow) Status() UserStatus { return statusOf(r.DisabledAt, r.PasswordChangedAt) }

func statusOf(disabledAt, passwordChangedAt Time) UserStatus {
	switch {
	case !disabledAt.IsZero():
		return StatusDisabled
	case passwordChangedAt.IsZero():
		return StatusInvited
	}
	return StatusActive
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
	Apps                    int64 // accounts with an authenticator app
	Passkeys                int64 // accounts with a passkey
}

// List returns a page of users. It returns apperr.Malformed for a query that no
// page sends, such as an unknown order or a foreign cursor.
func (u *Users) List(ctx context.Context, query UserQuery) (UserPage, error) {
	return u.list(ctx, query, maxPage, maxCounted, maxSorted)
}

// Batch is List for a download, with more users at a time.
func (u *Users) Batch(ctx context.Context, query UserQuery) (UserPage, error) {
	return u.list(ctx, query, maxBatch, maxCounted, maxSorted)
}

func (u *Users) list(ctx context.Context, query UserQuery, most, counted, sorted int) (page UserPage, err error) {
	s, err := u.newUserSearch(ctx, query, most)
	if err != nil || s == nil {
		return page, err
	}
	if len(s.words) > 0 {
		if page.Incomplete, err = u.unsearchable(ctx); err != nil {
			return page, err
		}
	}
	found, err := s.count(sorted + 1)
	if err != nil {
		return page, translate("count users of the list", err)
	}
	page.Count, page.More = min(found, counted), found > counted
	read := s.sorted
	if found > sorted {
		read = s.walked
	}
	if page.Users, err = read(); err != nil {
		return page, translate("list users", err)
	}
	more, back := len(page.Users) > s.Limit, query.Before != ""
	if more {
		page.Users = page.Users[:s.Limit]
	}
	if len(page.Users) == 0 { // they were deleted: link only back
		page.Next, page.Prev = query.Before, query.After
		return page, nil
	}
	if back {
		slices.Reverse(page.Users)
	}
	if more || back {
		page.Next = s.order.cursor(page.Users[len(page.Users)-1])
	}
	if back && more || query.After != "" {
		page.Prev = s.order.cursor(page.Users[0])
	}
	return page, nil
}

// newUserSearch checks a query for at most most users and splits its search into
// words. It returns nil for a search that has only marks: it finds no users.
func (u *Users) newUserSearch(ctx context.Context, query UserQuery, most int) (*userSearch, error) {
	s := &userSearch{
		UserQuery: query, db: u.store.db.WithContext(ctx), after: ">",
		same: gorm.Expr("(username = ? OR email_folded = ?)", FoldUsername(query.Q), FoldEmail(query.Q)),
	}
	typed := strings.Fields(query.Q)
	if id := FoldUsername(query.Q); IsID(id) {
		named, err := u.Named(ctx, []string{id})
		if err != nil {
			return nil, err
		}
		if named[id] != nil {
			s.id, typed = id, nil
		}
	}
	for _, word := range typed {
		if word = searchWord(word); word != "" {
			s.words = append(s.words, word)
		}
	}
	if s.Sort = cmp.Or(s.Sort, SortMatch); s.Sort == SortMatch && len(s.words) == 0 {
		s.Sort = SortUsername
	}
	var known bool
	if s.order, known = userOrders[s.Sort]; !known ||
		s.Limit < 0 || s.Limit > most || !slices.Contains([]UserStatus{"", StatusActive, StatusDisabled, StatusInvited}, s.Status) ||
		s.Role != "" && s.Role != RoleUser && s.Role != RoleAdmin ||
		!slices.Contains([]UserStep{"", StepApp, StepPasskey, StepNone}, s.Step) ||
		s.After != "" && s.Before != "" ||
		!isText(s.Q) || utf8.RuneCountInString(s.Q) > maxSearch || len(typed) > maxWords {
		return nil, apperr.New(apperr.Malformed, "", nil)
	}
	if len(s.words) == 0 && len(typed) > 0 {
		return nil, nil
	}
	s.Limit = cmp.Or(s.Limit, defaultPage)
	if s.Desc {
		s.order.letter = strings.ToUpper(s.order.letter)
	}
	if s.Desc != (s.Before != "") {
		s.after, s.by = "<", " DESC"
	}
	if cursor := s.After + s.Before; cursor != "" {
		from, err := s.order.place(cursor)
		if err != nil {
			return nil, err
		}
		s.from = from
	}
	return s, nil
}

// userOrder is an order of the list: by a key, then by username. Its cursors
// have its letter, a capital when the list is reversed.
type userOrder struct {
	key    string // a column; columnRank is computed
	letter string
	number bool // the key is a number, not text
}

// columnRank is how well a user matches a search.
const columnRank = "rank"

var userOrders = map[UserSort]userOrder{
	SortUsername:   {"username", "u", false},
	SortEmail:      {"email_folded", "e", false},
	SortCreated:    {"created_at", "c", true},
	SortLastSignIn: {"last_sign_in_at", "l", true},
	SortMatch:      {columnRank, "m", true},
}

// cursor returns the place of a user for a URL: the order's letter, the key and
// the username, separated by NUL, which none of them contains, in unpadded
// base64url (RFC 4648 §5).
func (o userOrder) cursor(row UserRow) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join([]string{o.letter, row.Key, row.Username}, "\x00")))
}

// place returns the key and the username in a cursor. A cursor of another order
// is apperr.Malformed, as is any other text.
func (o userOrder) place(cursor string) ([]any, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	parts := strings.Split(string(raw), "\x00")
	if err != nil || len(cursor) > 1024 || !utf8.Valid(raw) || len(parts) != 3 || parts[0] != o.letter {
		return nil, apperr.New(apperr.Malformed, "", err)
	}
	if !o.number {
		return []any{parts[1], parts[2]}, nil
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return nil, apperr.New(apperr.Malformed, "", err)
	}
	return []any{n, parts[2]}, nil
}

// Figures counts all users exactly. Its cost grows with the number of users:
// some tens of milliseconds for a million.
func (u *Users) Figures(ctx context.Context) (UserFigures, error) {
	var figures UserFigures
	err := u.store.db.WithContext(ctx).Raw(`
		SELECT (SELECT count(*) FROM users) AS total,
			(SELECT count(*) FROM users WHERE disabled_at <> 0) AS disabled,
			(SELECT count(*) FROM users WHERE role = 'admin') AS admins,
			(SELECT count(*) FROM users WHERE ` + hasApp + `) AS apps,
			(SELECT count(*) FROM users WHERE ` + hasPasskey + `) AS passkeys`).Scan(&figures).Error
	return figures, translate("count users", err)
}
