package static

import (
	"net/http"
	"strings"
)

// Handler serves everything below /static/: the embedded files and those of
// the brand, which may be nil.
//
// A file is found under any hash. With the right one a browser may keep it for a
// year; with another it has to revalidate it each time. So a page of the previous
// release keeps its style. Directories and unknown names are 404, methods other
// than GET and HEAD 405.
func Handler(brand *Brand) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, cacheControl := find(brand, r.URL.Path)
		answer(w, r, f, cacheControl)
	})
}

// Favicon serves /favicon.ico, which browsers request on their own when they show
// something other than a page. brand may be nil.
func Favicon(brand *Brand) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, _ := find(brand, brand.IconURL())
		answer(w, r, f, "public, max-age=86400")
	})
}

// answer serves the file, or responds with 404 or 405.
func answer(w http.ResponseWriter, r *http.Request, f *file, cacheControl string) {
	switch {
	case f == nil:
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "404 not found", http.StatusNotFound)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "405 method not allowed", http.StatusMethodNotAllowed)
	default:
		f.serve(w, r, cacheControl)
	}
}

// find returns the file at a path and its Cache-Control, or nil.
func find(brand *Brand, path string) (*file, string) {
	rest, ok := strings.CutPrefix(path, root)
	if !ok {
		return nil, ""
	}
	if f, cacheControl := brand.find(rest); f != nil {
		return f, cacheControl
	}
	hash, name, ok := strings.Cut(rest, "/")
	if !ok {
		return nil, ""
	}
	f := tree().files[name]
	if hash == tree().hash {
		return f, cacheForever
	}
	return f, cacheAsk
}
