package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"latchkey/internal/apperr"
)

// jsonFormat reads and writes JSON bodies.
func jsonFormat() huma.Format {
	return huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: readJSON}
}

// memberError begins the text of an error about a member of an object that
// package json accepts, but that two parsers could read differently. Huma passes
// only the text on.
const memberError = "member "

// readJSON is json.Unmarshal for bodies, which are flat objects: every name
// occurs once and is written as documented, and no value is null.
func readJSON(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("not UTF-8") // package json would replace the invalid bytes
	}
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	if _, first := v.(*any); !first {
		return nil // Huma reads every body twice: first to check it
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return err
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		name, _ := token.(string)
		switch {
		case name != strings.ToLower(name):
			return memberFault(name, noSuchField)
		case seen[name]:
			return memberFault(name, "This field occurs twice.")
		case string(value) == "null":
			return memberFault(name, "Expected a value, not null.")
		}
		seen[name] = true
	}
	return nil
}

// otherCharset reports whether a media type names a charset other than UTF-8,
// the only one of JSON (RFC 8259 §8.1).
func otherCharset(mediaType string) bool {
	_, parameters, err := mime.ParseMediaType(mediaType)
	charset := parameters["charset"]
	return err == nil && charset != "" && !strings.EqualFold(charset, "utf-8")
}

// memberFault is an error whose text fieldFault reads again.
func memberFault(name, sentence string) error {
	return &huma.ErrorDetail{Message: memberError + sentence + "\n" + name}
}

// fieldFault reads the text of a memberFault.
func fieldFault(text string) (apperr.Fields, bool) {
	rest, found := strings.CutPrefix(text, memberError)
	sentence, name, ok := strings.Cut(rest, "\n")
	return apperr.Fields{{Field: clip(name), Message: sentence}}, found && ok
}
