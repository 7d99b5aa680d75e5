package latchkey_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// goPackage is what the rules need to know of a package of this module. Its
// fields are named as in the output of go list -json.
type goPackage struct {
	ImportPath string
	Name       string
	Imports    []string // without those of test files
}

// An importRule says who may import what. Paths of this module are written
// without its name, "." is the root, and a trailing "/..." includes all below.
type importRule struct {
	imports []string
	allowed []string // who may; if empty, everybody but denied
	denied  []string // who may not
	why     string
}

var importRules = []importRule{
	{
		imports: []string{"gorm.io/...", "database/sql/...", "github.com/jackc/pgx/...", "modernc.org/..."},
		allowed: []string{"models", "internal/testdb", "cmd/web", "bench/..."},
		why:     "every query is in package models",
	},
	{
		imports: []string{"models", "internal/auth/...", "internal/token"},
		denied:  []string{"views/..."},
		why:     "what cannot reach a template cannot be printed by one",
	},
	{
		imports: []string{"github.com/labstack/echo/..."},
		allowed: []string{".", "handlers/...", "internal/middleware", "internal/cookie", "cmd/web", "bench/..."},
		why:     "Echo stays thin enough to be replaced",
	},
	{
		imports: []string{"internal/config"},
		allowed: []string{"cmd/web"},
		why:     "other packages get plain values in their Options",
	},
	{
		imports: []string{"handlers/signin", "handlers/account", "handlers/admin", "handlers/api", "handlers/forward"},
		allowed: []string{"handlers"},
		why:     "no group of handlers imports another; what they share is in handlers/site or internal",
	},
	{
		imports: []string{"handlers"},
		allowed: []string{"cmd/web", "bench/..."},
		why:     "arrows go from the routes to the groups",
	},
	{
		imports: []string{"handlers/site"},
		allowed: []string{"handlers/..."},
		why:     "pages are the business of handlers",
	},
	{
		imports: []string{"views/pages"},
		allowed: []string{"handlers/..."},
		why:     "pages are the business of handlers",
	},
	{
		imports: []string{"os/exec"},
		allowed: []string{"internal/testdb", "bench/..."},
		why:     "the portal starts no other program",
	},
	{
		imports: []string{"unsafe"},
		allowed: []string{"internal/auth/password"},
		why:     "what memory holds is the compiler's to know (docs/adr/0014-argon2-memory.md is the exception)",
	},
	{
		imports: []string{".", "handlers/...", "internal/...", "models", "views/..."},
		denied:  []string{"internal/token"},
		why:     "a token is checked without knowing whose it is",
	},
	{
		imports: []string{"internal/testdb"},
		allowed: []string{"bench/..."},
		why:     "only tests and the bench start databases",
	},
}

// bannedNames say nothing about what a package does.
var bannedNames = []string{"utils", "util", "common", "helpers", "helper", "base", "manager"}

func TestImportRules(t *testing.T) {
	module, packages := listPackages(t)
	if len(packages) < 2 {
		t.Fatalf("go list returned %d packages", len(packages))
	}
	for _, violation := range checkPackages(module, packages) {
		t.Error(violation)
	}
}

// TestImportRulesBite shows that every rule finds what it forbids.
func TestImportRulesBite(t *testing.T) {
	tests := []struct {
		name string
		pkg  goPackage
		want int
	}{
		{"gorm in handlers", goPackage{"latchkey/handlers", "handlers", []string{"gorm.io/gorm"}}, 1},
		{"gorm in models", goPackage{"latchkey/models", "models", []string{"gorm.io/gorm", "database/sql"}}, 0},
		{"gorm below models", goPackage{"latchkey/models/deep", "deep", []string{"gorm.io/gorm"}}, 1},
		{"sql in auth", goPackage{"latchkey/internal/auth", "auth", []string{"database/sql"}}, 1},
		{"sql driver in auth", goPackage{"latchkey/internal/auth", "auth", []string{"database/sql/driver"}}, 1},
		{"pgx in auth", goPackage{"latchkey/internal/auth", "auth", []string{"github.com/jackc/pgx/v5"}}, 1},
		{"models in pages", goPackage{"latchkey/views/pages", "pages", []string{"latchkey/models"}}, 1},
		{"auth in layouts", goPackage{"latchkey/views/layouts", "layouts", []string{"latchkey/internal/auth"}}, 1},
		{"token in layouts", goPackage{"latchkey/views/layouts", "layouts", []string{"latchkey/internal/token"}}, 1},
		{"models in token", goPackage{"latchkey/internal/token", "token", []string{"latchkey/models"}}, 1},
		{"models in handlers", goPackage{"latchkey/handlers", "handlers", []string{"latchkey/models"}}, 0},
		{"echo in auth", goPackage{"latchkey/internal/auth", "auth", []string{"github.com/labstack/echo/v4"}}, 1},
		{"echo in views", goPackage{"latchkey/views/pages", "pages", []string{"github.com/labstack/echo/v4/middleware"}}, 1},
		{"echo in the root", goPackage{"latchkey", "latchkey", []string{"github.com/labstack/echo/v4"}}, 0},
		{"echo in handlers/api", goPackage{"latchkey/handlers/api", "api", []string{"github.com/labstack/echo/v4"}}, 0},
		{"config in auth", goPackage{"latchkey/internal/auth", "auth", []string{"latchkey/internal/config"}}, 1},
		{"config in cmd/web", goPackage{"latchkey/cmd/web", "main", []string{"latchkey/internal/config"}}, 0},
		{"signin in site", goPackage{"latchkey/handlers/site", "site", []string{"latchkey/handlers/signin"}}, 1},
		{"admin in account", goPackage{"latchkey/handlers/account", "account", []string{"latchkey/handlers/admin"}}, 1},
		{"api in forward", goPackage{"latchkey/handlers/forward", "forward", []string{"latchkey/handlers/api"}}, 1},
		{"groups in handlers", goPackage{"latchkey/handlers", "handlers", []string{"latchkey/handlers/admin", "latchkey/handlers/api"}}, 0},
		{"handlers in a group", goPackage{"latchkey/handlers/admin", "admin", []string{"latchkey/handlers"}}, 1},
		{"site in a group", goPackage{"latchkey/handlers/admin", "admin", []string{"latchkey/handlers/site"}}, 0},
		{"site in auth", goPackage{"latchkey/internal/auth", "auth", []string{"latchkey/handlers/site"}}, 1},
		{"pages in middleware", goPackage{"latchkey/internal/middleware", "middleware", []string{"latchkey/views/pages"}}, 1},
		{"exec in cmd/web", goPackage{"latchkey/cmd/web", "main", []string{"os/exec"}}, 1},
		{"unsafe in auth", goPackage{"latchkey/internal/auth", "auth", []string{"unsafe"}}, 1},
		{"unsafe in password", goPackage{"latchkey/internal/auth/password", "password", []string{"unsafe"}}, 0},
		{"testdb in models", goPackage{"latchkey/models", "models", []string{"latchkey/internal/testdb"}}, 1},
		{"package common", goPackage{"latchkey/internal/common", "common", nil}, 1},
		{"package renamed utils", goPackage{"latchkey/internal/text", "utils", nil}, 1},
		{"folder helpers", goPackage{"latchkey/internal/helpers", "text", nil}, 1},
		{"similar names", goPackage{"latchkey/internal/text", "text", []string{"gorm.iodine/x", "database/sqlish"}}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := checkPackages("latchkey", []goPackage{test.pkg})
			if len(got) != test.want {
				t.Errorf("%d violations, want %d: %q", len(got), test.want, got)
			}
		})
	}
}

