package fields_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/apperr"
	"latchkey/internal/fields"
)

func TestRead(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		name, kind, body string
		want             error
		value            string // of a
	}{
		{"a form", form, "a=1&b=2", nil, "1"},
		{"with a charset", form + "; charset=UTF-8", "a=%C3%A4", nil, "ä"},
		{"with a charset that is no parameter", form + ";UTF-8", "a=%C3%A4", nil, "ä"},
		{"with half a parameter", form + "; charset=", "a=1", nil, "1"},
		{"with a parameter twice", form + "; charset=UTF-8; charset=UTF-8", "a=1", nil, "1"},
		{"with a semicolon alone", form + ";", "a=1", nil, "1"},
		{"with a broken parameter and a broken body", form + ";UTF-8", "a=%zz", apperr.Malformed, ""},
		{"with a broken parameter and too much", form + ";UTF-8", "a=" + strings.Repeat("x", 4<<10), apperr.TooLarge, ""},
		{"another type with it in a parameter", "text/plain; x=" + form, "a=1", apperr.Unsupported, ""},
		{"empty", form, "", nil, ""},
		{"as typed", form, "a=+x+", nil, " x "},
		{"nothing at all", "", "", nil, ""},
		{"no type", "", "a=1", apperr.Unsupported, ""},
		{"JSON", "application/json", `{"a":"1"}`, apperr.Unsupported, ""},
		{"files", "multipart/form-data; boundary=x", "--x--", apperr.Unsupported, ""},
		{"twice", form, "a=1&a=2", apperr.Malformed, ""},
		{"another twice", form, "a=1&x=1&x=1", apperr.Malformed, ""},
		{"NUL", form, "a=%00", apperr.Malformed, ""},
		{"not UTF-8", form, "a=%FF", apperr.Malformed, ""},
		{"a name that is not UTF-8", form, "%FF=a", apperr.Malformed, ""},
		{"badly encoded", form, "a=%zz", apperr.Malformed, ""},
		{"a semicolon", form, "a=1;b=2", apperr.Malformed, ""},
		{"too many", form, "a=1" + many(50), apperr.Malformed, ""},
		{"as many as can be", form, "a=1" + many(49), nil, "1"},
		{"too large", form, "a=" + strings.Repeat("x", 4<<10), apperr.TooLarge, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/?a=query", strings.NewReader(test.body))
			r.Header.Set("Content-Type", test.kind)
			r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, 4<<10)
			got, err := fields.Read(r)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if err == nil && got.Get("a") != test.value {
				t.Errorf("got %q, want %q", got.Get("a"), test.value)
			}
		})
	}
}

func TestReadList(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       error
		list       []string
	}{
		{"none", "a=1", nil, nil},
		{"one", "id=x&a=1", nil, []string{"x"}},
		{"many, in their order", "id=y&a=1&id=x&id=y", nil, []string{"y", "x", "y"}},
		{"another field twice", "id=x&a=1&a=2", apperr.Malformed, nil},
		{"NUL in one of them", "id=x&id=%00&a=1", apperr.Malformed, nil},
		{"not UTF-8", "id=x&id=%FF&a=1", apperr.Malformed, nil},
		{"badly encoded", "id=%zz&a=1", apperr.Malformed, nil},
		{"too many other fields", "id=x&a=1" + many(50), apperr.Malformed, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/?id=query", strings.NewReader(test.body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			others, list, err := fields.ReadList(r, "id")
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if err != nil {
				return
			}
			if !slices.Equal(list, test.list) || others.Get("a") != "1" || others.Get("id") != "" {
				t.Errorf("got %q and %v", list, others)
			}
			if again, err := fields.Read(r); len(test.list) < 2 && (err != nil || again.Get("a") != "1") {
				t.Errorf("read again: got %v, %v", again, err)
			}
		})
	}
}

// many returns n more fields.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("&f" + strings.Repeat("x", i) + "=1")
	}
	return b.String()
}

func TestQuery(t *testing.T) {
	for query, want := range map[string]error{
		"a=1&b=2": nil, "": nil, "a=1&a=2": apperr.Malformed, "a=%00": apperr.Malformed, "a=%zz": apperr.Malformed, "a;b": apperr.Malformed,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.RawQuery = query
		if _, err := fields.Query(r); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%q: got %v, want %v", query, err, want)
		}
	}
}
