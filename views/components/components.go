// Package components holds the parts that pages are made of: fields, buttons,
// messages, times, confirmations.
//
// It decides their HTML, and so how they work with a keyboard, a screen reader and
// a password manager. Their look is in static/css/app.css, their script in
// static/js/app.js, and nearly all texts come from the page. The package knows no
// requests, users or clocks.
package components

// Tone is the meaning of a message or a badge. Its value is also its CSS class.
type Tone string

// The tones. Only badges are Plain.
const (
	Plain Tone = ""
	OK    Tone = "ok"
	Info  Tone = "info"
	Warn  Tone = "warn"
	Bad   Tone = "bad"
)

// Message is one sentence with its tone.
type Message struct {
	Tone Tone
	Text string
	// Email is an email address that occurs in Text, "" for none.
	Email string
}

// Link is a text with a URL.
type Link struct {
	Label string
	URL   string
}

// Hidden is a form value the person does not see.
type Hidden struct {
	Name  string
	Value string
}

// FieldError is the error of one field of a form.
type FieldError struct {
	// Field is the name of the field, or the purpose of a password field; empty
	// for a problem of the whole form.
	Field string
	// Text is the sentence beside the field and in the error summary.
	Text string
	// Timed is the text of a problem that passes with time, nil for others.
	Timed *Timed
	// Email is an email address that occurs in the text, "" for none.
	Email string
}

// Errors are the problems of a form in the order of its fields. The zero value
// is a form without problems.
type Errors []FieldError

// Add appends a problem of the named field.
func (e *Errors) Add(field, text string) {
	*e = append(*e, FieldError{Field: field, Text: text})
}

// Any reports whether there is at least one problem.
func (e Errors) Any() bool {
	return len(e) > 0
}

// For returns the first problem of the named field, or "" when it has none.
func (e Errors) For(field string) string {
	for _, err := range e {
		if err.Field == field {
			return err.Text
		}
	}
	return ""
}
