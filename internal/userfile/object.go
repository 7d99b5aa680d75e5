package userfile

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// object is a JSON object whose members are read one by one.
type object map[string]jsontext.Value

// read reads the members of the object in data. It refuses a name that is there
// twice and text that is not UTF-8.
func (o *object) read(data []byte) error { return json.Unmarshal(data, o) }

// names returns the names of the members in alphabetical order.
func (o object) names() []string { return slices.Sorted(maps.Keys(o)) }

// text returns a member that is a text, a number, true or false. It returns "" for
// one that is null or missing.
func (o object) text(a *Account, field, name string) string {
	value := o[name]
	switch value.Kind() {
	case '"':
		var text string
		if err := json.Unmarshal(value, &text); err != nil {
			break
		}
		if strings.ContainsRune(text, 0) {
			break
		}
		return text
	case 't', 'f', '0':
		return string(value)
	case 'n', 0:
		return ""
	}
	a.wrong(field, "This value is not a text.")
	return ""
}

// list returns those elements of a member that are texts.
func (o object) list(name string) (texts []string) {
	var values []jsontext.Value
	if json.Unmarshal(o[name], &values) != nil {
		return nil
	}
	for _, value := range values {
		var text string
		if json.Unmarshal(value, &text) == nil {
			texts = append(texts, text)
		}
	}
	return texts
}

// jsonCause returns what is wrong with JSON, for people.
func jsonCause(err error) string {
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(e, io.ErrUnexpectedEOF) {
			return "it ends too early"
		}
		return strings.TrimPrefix(e.Err.Error(), "jsontext: ")
	}
	return "it is of another kind"
}

// jsonFailure returns what is wrong with JSON that cannot be read on.
func (f *File) jsonFailure(err error) error {
	if d, ok := errors.AsType[damage](err); ok {
		return d
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return damage("the JSON ends too early: the file is not complete")
	}
	e, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok {
		return err
	}
	line, failure := lineAt(f.file, e.ByteOffset)
	if failure != nil {
		return failure
	}
	return damage(fmt.Sprintf("line %d is not JSON: %s", line, jsonCause(err)))
}

// entries calls each for every value of the array or object that decoder is at, with
// its name in an object, until it returns false.
func (f *File) entries(decoder *jsontext.Decoder, each func(name string, value jsontext.Value) bool) error {
	begin, err := decoder.ReadToken()
	if err != nil {
		return f.jsonFailure(err)
	}
	for {
		f.text.record()
		name := ""
		switch decoder.PeekKind() {
		case ']', '}':
			if _, err := decoder.ReadToken(); err != nil {
				return f.jsonFailure(err)
			}
			return nil
		}
		if begin.Kind() == '{' {
			token, err := decoder.ReadToken()
			if err != nil {
				return f.jsonFailure(err)
			}
			name = token.String()
		}
		value, err := decoder.ReadValue()
		if err != nil {
			return f.jsonFailure(err)
		}
		if !each(name, value) {
			return nil
		}
	}
}

// end checks that nothing follows the value that decoder has read.
func (f *File) end(decoder *jsontext.Decoder) error {
	_, err := decoder.ReadToken()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return f.jsonFailure(err)
	}
	return damage("there is more behind the end of the JSON: the file has to be one value")
}

// array reads an array of objects, of which user makes accounts. user returns false
// for an object that is no account.
func (f *File) array(yield func(Account) bool, user func(a *Account, o object) bool) error {
	decoder := jsontext.NewDecoder(f.text)
	if decoder.PeekKind() != '[' {
		if _, err := decoder.ReadToken(); err != nil {
			return f.jsonFailure(err)
		}
		return damage("this is not a list of " + f.format.Name())
	}
	return f.people(decoder, true, yield, func(a *Account, _ string, o object) bool { return user(a, o) })
}

// people reads the entries of an array or an object, each of which is an object. last
// says that nothing may follow it.
func (f *File) people(decoder *jsontext.Decoder, last bool, yield func(Account) bool, user func(a *Account, name string, o object) bool) error {
	number, stopped := 0, false
	err := f.entries(decoder, func(name string, value jsontext.Value) bool {
		number++
		a, o := Account{Unit: "entry", Number: number}, object{}
		if err := o.read(value); err != nil {
			a.wrong("", "This entry is not a JSON object.")
		} else if !user(&a, name, o) {
			f.others++
			return true
		}
		stopped = !yield(a)
		return !stopped
	})
	if err != nil || stopped || !last {
		return err
	}
	return f.end(decoder)
}
