package latchkey_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// goPackage has the facts about a package of this module that the rules use. Its
// fields are named as in the output of go list -json.
type goPackage struct {
	ImportPath string
	Name       string
	Imports    []string // without those of test files
}

// An importRule restricts which packages may import others. Paths of this module
// are written without its name, "." is the root, and a trailing "/..." includes
// all below.
type importRule struct {
	imports []string
	except  []string // of imports: the rule is not about these
	allowed []string // packages that may; if empty, every package but the denied ones
	denied  []string // packages that may not
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
		allowed: []string{".", "handlers/...", "internal/middleware", "internal/cookie", "internal/portaltest", "cmd/web", "bench/..."},
		why:     "Echo stays thin enough to be replaced",
	},
	{
		imports: []string{"github.com/go-webauthn/..."},
		allowed: []string{"internal/auth/passkey"},
		why:     "the library changes often: one package knows it",
	},
	{
		imports: []string{"github.com/prometheus/..."},
		allowed: []string{"internal/metrics"},
		why:     "what is measured reports through plain functions",
	},
	{
		imports: []string{"internal/metrics"},
		allowed: []string{"cmd/web"},
		why:     "what is measured reports through plain functions",
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
		allowed: []string{"cmd/web", "internal/portaltest", "bench/..."},
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
		allowed: []string{"internal/backup", "internal/previous", "internal/testdb", "bench/..."},
		why:     "the portal starts no other program than pg_dump and pg_restore",
	},
	{
		imports: []string{"internal/previous"},
		allowed: []string{"bench/..."},
		why:     "it is for tests and drills",
	},
	{
		imports: []string{".", "handlers/...", "internal/...", "models", "views/..."},
		denied:  []string{"internal/token"},
		why:     "a token is checked without knowing whose it is",
	},
	{
		imports: []string{"internal/account", "internal/oauth"},
		allowed: []string{"internal/account", "handlers/...", "cmd/web", "internal/portaltest", "internal/servicetest", "bench/..."},
		why:     "accounts and grants are built on auth, and on audit and limit: never the reverse",
	},
	{
		imports: []string{"internal/auth"},
		denied:  []string{"internal/audit", "internal/limit", "internal/token", "internal/auth/..."},
		why:     "auth is built on audit, limit, token and password: never the reverse",
	},
	{
		imports: []string{"internal/audit", "internal/limit"},
		allowed: []string{
			"internal/auth", "internal/account", "internal/oauth", "internal/notice", "handlers/...", "cmd/web",
			"internal/portaltest", "internal/servicetest", "bench/...",
		},
		why: "the sentences of events and the rules of limits are for services and handlers",
	},
	{
		imports: []string{"internal/..."},
		except:  []string{"internal/apperr"},
		denied:  []string{"models"},
		why:     "models imports nothing of internal but apperr",
	},
	{
		imports: []string{"internal/portaltest", "internal/servicetest"},
		allowed: []string{"internal/portaltest"},
		why:     "only tests build a portal to test it",
	},
	{
		imports: []string{"internal/testdb"},
		allowed: []string{"internal/portaltest", "internal/servicetest", "bench/..."},
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

// TestImportRulesBite shows that every rule finds a violation.
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
		{"webauthn in auth", goPackage{"latchkey/internal/auth", "auth", []string{"github.com/go-webauthn/webauthn/protocol"}}, 1},
		{"prometheus in auth", goPackage{"latchkey/internal/auth", "auth", []string{"github.com/prometheus/client_golang/prometheus"}}, 1},
		{"prometheus in metrics", goPackage{"latchkey/internal/metrics", "metrics", []string{"github.com/prometheus/client_golang/prometheus"}}, 0},
		{"metrics in auth", goPackage{"latchkey/internal/auth", "auth", []string{"latchkey/internal/metrics"}}, 1},
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
		{"exec in backup", goPackage{"latchkey/internal/backup", "backup", []string{"os/exec"}}, 0},
		{"portaltest in handlers", goPackage{"latchkey/handlers", "handlers", []string{"latchkey/internal/portaltest"}}, 1},
		{"handlers in portaltest", goPackage{"latchkey/internal/portaltest", "portaltest", []string{"latchkey/handlers"}}, 0},
		{"servicetest in auth", goPackage{"latchkey/internal/auth", "auth", []string{"latchkey/internal/servicetest"}}, 1},
		{"testdb in auth", goPackage{"latchkey/internal/auth", "auth", []string{"latchkey/internal/testdb"}}, 1},
		{"account in auth", goPackage{"latchkey/internal/auth", "auth", []string{"latchkey/internal/account"}}, 1},
		{"oauth in auth", goPackage{"latchkey/internal/auth", "auth", []string{"latchkey/internal/oauth"}}, 1},
		{"account in oauth", goPackage{"latchkey/internal/oauth", "oauth", []string{"latchkey/internal/account"}}, 1},
		{"auth in account", goPackage{"latchkey/internal/account", "account", []string{"latchkey/internal/auth"}}, 0},
		{"auth in limit", goPackage{"latchkey/internal/limit", "limit", []string{"latchkey/internal/auth"}}, 1},
		{"auth in audit", goPackage{"latchkey/internal/audit", "audit", []string{"latchkey/internal/auth"}}, 1},
		{"auth in password", goPackage{"latchkey/internal/auth/password", "password", []string{"latchkey/internal/auth"}}, 1},
		{"audit in limit", goPackage{"latchkey/internal/limit", "limit", []string{"latchkey/internal/audit"}}, 1},
		{"audit in pages", goPackage{"latchkey/views/pages", "pages", []string{"latchkey/internal/audit"}}, 1},
		{"audit in middleware", goPackage{"latchkey/internal/middleware", "middleware", []string{"latchkey/internal/audit"}}, 1},
		{"audit in auth", goPackage{"latchkey/internal/auth", "auth", []string{"latchkey/internal/audit", "latchkey/internal/limit"}}, 0},
		{"cookie in models", goPackage{"latchkey/models", "models", []string{"latchkey/internal/cookie"}}, 1},
		{"apperr in models", goPackage{"latchkey/models", "models", []string{"latchkey/internal/apperr"}}, 0},
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
				short := withoutModule(module, imported)
				if matchesAny(rule.imports, short) && !matchesAny(rule.except, short) {
					violations = append(violations, fmt.Sprintf("%s imports %s: %s", importer, imported, rule.why))
				}
			}
		}
	}
	return violations
}

// forbids reports whether the rule forbids an import by importer.
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
