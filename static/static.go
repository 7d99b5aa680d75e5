// Package static holds the stylesheet, the script and the pictures, and the
// operator's own colour and logo (Brand).
//
// It decides their addresses, caching and compression. Every address contains a
// hash of the content, so a browser may keep a file for a year and never shows an
// old one. Package views decides which files a page uses, and the middleware sets
// the security headers. Nothing here touches cookies. The folder swagger-ui holds
// Swagger UI, which one page shows, unchanged.
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

// root is the path below which everything is served.
const root = "/static/"

// tree reads the embedded files once, at the first use.
var tree = sync.OnceValue(loadTree)

// assets are the embedded files by name, and the hash of all of them.
type assets struct {
	hash  string
	files map[string]*file
}

// URL returns the address of the named file, such as "css/app.css". The name of a
// file that is embedded as gzip has no ".gz". The address contains the hash of the
// whole tree: it changes when any file changes, and is the same on every replica
// of a release.
func URL(name string) string {
	return root + tree().hash + "/" + name
}

// loadTree reads, hashes and compresses the embedded files. It walks them in
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
		// Separators, so that different trees have different hashes.
		sum.Write([]byte(name + "\x00" + f.hash + "\x00"))
		return nil
	}
	// Reading embedded files cannot fail. If it did, the missing files would be
	// 404 and a test would fail.
	_ = fs.WalkDir(files, ".", walk)
	t.hash = shortHash(sum.Sum(nil))
	return t
}

// shortHash returns the part of a hash that is used in addresses: 64 bits, enough
// to distinguish releases.
func shortHash(sum []byte) string {
	return hex.EncodeToString(sum[:8])
}
