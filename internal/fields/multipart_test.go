package fields_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey/internal/apperr"
	"latchkey/internal/fields"
)

func TestReadMultipart(t *testing.T) {
	const kind = "multipart/form-data; boundary=x"
	part := func(header, text string) string {
		return "--x\r\nContent-Disposition: form-data; " + header + "\r\n\r\n" + text + "\r\n"
	}
	a := part(`name="a"`, "1")
	for _, test := range []struct {
		name, kind, body string
		want             error
		value            string // of a
	}{
		{"one field", kind, a + "--x--\r\n", nil, "1"},
		{"two fields", kind, part(`name="b"`, "2") + a + "--x--\r\n", nil, "1"},
		{"as typed", kind, part(`name="a"`, " ä+%20\r\n ") + "--x--\r\n", nil, " ä+%20\r\n "},
		{"no fields", kind, "--x--\r\n", nil, ""},
		{"a form that is not multipart", "application/x-www-form-urlencoded", "a=1", nil, "1"},
		{"JSON", "application/json", "{}", apperr.Unsupported, ""},
		{"a file", kind, a + part(`name="f"; filename="f.txt"`, "text") + "--x--\r\n", apperr.Unsupported, ""},
		{"a file for the field", kind, part(`name="a"; filename="f.txt"`, "1") + "--x--\r\n", apperr.Unsupported, ""},
		{"twice", kind, a + a + "--x--\r\n", apperr.Malformed, ""},
		{"a part without a name", kind, part(`x="a"`, "1") + "--x--\r\n", apperr.Malformed, ""},
		{"not closed", kind, a, apperr.Malformed, ""},
		{"an empty body", kind, "", nil, ""},
		{"no boundary", "multipart/form-data", a + "--x--\r\n", apperr.Malformed, ""},
		{"NUL", kind, part(`name="a"`, "\x00") + "--x--\r\n", apperr.Malformed, ""},
		{"not UTF-8", kind, part(`name="a"`, "\xe4") + "--x--\r\n", apperr.Malformed, ""},
		{"too many", kind, strings.Repeat(part(`name="b"`, ""), 51) + "--x--\r\n", apperr.Malformed, ""},
		{"too large", kind, part(`name="a"`, strings.Repeat("x", 8<<10)) + "--x--\r\n", apperr.TooLarge, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/?a=query", strings.NewReader(test.body))
			r.Header.Set("Content-Type", test.kind)
			r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, 8<<10)
			got, err := fields.ReadMultipart(r)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if err == nil && got.Get("a") != test.value {
				t.Errorf("got %q, want %q", got.Get("a"), test.value)
			}
		})
	}
}
