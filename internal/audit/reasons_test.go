package audit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"latchkey/internal/audit"
	"latchkey/models"
)

// TestEveryReasonHasItsRow checks that every reason why a session ends has a text
// for the sign-in page and for the list of sessions.
func TestEveryReasonHasItsRow(t *testing.T) {
	unknown := audit.EndingOf("of another version")
	for _, reason := range reasonsInSource(t) {
		ending := audit.EndingOf(reason)
		if ending.List == unknown.List || !strings.HasSuffix(ending.List, ".") || !strings.HasSuffix(ending.Login, ".") {
			t.Errorf("%s: %+v", reason, ending)
		}
	}
	if unknown.List == "" || unknown.Login == "" {
		t.Errorf("a reason of another version: %+v", unknown)
	}
}

// reasonsInSource reads the reasons from their declaration, so that a new one
// cannot be left out.
func reasonsInSource(t *testing.T) (list []models.Reason) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../models/sessions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Reason" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, models.Reason(text))
		}
		return true
	})
	if len(list) < 10 {
		t.Fatalf("found only %d reasons", len(list))
	}
	return list
}
