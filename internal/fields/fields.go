// Package fields reads the fields of forms and queries by one set of rules:
// each field at most once, a limited number of fields, readable text. It does
// not know which fields a form has.
package fields

import (
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"latchkey/internal/apperr"
)

// most is the maximum number of fields in a request.
const most = 50

// Values are fields that occurred at most once each.
type Values url.Values

// Get returns a field as it was typed, or "" when it is missing.
func (v Values) Get(name string) string { return url.Values(v).Get(name) }

// Has reports whether a field is there, even if it is empty.
func (v Values) Has(name string) bool { return url.Values(v).Has(name) }

// Or returns a field as it was typed, or otherwise when it is missing.
func (v Values) Or(name, otherwise string) string {
	if !url.Values(v).Has(name) {
		return otherwise
	}
	return v.Get(name)
}

// Read reads the form in a request's body, never the query. It returns
// apperr.TooLarge, apperr.Unsupported, or apperr.Malformed for too many fields,
// a duplicate field, a NUL, or text that is not UTF-8.
func Read(r *http.Request) (Values, error) {
	values, err := parse(r)
	if err != nil {
		return nil, err
	}
	return Values(values), check(values)
}

// ReadList is Read for a form in which one field may occur many times. It returns
// the values of that field apart from the others, in the order of the form.
func ReadList(r *http.Request, name string) (others Values, list []string, err error) {
	values, err := parse(r)
	if err != nil {
		return nil, nil, err
	}
	list, values = values[name], maps.Clone(values)
	delete(values, name)
	for _, value := range list {
		if err := check(url.Values{name: {value}}); err != nil {
			return nil, nil, err
		}
	}
	return Values(values), list, check(values)
}

func parse(r *http.Request) (url.Values, error) {
	if !IsForm(r) {
		if r.ContentLength == 0 {
			return url.Values{}, nil
		}
		return nil, apperr.New(apperr.Unsupported, "", nil)
	}
	r.Header.Set("Content-Type", formType) // without parameters, because ParseForm fails on broken ones
	if err := r.ParseForm(); err != nil {
		return nil, unreadable(err)
	}
	return r.PostForm, nil
}

const formType = "application/x-www-form-urlencoded"

// IsForm reports whether a request says that its body is a form. It ignores
// parameters, even broken ones: the type has none.
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
