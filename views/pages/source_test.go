package pages

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestSources checks that no template contains code that the content security policy
// refuses or that avoids escaping. Letters are mailed and have no such policy: they
// carry their styles.
func TestSources(t *testing.T) {
	const styled = "style element or attribute"
	banned := map[string]*regexp.Regexp{
		styled:                  regexp.MustCompile(`(?i)<style|\sstyle\s*=`),
		"event attribute":       regexp.MustCompile(`(?i)\son[a-z]+\s*=`),
		"script in the page":    regexp.MustCompile(`(?i)<script(?:[^>]*\ssrc=)?[^>]*>[^<]+<|^script `),
		"templ script or style": regexp.MustCompile(`templ\.(JSFuncCall|JSUnsafeFuncCall|ComponentScript|OnLoad)|(?m)^(css|script) `),
		"unescaped text":        regexp.MustCompile(`templ\.(Raw|SafeURL|JSExpression|SafeScript|SafeCSS)\b`),
	}
	read := 0
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".templ") {
			return err
		}
		read++
		source, err := os.ReadFile("../" + name)
		if err != nil {
			return err
		}
		for what, pattern := range banned {
			if what == styled && strings.HasPrefix(name, "letters/") {
				continue
			}
			if found := pattern.Find(source); found != nil {
				t.Errorf("%s: %s: %q", name, what, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 15 {
		t.Errorf("templates read: got %d", read)
	}
}
