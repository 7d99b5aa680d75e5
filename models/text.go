package models

import (
	"errors"
	"reflect"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"latchkey/internal/apperr"
)

// errNotText is the cause of an error for a string that isText refuses.
var errNotText = errors.New("a string has a NUL or is not UTF-8")

// isText reports whether both engines can store s. PostgreSQL refuses a NUL and
// anything that is not UTF-8.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// checkText fails a statement that is being built when value, its next argument,
// is a string that no row can hold: with apperr.NotFound when rows are looked up
// by it, and with apperr.Malformed when it would be stored. Both dialects call
// it, so that no statement has to.
func checkText(statement *gorm.Statement, value any) {
	s := reflect.Indirect(reflect.ValueOf(value))
	if s.Kind() != reflect.String || isText(s.String()) {
		return
	}
	kind := apperr.Malformed
	if strings.Contains(statement.SQL.String(), "WHERE ") {
		kind = apperr.NotFound
	}
	_ = statement.AddError(apperr.New(kind, "", errNotText))
}
