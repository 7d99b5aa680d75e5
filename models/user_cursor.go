package models

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"

	"latchkey/internal/apperr"
)

// userOrder is one order of the list: by key, then by username. A cursor has
// its letter, a capital when the list is reversed.
type userOrder struct {
	key    string // a column; columnRank is computed
	number bool   // the key is a number, not text
	letter string
}

// columnRank is how well a user matches a search.
const columnRank = "rank"

// orderOf returns the order behind a sort, or apperr.Malformed; desc reverses
// it.
func orderOf(sort UserSort, desc bool) (order userOrder, err error) {
	switch sort {
	case SortUsername:
		order = userOrder{"username", false, "u"}
	case SortEmail:
		order = userOrder{"email_folded", false, "e"}
	case SortCreated:
		order = userOrder{"created_at", true, "c"}
	case SortLastSignIn:
		order = userOrder{"last_sign_in_at", true, "l"}
	case SortMatch:
		order = userOrder{columnRank, true, "m"}
	default:
		return order, apperr.New(apperr.Malformed, "", nil)
	}
	if desc {
		order.letter = strings.ToUpper(order.letter)
	}
	return order, nil
}

// encode returns the place of a user for a URL: the order's letter, the key and
// the username, separated by NUL, which none of them contains, in unpadded
// base64url (RFC 4648 §5).
func (o userOrder) encode(row UserRow) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join([]string{o.letter, row.Key, row.Username}, "\x00")))
}

// decode returns the key and the username in a cursor. A cursor of another
// order is apperr.Malformed, as is anything that is no cursor.
func (o userOrder) decode(text string) ([]any, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	parts := strings.Split(string(raw), "\x00")
	if err != nil || len(text) > 1024 || !utf8.Valid(raw) || len(parts) != 3 || parts[0] != o.letter {
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
