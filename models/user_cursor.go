package models

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"latchkey/internal/apperr"
)

// maxCursor is longer than any cursor.
const maxCursor = 1024

// userOrder is how one order of the list is kept in the table: by columns, the
// last of which no two users share; index begins with them after the groups. In
// a cursor it goes by its letter, a capital when the list goes backwards.
type userOrder struct {
	columns []string
	index   string
	letter  string
}

// orderOf returns the order behind a sort, or apperr.Malformed; desc reverses
// it.
//
// Users who have never signed in follow by age, not by name: in the order of
// their names those that a search finds would all lie together, and a walk past
// the others is long.
func orderOf(sort UserSort, desc bool) (order userOrder, err error) {
	switch sort {
	case SortUsername, "":
		order = userOrder{[]string{"username"}, "users_by_username", "u"}
	case SortEmail:
		order = userOrder{[]string{"email_folded"}, "users_by_email", "e"}
	case SortCreated:
		order = userOrder{[]string{"created_at", "username"}, "users_by_created", "c"}
	case SortLastSignIn:
		order = userOrder{[]string{"last_sign_in_at", "created_at", "username"}, "users_by_last_sign_in", "l"}
	default:
		return order, apperr.New(apperr.Malformed, "", nil)
	}
	if desc {
		order.letter = strings.ToUpper(order.letter)
	}
	return order, nil
}

// everything is a condition on the first column that always holds.
func (o userOrder) everything() string {
	if isInstant(o.columns[0]) {
		return o.columns[0] + " >= 0"
	}
	return o.columns[0] + " >= ''"
}

// isInstant reports whether a column holds a Time; the others hold text.
func isInstant(column string) bool { return strings.HasSuffix(column, "_at") }

// userCursor is the place of a user in an order: the values of its columns.
type userCursor []any

// place returns where row stands.
func (o userOrder) place(row UserRow) userCursor {
	var place userCursor
	for _, column := range o.columns {
		switch column {
		case "username":
			place = append(place, row.Username)
		case "email_folded":
			place = append(place, row.EmailFolded)
		case "created_at":
			place = append(place, row.CreatedAt)
		case "last_sign_in_at":
			place = append(place, row.LastSignInAt)
		}
	}
	return place
}

// encode returns a place as it stands in a URL: the letter and the values,
// parted by NUL, which none of them contains, in unpadded base64url (RFC 4648
// §5).
func (o userOrder) encode(place userCursor) string {
	text := o.letter
	for _, value := range place {
		text += fmt.Sprint("\x00", value)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// decode undoes encode. A cursor of another order is apperr.Malformed, as is
// what was never a cursor.
func (o userOrder) decode(text string) (userCursor, error) {
	malformed := apperr.New(apperr.Malformed, "", nil)
	if len(text) > maxCursor {
		return nil, malformed
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || !utf8.Valid(raw) {
		return nil, malformed
	}
	parts := strings.Split(string(raw), "\x00")
	if parts[0] != o.letter || len(parts) != 1+len(o.columns) {
		return nil, malformed
	}
	var place userCursor
	for i, column := range o.columns {
		if !isInstant(column) {
			place = append(place, parts[1+i])
			continue
		}
		n, err := strconv.ParseInt(parts[1+i], 10, 64)
		if err != nil {
			return nil, malformed
		}
		place = append(place, Time(n))
	}
	return place, nil
}

// isText reports whether both engines take s as text.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }
