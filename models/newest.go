package models

import (
	"encoding/base64"
	"slices"
	"strconv"

	"gorm.io/gorm"
)

// NewestFirst chooses a page of a list whose newest rows come first. After and
// Before are cursors of another page of it: the page that follows, or the one in
// front. At most one is set.
type NewestFirst struct {
	After, Before string
	Limit         int
}

// newestFirst reads a page and the cursors of the pages beside it, "" when there
// is none. at is the column with the instant of a row, place returns that instant
// and the row's id. A cursor that is not ours is apperr.Malformed.
func newestFirst[T any](db *gorm.DB, what, at string, q NewestFirst, place func(T) (Time, string)) (rows []T, next, prev string, err error) {
	backwards := q.Before != ""
	if cursor := q.After + q.Before; cursor != "" {
		instant, id, err := parseAuditCursor(cursor)
		if err != nil {
			return nil, "", "", err
		}
		sign := map[bool]string{true: ">", false: "<"}[backwards]
		db = db.Where("("+at+", id) "+sign+" (?, ?)", instant, id)
	}
	order := at + " DESC, id DESC"
	if backwards {
		order = at + ", id"
	}
	if err := db.Order(order).Limit(q.Limit + 1).Find(&rows).Error; err != nil {
		return nil, "", "", translate(what, err)
	}
	more := len(rows) > q.Limit
	if more {
		rows = rows[:q.Limit]
	}
	if len(rows) == 0 { // the rows are gone: link only back
		return nil, q.Before, q.After, nil
	}
	if backwards {
		slices.Reverse(rows)
	}
	if more || backwards {
		next = placeCursor(place(rows[len(rows)-1]))
	}
	if q.After != "" || backwards && more {
		prev = placeCursor(place(rows[0]))
	}
	return rows, next, prev, nil
}

// placeCursor is the cursor of a row in a list that is sorted by an instant and
// an id.
func placeCursor(at Time, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(int64(at), 10) + " " + id))
}
