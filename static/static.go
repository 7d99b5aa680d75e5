// Package static holds the stylesheet, the script and the pictures, and the
// operator's own colour and logo (Brand).
//
// It decides their addresses, their caching and their compression. Every
// address carries a hash of the content, so a browser may keep a file for a
// year and still never shows an old one. Which of them a page names belongs to
// package views, the security headers to the middleware. Nothing here touches
// cookies. Swagger UI, which one page shows, is kept in swagger-ui as it came.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
	"sync"
)

//go:embed css js img swagger-ui/*.gz swagger-ui/*.txt
var files embed.FS

// root is where everything is served.
const root = "/static/"

// tree reads the embedded files once, at the first use.
var tree = sync.OnceValue(loadTree)

// assets are the embedded files by name, and the hash of all of them.
type assets struct {
	hash  string
	files map[string]*file
}

// URL returns the address of the named file, such as "css/app.css"; one that is
// embedded as gzip goes by its name without ".gz". The hash in it is that of the
// whole tree: it changes when any file changes, and is the same on every replica
// of a release.
func URL(name string) string {
	return root + tree().hash + "/" + name
}

// loadTree reads, hashes and compresses the embedded files. The walk goes in
// lexical order, so the same files give the same hash.
func loadTree() assets {
	t := assets{files: map[string]*file{}}
	sum := sha256.New()
	walk := func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		name, packed := strings.CutSuffix(name, ".gz")
		var f *file
		if packed {
			f = newPacked(contentType(path.Ext(name)), content)
		} else {
			f = newFile(contentType(path.Ext(name)), content)
		}
		t.files[name] = f
		// The separators keep two different trees from hashing alike.
		sum.Write([]byte(name + "\x00" + f.hash + "\x00"))
		return nil
	}
	// Reading what is compiled into the binary has no way to fail; if it did,
	// the files that are missing would be 404 and a test would say so.
	_ = fs.WalkDir(files, ".", walk)
	t.hash = shortHash(sum.Sum(nil))
	return t
}

// shortHash is the part of a hash that an address carries: 64 bits, enough to
// tell releases apart.
func shortHash(sum []byte) string {
	return hex.EncodeToString(sum[:8])
}
