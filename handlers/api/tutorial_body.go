package api

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"latchkey/internal/apperr"
	"latchkey/internal/fields"
)

// readTutorial reads a body in tutorial dialect: a form, a multipart form, or a
// JSON object whose members are text. Like FastAPI, it reads a body without a
// content type as JSON, and ignores unknown members.
func readTutorial(r *http.Request) (fields.Values, error) {
	kind := r.Header.Get("Content-Type")
	media, _, err := mime.ParseMediaType(kind)
	switch {
	case kind == "" && r.ContentLength == 0:
		return fields.Values{}, nil
	case kind == "":
	case err != nil || media != "application/json":
		return fields.ReadMultipart(r)
	case otherCharset(kind):
		return nil, apperr.New(apperr.Unsupported, "Send the JSON as UTF-8 (RFC 8259 §8.1).", nil)
	}
	body, err := io.ReadAll(r.Body) // bounded (middleware.Bounds)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(body) {
		return nil, apperr.New(apperr.Malformed, "The JSON has characters that are not UTF-8.", nil)
	}
	return readObject(body)
}

// textMembers are the members that are read. The value says whether null is
// allowed and stands for an empty text.
var textMembers = map[string]bool{
	"username": false, "password": false, "email": true, "full_name": true, "scope": true, "client_id": true, "client_secret": true,
}

// readObject reads a JSON object. Its failures are fieldFaults, which never
// repeat a value: one may be a password.
func readObject(body []byte) (fields.Values, error) {
	var faults fieldFaults
	if len(bytes.TrimSpace(body)) == 0 {
		faults.add("missing", "", "Field required")
		return nil, faults
	}
	if !json.Valid(body) {
		faults.add("json_invalid", "", "JSON decode error")
		return nil, faults
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		faults.add("model_attributes_type", "", "Input should be a valid dictionary or object to extract fields from")
		return nil, faults
	}
	values, seen := url.Values{}, map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if seen[name] {
			faults.add("value_error", name, "This field occurs twice.")
		}
		seen[name] = true
		if nullable, read := textMembers[name]; read && (string(value) != "null" || !nullable) {
			readText(values, &faults, name, value)
		}
	}
	if faults != nil {
		return nil, faults
	}
	return fields.Values(values), nil
}

// readText reads the value of one member.
func readText(values url.Values, faults *fieldFaults, name string, value json.RawMessage) {
	var text string
	switch err := json.Unmarshal(value, &text); {
	case err != nil || string(value) == "null":
		faults.add("string_type", name, "Input should be a valid string")
	case strings.ContainsRune(text, 0), strings.ContainsRune(text, utf8.RuneError) && bytes.Contains(value, []byte(`\u`)):
		// The second is half a surrogate pair, which package json replaces.
		faults.add("value_error", name, "This field has characters that cannot be read.")
	default:
		values.Set(name, text)
	}
}
