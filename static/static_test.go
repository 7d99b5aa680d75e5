package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// ask sends a request with the given header fields, name and value in turn.
func ask(handler http.Handler, method, path string, fields ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func TestURL(t *testing.T) {
	pattern := regexp.MustCompile(`^/static/[0-9a-f]{16}/css/app\.css$`)
	got := URL("css/app.css")
	if !pattern.MatchString(got) {
		t.Errorf("got %q", got)
	}
	if again := loadTree(); again.hash != tree().hash {
		t.Errorf("hash of the same files: got %q and %q", again.hash, tree().hash)
	}
}

// TestEveryFileServed checks that every embedded file is served, with a known type.
func TestEveryFileServed(t *testing.T) {
	count := 0
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		count++
		want, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		name, packed := strings.CutSuffix(name, ".gz")
		if packed {
			want = unpack(t, want)
		}
		w := ask(Handler(nil), http.MethodGet, URL(name))
		if got := w.Header().Get("Content-Length"); got != strconv.Itoa(len(want)) {
			t.Errorf("%s: Content-Length: got %s, want %d", name, got, len(want))
		}
		if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), want) {
			t.Errorf("%s: got %d with %d bytes, want %d", name, w.Code, w.Body.Len(), len(want))
		}
		if got := w.Header().Get("Content-Type"); got == contentType("") {
			t.Errorf("%s: Content-Type: got %q", name, got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count != len(tree().files) {
		t.Errorf("files: got %d, want %d", len(tree().files), count)
	}
}

func TestHandler(t *testing.T) {
	const other = "/static/0000000000000000/css/app.css"
	tests := []struct {
		name    string
		method  string
		path    string
		status  int
		caching string
		kind    string
	}{
		{"right hash", "GET", URL("css/app.css"), 200, cacheForever, "text/css; charset=utf-8"},
		{"HEAD", "HEAD", URL("css/app.css"), 200, cacheForever, "text/css; charset=utf-8"},
		{"other hash", "GET", other, 200, cacheAsk, "text/css; charset=utf-8"},
		{"script", "GET", URL("js/app.js"), 200, cacheForever, "text/javascript; charset=utf-8"},
		{"picture", "GET", URL("img/icon.svg"), 200, cacheForever, "image/svg+xml"},
		{"unknown name", "GET", URL("css/none.css"), 404, "no-store", "text/plain; charset=utf-8"},
		{"folder", "GET", URL("css"), 404, "no-store", "text/plain; charset=utf-8"},
		{"folder with slash", "GET", URL("css/"), 404, "no-store", "text/plain; charset=utf-8"},
		{"root", "GET", "/static/", 404, "no-store", "text/plain; charset=utf-8"},
		{"no name", "GET", "/static/x", 404, "no-store", "text/plain; charset=utf-8"},
		{"up", "GET", "/static/x/../static.go", 404, "no-store", "text/plain; charset=utf-8"},
		{"elsewhere", "GET", "/login", 404, "no-store", "text/plain; charset=utf-8"},
		{"POST", "POST", URL("css/app.css"), 405, "", "text/plain; charset=utf-8"},
		{"DELETE unknown", "DELETE", URL("css/none.css"), 404, "no-store", "text/plain; charset=utf-8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := ask(Handler(nil), test.method, test.path)
			if w.Code != test.status {
				t.Errorf("status: got %d, want %d", w.Code, test.status)
			}
			if got := w.Header().Get("Cache-Control"); got != test.caching {
				t.Errorf("Cache-Control: got %q, want %q", got, test.caching)
			}
			if got := w.Header().Get("Content-Type"); got != test.kind {
				t.Errorf("Content-Type: got %q, want %q", got, test.kind)
			}
			if got := w.Header().Get("X-Content-Type-Options"); got != "nosniff" {
				t.Errorf("X-Content-Type-Options: got %q", got)
			}
			if got, want := w.Header().Get("Allow"), map[bool]string{true: "GET, HEAD"}[test.status == 405]; got != want {
				t.Errorf("Allow: got %q, want %q", got, want)
			}
			if test.method == "HEAD" && w.Body.Len() > 0 {
				t.Errorf("body of HEAD: got %d bytes", w.Body.Len())
			}
		})
	}
}

