package site

import (
	"errors"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/fields"
	"latchkey/models"
	"latchkey/views/components"
)

// Form has the fields of a POST's body, each at most once.
type Form = fields.Values

// ReadForm reads the body, never the query (package fields).
func ReadForm(c echo.Context) (Form, error) { return fields.Read(c.Request()) }

// ReadFormList is ReadForm for a form in which one field may occur many times
// (fields.ReadList).
func ReadFormList(c echo.Context, name string) (Form, []string, error) {
	return fields.ReadList(c.Request(), name)
}

// ReadQuery returns the query, by the same rules.
func ReadQuery(c echo.Context) (Form, error) { return fields.Query(c.Request()) }

// PathID returns an id in a route's path, or apperr.NotFound.
func PathID(c echo.Context, name string) (string, error) {
	id := c.Param(name)
	if !models.IsID(id) {
		return "", apperr.New(apperr.NotFound, "", nil)
	}
	return id, nil
}

// Messages for a limit that has none of its own.
const (
	TooManyAttempts = "Too many attempts."
	TooManyWrong    = "Too many attempts with a wrong password."
)

// Problems returns the problems that a form shows for a failure, or the failure
// itself when a form cannot show it. limit is the message for an apperr.TooMany
// that has none.
func (s *Site) Problems(failure error, limit string) (components.Errors, error) {
	switch apperr.KindOf(failure) {
	case apperr.TooMany, apperr.Locked:
		return components.Errors{s.TooMany(failure, limit)}, nil
	case apperr.Conflict:
		return components.Errors{{Text: apperr.Details(failure).Message}}, nil
	}
	return FieldErrors(failure)
}

// FieldErrors returns the errors of apperr.Fields for a page; it returns any
// other failure as it is.
func FieldErrors(failure error) (components.Errors, error) {
	invalid, ok := errors.AsType[apperr.Fields](failure)
	if !ok {
		return nil, failure
	}
	var list components.Errors
	for _, f := range invalid {
		list.Add(f.Field, f.Message)
	}
	return list, nil
}

// TooMany says when the person can try again. what is the message for a failure
// that has none.
func (s *Site) TooMany(failure error, what string) components.FieldError {
	limit := apperr.Details(failure)
	if limit.Kind == apperr.Locked {
		text := limit.Message + " Your account is safe."
		if s.Brand.SupportEmail != "" {
			text += " Ask " + s.Brand.SupportEmail + " to unlock it."
		}
		return components.FieldError{Text: text, Email: s.Brand.SupportEmail}
	}
	safe := ". Your account is safe."
	if limit.Message != "" {
		what, safe = limit.Message, "."
	}
	wait := max(limit.RetryAfter, time.Second)
	return components.Timed{
		Before: what + " You can try again in " + Roughly(wait) + ", at ", At: s.Now().Add(wait), After: safe,
	}.Problem()
}