// checkPackages returns a sentence for every rule that a package breaks.
func checkPackages(module string, packages []goPackage) []string {
	var violations []string
	for _, pkg := range packages {
		importer := withoutModule(module, pkg.ImportPath)
		for _, name := range []string{pkg.Name, path.Base(importer)} {
			if slices.Contains(bannedNames, name) {
				violations = append(violations, fmt.Sprintf("%s: %q does not say what the package does", importer, name))
				break
			}
		}
		for _, rule := range importRules {
			if !rule.forbids(importer) {
				continue
			}
			for _, imported := range pkg.Imports {
				if matchesAny(rule.imports, withoutModule(module, imported)) {
					violations = append(violations, fmt.Sprintf("%s imports %s: %s", importer, imported, rule.why))
				}
			}
		}
	}
	return violations
}

// forbids reports whether importer may not import what the rule is about.
func (r importRule) forbids(importer string) bool {
	if len(r.allowed) > 0 {
		return !matchesAny(r.allowed, importer)
	}
	return matchesAny(r.denied, importer)
}

func matchesAny(patterns []string, importPath string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		tree, isTree := strings.CutSuffix(pattern, "/...")
		return importPath == tree || isTree && strings.HasPrefix(importPath, tree+"/")
	})
}

// withoutModule shortens an import path of this module.
func withoutModule(module, importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

// listPackages asks the go command for the packages of this module.
func listPackages(t *testing.T) (module string, packages []goPackage) {
	t.Helper()
	name, err := exec.Command("go", "list", "-m").Output()
	if err != nil {
		t.Fatalf("go list -m: %v", err)
	}
	list := exec.Command("go", "list", "-json=ImportPath,Name,Imports", "./...")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var pkg goPackage
		err := decoder.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			return strings.TrimSpace(string(name)), packages
		}
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, pkg)
	}
}

// maxLines is how long a file that people read may be.
const maxLines = 500

// generated matches the line by which a Go file says that a program wrote it,
// as https://go.dev/s/generatedcode lays it down.
var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

func TestFileLengths(t *testing.T) {
	long, checked, err := longFiles(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if checked < 2 {
		t.Errorf("checked %d files", checked)
	}
	for _, violation := range long {
		t.Error(violation)
	}
}

func TestFileLengthsBite(t *testing.T) {
	full := bytes.Repeat([]byte("\n"), maxLines)
	over := bytes.Repeat([]byte("\n"), maxLines+1)
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"full.go":             full,
		"over.go":             over,
		"views/page.templ":    over,
		"views/page_templ.go": append([]byte("// Code generated by templ - DO NOT EDIT.\n"), over...),
		"static/app.css":      over,
		"e2e/testdata/axe.js": over,
		"words.txt":           over,
	} {
		if err := os.MkdirAll(path.Dir(path.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, _, err := longFiles(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"over.go has 501 lines, the most is 500",
		"static/app.css has 501 lines, the most is 500",
		"views/page.templ has 501 lines, the most is 500",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("longFiles (-want +got):\n%s", diff)
	}
}

// longFiles returns a sentence for every source file in root with more than
// maxLines, and how many files it has looked at. Generated and foreign files
// are left out.
func longFiles(root fs.FS) (long []string, checked int, err error) {
	sources := []string{".go", ".templ", ".css", ".js", ".mjs", ".sql", ".sh"}
	elsewhere := []string{".git", "testdata", "vendor", "node_modules", "data"}
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains(elsewhere, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() || !slices.Contains(sources, path.Ext(name)) {
			return nil
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		checked++
		if lines := bytes.Count(content, []byte("\n")); lines > maxLines && !generated.Match(content) {
			long = append(long, fmt.Sprintf("%s has %d lines, the most is %d", name, lines, maxLines))
		}
		return nil
	})
	return long, checked, err
}
