package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Cache-Control of a file: cacheForever if the hash in its address is right, else
// cacheAsk, which makes the browser revalidate the file at every use.
const (
	cacheForever = "public, max-age=31536000, immutable"
	cacheAsk     = "no-cache"
)

// file is a file to serve. It does not change after newFile.
type file struct {
	contentType string
	hash        string
	plain       []byte // nil if the file is kept only as gzip
	gzip        []byte // nil if compression does not make it smaller
}

// newFile hashes and compresses the content.
func newFile(contentType string, content []byte) *file {
	sum := sha256.Sum256(content)
	f := &file{contentType: contentType, hash: shortHash(sum[:]), plain: content}
	if packed, err := compress(content); err == nil && len(packed) < len(content) {
		f.gzip = packed
	}
	return f
}

// newPacked keeps a file that is embedded as gzip compressed: it is large, and
// nearly every browser accepts gzip.
func newPacked(contentType string, packed []byte) *file {
	sum := sha256.Sum256(packed)
	return &file{contentType: contentType, hash: shortHash(sum[:]), gzip: packed}
}

// size returns the length of the plain content in bytes.
func (f *file) size() int {
	if f.plain == nil && len(f.gzip) > 4 {
		return int(binary.LittleEndian.Uint32(f.gzip[len(f.gzip)-4:])) // ISIZE, RFC 1952 §2.3.1
	}
	return len(f.plain)
}

// writePlain writes the plain content.
func (f *file) writePlain(w io.Writer) error {
	if f.plain != nil {
		_, err := w.Write(f.plain)
		return err
	}
	r, err := gzip.NewReader(bytes.NewReader(f.gzip))
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}

// compress returns the content as gzip (RFC 1952).
func compress(content []byte) ([]byte, error) {
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// serve responds to a GET or HEAD request with the file.
func (f *file) serve(w http.ResponseWriter, r *http.Request, cacheControl string) {
	header := w.Header()
	header.Set("Content-Type", f.contentType)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", cacheControl)
	etag, size := `"`+f.hash+`"`, f.size()
	packed := f.gzip != nil && acceptsGzip(r.Header.Get("Accept-Encoding"))
	if f.gzip != nil {
		header.Add("Vary", "Accept-Encoding")
	}
	if packed {
		// The compressed bytes are another representation and need a tag of
		// their own (RFC 9110 §8.8.3.3).
		etag, size = `"`+f.hash+`-gzip"`, len(f.gzip)
		header.Set("Content-Encoding", "gzip")
	}
	if f.contentType == typeSVG {
		// An SVG that is opened by itself is a document. It may not run scripts.
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	}
	header.Set("ETag", etag)
	if matches(r.Header.Get("If-None-Match"), etag) {
		header.Del("Content-Encoding")
		header.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Length", strconv.Itoa(size))
	// Write errors mean that the client is gone; there is nothing to do about it.
	switch {
	case r.Method == http.MethodHead:
	case packed:
		_, _ = w.Write(f.gzip)
	default:
		_ = f.writePlain(w)
	}
}

// matches reports whether an If-None-Match header contains the tag, by weak
// comparison (RFC 9110 §13.1.2).
func matches(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// acceptsGzip reports whether an Accept-Encoding header allows gzip (RFC 9110
// §12.5.3). Without the header it returns false: the RFC would allow gzip, but the
// client may not support it.
func acceptsGzip(header string) bool {
	wildcard := false
	for part := range strings.SplitSeq(header, ",") {
		coding, parameter, _ := strings.Cut(part, ";")
		allowed := !refused(parameter)
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return allowed
		case "*":
			wildcard = allowed
		}
	}
	return wildcard
}

// refused reports whether the parameter of a coding is a weight of zero.
func refused(parameter string) bool {
	name, value, _ := strings.Cut(parameter, "=")
	if strings.ToLower(strings.TrimSpace(name)) != "q" {
		return false
	}
	weight, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	return err == nil && weight == 0
}

// typeSVG is the media type of a vector picture.
const typeSVG = "image/svg+xml"

// contentType returns the media type for a file name extension.
func contentType(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return typeSVG
	case ".png":
		return "image/png"
	case ".txt":
		return "text/plain; charset=utf-8"
	default:
		return "application/octet-stream"
	}
}
