package latchkey_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// criteria are the success criteria of WCAG 2.2 at the levels A and AA.
const criteria = `1.1.1 1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.3.3 1.3.4 1.3.5 1.4.1 1.4.2 1.4.3 1.4.4 1.4.5 1.4.10 1.4.11 1.4.12 1.4.13
	2.1.1 2.1.2 2.1.4 2.2.1 2.2.2 2.3.1 2.4.1 2.4.2 2.4.3 2.4.4 2.4.5 2.4.6 2.4.7 2.4.11 2.5.1 2.5.2 2.5.3 2.5.4 2.5.7 2.5.8
	3.1.1 3.1.2 3.2.1 3.2.2 3.2.3 3.2.4 3.2.6 3.3.1 3.3.2 3.3.3 3.3.4 3.3.7 3.3.8 4.1.2 4.1.3`

// TestAccessibilityPage checks that docs/accessibility.md has a row for each
// criterion, and names only tests that exist.
func TestAccessibilityPage(t *testing.T) {
	page, err := os.ReadFile("docs/accessibility.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, row := range regexp.MustCompile(`(?m)^\| (\d\.\d\.\d+) [^|]+ \| AA? \| [^|]+ \| `).FindAllSubmatch(page, -1) {
		rows = append(rows, string(row[1]))
	}
	if diff := cmp.Diff(strings.Fields(criteria), rows); diff != "" {
		t.Errorf("rows of docs/accessibility.md (-want +got):\n%s", diff)
	}
	missing, err := missingTests(os.DirFS("."), string(page))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range missing {
		t.Errorf("docs/accessibility.md names the test %s, which does not exist", name)
	}
}

func TestAccessibilityPageBites(t *testing.T) {
	got, err := missingTests(fstest.MapFS{
		"e2e/a_test.go":      {Data: []byte("package e2e\nfunc TestHere(t *testing.T) {}\n// func TestNoted(t *testing.T) {}\n")},
		"handlers/a_test.go": {Data: []byte("package handlers_test\nfunc TestOut(t *testing.T) {}\nfunc (s *site) TestMethod() {}\n")},
	}, "`e2e.TestHere`, `handlers.TestOut`, `e2e.TestOut`, `e2e.TestNoted`, `handlers.TestMethod`, `TestBare`")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"TestBare", "e2e.TestNoted", "e2e.TestOut", "handlers.TestMethod"}, got); diff != "" {
		t.Errorf("missingTests (-want +got):\n%s", diff)
	}
}

// missingTests returns the tests that a page names, each with its package
// (`e2e.TestTheme`), and that root does not have.
func missingTests(root fs.FS, page string) ([]string, error) {
	there := map[string]bool{}
	err := walkSources(root, []string{".go"}, func(name string, content []byte) error {
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, content, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil {
				there[strings.TrimSuffix(file.Name.Name, "_test")+"."+f.Name.Name] = true
			}
		}
		return nil
	})
	var missing []string
	for _, named := range regexp.MustCompile("`((?:\\w+\\.)?Test\\w+)`").FindAllStringSubmatch(page, -1) {
		if !there[named[1]] {
			missing = append(missing, named[1])
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing), err
}
