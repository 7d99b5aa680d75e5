package userfile

import (
	"bufio"
	"bytes"
	"errors"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"
)

// usersKey is how the accounts begin in a file of Authelia.
var usersKey = regexp.MustCompile(`(?m)^users[ \t]*:`)

// detect returns the format of the file, judged by how it begins.
func (f *File) detect() (Format, error) {
	t, err := newText(f.file)
	if err != nil {
		return "", err
	}
	t.whole()
	start, err := bufio.NewReaderSize(t, readAhead).Peek(readAhead)
	if len(start) == 0 && err != nil {
		if _, ok := errors.AsType[damage](err); ok {
			return "", err
		}
		return "", damage("the file is empty")
	}
	start = bytes.TrimLeft(start, " \t\r\n")
	switch {
	case len(start) == 0:
		return "", damage("the file is empty")
	case start[0] == '[':
		return detectArray(start), nil
	case start[0] == '{':
		return detectObject(start, err != nil), nil
	case usersKey.Match(start):
		return Authelia, nil
	}
	return CSV, nil
}

// detectArray tells the two formats that are arrays apart: each object of a Django
// dump names its model.
func detectArray(start []byte) Format {
	decoder := jsontext.NewDecoder(bytes.NewReader(start))
	for range 2 { // the array and its first object
		if _, err := decoder.ReadToken(); err != nil {
			return PocketBase
		}
	}
	for decoder.PeekKind() == '"' {
		name, err := decoder.ReadToken()
		if err != nil {
			break
		}
		if name.String() == "model" {
			return Django
		}
		if decoder.SkipValue() != nil {
			break
		}
	}
	return PocketBase
}

// detectObject tells the three formats that begin with an object apart. In a FastAPI
// service's dictionary the first value is an object, in a realm of Keycloak it is a
// text or the list of users, and a line is a whole object with simple values. all says
// that start is the whole file.
func detectObject(start []byte, all bool) Format {
	line, _, ended := bytes.Cut(start, []byte{'\n'})
	line, row := bytes.TrimSpace(line), object{}
	if err := row.read(line); err != nil && (ended || all) && bytes.HasSuffix(line, []byte{'}'}) {
		return JSONLines // says what is wrong with the line
	} else if err == nil && row["realm"] == nil && row["users"] == nil {
		for _, value := range row {
			if value.Kind() != '{' {
				return JSONLines
			}
		}
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(start))
	for range 2 { // the object and its first name
		if _, err := decoder.ReadToken(); err != nil {
			return JSONLines
		}
	}
	if decoder.PeekKind() == '{' {
		return FastAPI
	}
	return Keycloak
}