func TestCompression(t *testing.T) {
	want, err := files.ReadFile("css/app.css")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		accept string
		packed bool
	}{
		{"gzip, deflate, br, zstd", true},
		{"br;q=1.0, GZIP;q=0.5", true},
		{"*", true},
		{"gzip;q=0, *", false},
		{"gzip;q=0.0", false},
		{"*;q=0", false},
		{"br", false},
		{"gzipped", false},
		{"", false},
	}
	for _, test := range tests {
		t.Run(test.accept, func(t *testing.T) {
			w := ask(Handler(nil), "GET", URL("css/app.css"), "Accept-Encoding", test.accept)
			if got := w.Header().Get("Content-Encoding") == "gzip"; got != test.packed {
				t.Fatalf("compressed: got %t, want %t", got, test.packed)
			}
			if got := w.Header().Get("Vary"); got != "Accept-Encoding" {
				t.Errorf("Vary: got %q", got)
			}
			if got := w.Header().Get("Content-Length"); got != strconv.Itoa(w.Body.Len()) {
				t.Errorf("Content-Length: got %s, want %d", got, w.Body.Len())
			}
			got := w.Body.Bytes()
			if test.packed {
				got = unpack(t, got)
			}
			if !bytes.Equal(got, want) {
				t.Error("the content differs from the file")
			}
		})
	}
}

func unpack(t *testing.T, packed []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// TestSwaggerUI checks that the vendored files have the hashes in their README, and
// that clients that accept gzip get the embedded bytes.
func TestSwaggerUI(t *testing.T) {
	readme, err := os.ReadFile("swagger-ui/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"swagger-ui-bundle.js", "swagger-ui.css"} {
		packed, err := files.ReadFile("swagger-ui/" + name + ".gz")
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(unpack(t, packed))
		if line := "| `" + name + "` | `" + hex.EncodeToString(sum[:]) + "` |"; !bytes.Contains(readme, []byte(line)) {
			t.Errorf("the README does not contain %s", line)
		}
		w := ask(Handler(nil), "GET", URL("swagger-ui/"+name), "Accept-Encoding", "gzip")
		if w.Header().Get("Content-Encoding") != "gzip" || !bytes.Equal(w.Body.Bytes(), packed) {
			t.Errorf("%s: got %d bytes as %q, want the %d embedded", name, w.Body.Len(), w.Header().Get("Content-Encoding"), len(packed))
		}
	}
}

// TestIncompressible checks that a file that compression would enlarge is sent
// uncompressed.
func TestIncompressible(t *testing.T) {
	f := newFile("image/png", []byte("x"))
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	f.serve(w, r, cacheForever)
	if w.Body.String() != "x" || w.Header().Get("Vary") != "" || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("got %q %v", w.Body, w.Header())
	}
}

func TestNotModified(t *testing.T) {
	handler := Handler(nil)
	plain := ask(handler, "GET", URL("css/app.css")).Header().Get("ETag")
	packed := ask(handler, "GET", URL("css/app.css"), "Accept-Encoding", "gzip").Header().Get("ETag")
	if plain == packed || !strings.HasPrefix(plain, `"`) {
		t.Fatalf("tags of the two forms: got %s and %s", plain, packed)
	}
	tests := []struct {
		name   string
		header string
		status int
	}{
		{"same", plain, 304},
		{"weak", "W/" + plain, 304},
		{"one of many", `"a", ` + plain, 304},
		{"any", "*", 304},
		{"compressed form", packed, 200},
		{"other", `"a"`, 200},
	}
	for _, test := range tests {
		w := ask(handler, "GET", URL("css/app.css"), "If-None-Match", test.header)
		if w.Code != test.status {
			t.Errorf("%s: got %d, want %d", test.name, w.Code, test.status)
		}
		if got := w.Header().Get("ETag"); got != plain {
			t.Errorf("%s: ETag: got %s, want %s", test.name, got, plain)
		}
		if w.Code == 304 && w.Body.Len() > 0 {
			t.Errorf("%s: got a body", test.name)
		}
	}
}

func TestFavicon(t *testing.T) {
	branded, err := NewBrand("#ffcc00", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		brand *Brand
		want  string
	}{{nil, "#14523f"}, {branded, "#ffcc00"}} {
		w := ask(Favicon(test.brand), "GET", "/favicon.ico")
		if w.Code != 200 || w.Header().Get("Content-Type") != typeSVG || !strings.Contains(w.Body.String(), test.want) {
			t.Errorf("got %d %q %q, want %q in it", w.Code, w.Header().Get("Content-Type"), w.Body, test.want)
		}
	}
	if w := ask(Favicon(nil), "POST", "/favicon.ico"); w.Code != 405 {
		t.Errorf("POST: got %d, want 405", w.Code)
	}
}

// TestSizes limits the compressed size of the stylesheets and the script. The
// design system allows the stylesheets 10 KB as brotli. The portal sends gzip,
// which makes them a sixth larger: 11 KiB.
func TestSizes(t *testing.T) {
	styles := len(tree().files["css/app.css"].gzip) + len(tree().files["css/signed-in.css"].gzip)
	if styles > 11<<10 {
		t.Errorf("stylesheets: got %d bytes, want 11 KiB or less", styles)
	}
	if script := len(tree().files["js/app.js"].gzip); script > 5_000 {
		t.Errorf("script: got %d bytes, want 5,000 or less", script)
	}
}
