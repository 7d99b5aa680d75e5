package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey/internal/testdb"
)

// FuzzTutorialBody sends any body of any type to the routes of the tutorials. The
// response is never a 500, has a detail and sets no cookie, and only an object with
// both fields reaches an account.
func FuzzTutorialBody(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `[]`, `null`, `"a"`, `1e999`, `{"username":"a","password":"b"}`, `{"username":"a","username":"b"}`, `{"username":null}`,
		`{"password":{"a":[1]},"x":1e999}`, `{"a":"\ud800"}`, "{\"username\":\"\xff\"}", "\xef\xbb\xbf{}", `{"username":"a","password":"b"}x`,
		"username=a&password=b", "username=a&username=b", "a=%zz", "--x\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\na\r\n--x--\r\n",
	} {
		for _, kind := range []string{"application/json", "", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
			f.Add(kind, body)
		}
	}
	store := testdb.SQLite(f)
	f.Fuzz(func(t *testing.T, kind, body string) {
		s := newSite(t, store, signupClosed)
		for _, path := range []string{"/login", "/signup"} {
			r := s.request(http.MethodPost, path, body)
			if kind != "" {
				r.Header["Content-Type"] = []string{kind}
			}
			recorder := httptest.NewRecorder()
			s.Echo.ServeHTTP(recorder, r)
			answer := map[string]any{}
			if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil || answer["detail"] == nil {
				t.Errorf("%s: got %q", path, recorder.Body)
			}
			if recorder.Code < 400 || recorder.Code > 499 || len(recorder.Result().Cookies()) > 0 {
				t.Errorf("%s: got %d with %v", path, recorder.Code, recorder.Header())
			}
			if recorder.Code == http.StatusForbidden && !strings.Contains(body, "username") {
				t.Errorf("%s: the request reached an account", path)
			}
		}
	})
}
