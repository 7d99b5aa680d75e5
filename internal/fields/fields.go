// Package fields reads what a form or a query says, by one set of rules: each
// field at most once, not too many of them, text that can be read. It knows
// nothing about which fields there are.
package fields

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"latchkey/internal/apperr"
)

// most is how many fields a request may bring.
const most = 50

// Values are fields, each of which came at most once.
type Values url.Values

// Get returns a field as it was typed, "" when it did not come.
func (v Values) Get(name string) string { return url.Values(v).Get(name) }

// Or returns a field as it was typed, otherwise when it did not come.
func (v Values) Or(name, otherwise string) string {
	if !url.Values(v).Has(name) {
		return otherwise
	}
	return v.Get(name)
}

// Read reads the form in a request's body, never the query. It returns
// apperr.TooLarge, apperr.Unsupported or apperr.Malformed: too many fields, one
// that came twice, a NUL, text that is not UTF-8.
func Read(r *http.Request) (Values, error) {
	if !IsForm(r) {
		if r.ContentLength == 0 {
			return Values{}, nil
		}
		return nil, apperr.New(apperr.Unsupported, "", nil)
	}
	r.Header.Set("Content-Type", formType) // without parameters: ParseForm fails at one that it cannot read
	if err := r.ParseForm(); err != nil {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, apperr.New(apperr.TooLarge, "", tooLarge)
		}
		return nil, apperr.New(apperr.Malformed, "The form could not be read.", err)
	}
	return Values(r.PostForm), check(r.PostForm)
}

const formType = "application/x-www-form-urlencoded"

// IsForm reports whether a request says that its body is a form. Parameters of
// the type do not matter, not even broken ones: the type has none.
func IsForm(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter)) && media == formType
}

// Query returns the query with the same rules.
func Query(r *http.Request) (Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, apperr.New(apperr.Malformed, "The query of the address could not be read.", err)
	}
	return Values(values), check(values)
}

func check(values url.Values) error {
	if len(values) > most {
		return apperr.New(apperr.Malformed, "The request has too many fields.", nil)
	}
	for name, list := range values {
		if len(list) > 1 {
			return apperr.New(apperr.Malformed, "The request names a field twice.", nil)
		}
		if !utf8.ValidString(name) || !utf8.ValidString(list[0]) || strings.ContainsRune(list[0], 0) {
			return apperr.New(apperr.Malformed, "The request has characters that cannot be read.", nil)
		}
	}
	return nil
}
