// Package apperr classifies failures by how a caller can respond to them.
//
// It knows nothing about HTTP or pages: package handlers maps each Kind to a
// status. An Error has a sentence for the visitor and a separate cause for the
// log.
package apperr

import (
	"errors"
	"time"
)

// Kind is a class of failure. A Kind is itself an error, so that
// errors.Is(err, apperr.NotFound) holds through any wrapping.
type Kind string

// The kinds. An error of no kind is a fault of ours.
const (
	Malformed    Kind = "malformed request"      // the request cannot be understood
	Unauthorized Kind = "not authenticated"      // no one is signed in, or the credentials are wrong
	Forbidden    Kind = "forbidden"              // signed in, and not allowed
	Disabled     Kind = "account disabled"       // the right proof of an account that is disabled
	NotFound     Kind = "not found"              // there is no such thing
	Conflict     Kind = "conflict"               // the current state does not allow it
	TooLarge     Kind = "request too large"      // a body over the limit
	TooSlow      Kind = "request too slow"       // a body that did not arrive in time
	Unsupported  Kind = "unsupported media type" // a body of a type that is not accepted
	Misdirected  Kind = "misdirected request"    // a Host that is not ours
	Invalid      Kind = "invalid input"          // a field that breaks its rule
	TooMany      Kind = "too many requests"      // a limit was reached; waiting helps
	Locked       Kind = "locked"                 // a limit was reached; an admin has to clear it
	Busy         Kind = "server busy"            // no room for the work right now; nothing was done
	Unavailable  Kind = "service unavailable"    // the database or another dependency does not respond
	Canceled     Kind = "request canceled"       // the caller went away
	WrongMethod  Kind = "method not supported"   // the address allows only other methods
	Gone         Kind = "link does not work"     // a one-time link that is used up, expired or unknown
	Loop         Kind = "redirect loop"          // the browser is redirected in a loop
)

// Kinds lists every kind, for tables that must be complete.
func Kinds() []Kind {
	return []Kind{
		Malformed, Unauthorized, Forbidden, Disabled, NotFound, Conflict, TooLarge, TooSlow, Unsupported,
		Misdirected, Invalid, TooMany, Locked, Busy, Unavailable, Canceled, WrongMethod, Gone, Loop,
	}
}

// Error returns the name of the class.
func (k Kind) Error() string { return string(k) }

// Error is a classified failure.
type Error struct {
	Kind       Kind
	Message    string        // a sentence for the visitor; may be empty
	Field      string        // the form field it belongs to, for Invalid and Conflict
	RetryAfter time.Duration // how long to wait, for TooMany, Locked, Busy and Unavailable
	cause      error         // for the log only
}

// New returns a failure of kind k with a sentence for the visitor and the
// cause for the log, either of which may be empty.
func New(k Kind, message string, cause error) *Error {
	return &Error{Kind: k, Message: message, cause: cause}
}

// Wait returns a failure of kind k that passes after d.
func Wait(k Kind, d time.Duration, message string, cause error) *Error {
	return &Error{Kind: k, Message: message, RetryAfter: d, cause: cause}
}

// Error returns the class and the cause: a text for logs, never for visitors.
func (e *Error) Error() string {
	switch {
	case e.cause != nil:
		return string(e.Kind) + ": " + e.cause.Error()
	case e.Message != "":
		return string(e.Kind) + ": " + e.Message
	}
	return string(e.Kind)
}

// Unwrap gives the class and the cause, so that errors.Is finds both.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.cause}
}

// KindOf returns the class of err, or "" when it has none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var k Kind
	if errors.As(err, &k) {
		return k
	}
	if errors.Is(err, Invalid) {
		return Invalid
	}
	return ""
}

// Details returns the outermost Error in err's chain; when there is none, an
// Error of err's kind.
func Details(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: KindOf(err), cause: err}
}

// Fields is invalid input: the errors of the fields, in the order of the form.
// Its kind is Invalid.
type Fields []FieldError

// FieldError is the error of one form field.
type FieldError struct {
	Field   string
	Message string // a sentence for the visitor
}

// Error names the fields, for logs.
func (f Fields) Error() string {
	text := string(Invalid) + ":"
	for _, field := range f {
		text += " " + field.Field
	}
	return text
}

// Is reports that f is of kind Invalid.
func (f Fields) Is(target error) bool { return target == Invalid }

// Add appends a field's error unless message is empty.
func (f *Fields) Add(field, message string) {
	if message != "" {
		*f = append(*f, FieldError{Field: field, Message: message})
	}
}

// Err returns f, or nil when no field is wrong.
func (f Fields) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}
