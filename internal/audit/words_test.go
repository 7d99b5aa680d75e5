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

// loggedOnly are the events of the server's log that the audit log leaves out.
var loggedOnly = map[string]bool{audit.LoginLimited: true, audit.Limited: true, audit.TokenClass: true}

// TestEveryEventHasItsRow checks that every event has words for admins, words
// for the person and a place in the filter, and that those of the server's log
// alone have none.
func TestEveryEventHasItsRow(t *testing.T) {
	choices := map[string]bool{}
	for _, group := range audit.Filter() {
		for _, entry := range group.Entries {
			if entry.Label == "" {
				t.Errorf("%s has no label in the filter", entry.Value)
			}
			if choices[entry.Value] {
				t.Errorf("%s stands in the filter twice", entry.Value)
			}
			choices[entry.Value] = true
		}
	}
	general := audit.ToPerson(models.Event{Action: "of another version"}, "")
	for _, name := range namesInSource(t) {
		e := models.Event{Action: name, ActorID: "a", ActorName: "boris", SubjectID: "b", SubjectName: "ana"}
		line, person := audit.LineOf(e), audit.ToPerson(e, "")
		if loggedOnly[name] {
			if choices[name] || line.Before != name {
				t.Errorf("%s is in the server's log alone, and has words or a place in the filter", name)
			}
			continue
		}
		if !choices[name] {
			t.Errorf("%s is not in the filter", name)
		}
		if line.Before == name || strings.ContainsAny(line.Before+line.After, "[]{}") {
			t.Errorf("%s: for admins it reads %q", name, audit.Sentence(e))
		}
		if person == general || !strings.HasSuffix(person, ".") || strings.Contains(person, "{") || strings.Contains(person, "boris") {
			t.Errorf("%s: for the person it reads %q", name, person)
		}
	}
}

// namesInSource reads the names of the events from where they are declared, so
// that a new one cannot be left out.
func namesInSource(t *testing.T) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "events.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			value, ok := spec.(*ast.ValueSpec)
			if !ok || value.Type != nil {
				continue
			}
			name, err := strconv.Unquote(value.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
	}
	if len(names) < 20 {
		t.Fatalf("found only %d events", len(names))
	}
	return names
}

func TestFilterPresets(t *testing.T) {
	if got := audit.Chosen("no such value"); got != nil {
		t.Errorf("an unknown value stands for %v", got)
	}
	if got := audit.Chosen(audit.UserRole); len(got) != 1 || got[0] != audit.UserRole {
		t.Errorf("%s stands for %v", audit.UserRole, got)
	}
	whole := 0
	for _, group := range audit.Filter() {
		whole += len(group.Entries[0].Events)
	}
	if want := len(namesInSource(t)) - len(loggedOnly); whole != want {
		t.Errorf("the presets of whole groups have %d events, want %d", whole, want)
	}
}

func TestSentence(t *testing.T) {
	for _, test := range []struct {
		event models.Event
		want  string
	}{
		{models.Event{Action: audit.Login, ActorID: "1", ActorName: "ana", SubjectID: "1", SubjectName: "ana"}, "ana signed in."},
		{models.Event{Action: audit.UserDisable, ActorID: "2", ActorName: "bo", SubjectID: "1", SubjectName: "ana", Detail: "1 session ended"}, "bo disabled ana: 1 session ended."},
		{models.Event{Action: audit.UserDisable, ActorID: "2", ActorName: "bo", SubjectID: "1", SubjectName: "ana", Detail: "Reason: Left."}, "bo disabled ana. Reason: Left."},
		{models.Event{Action: audit.Replay, SubjectID: "1", SubjectName: "ana", Detail: "generation 3 of 9"}, "Somebody used a copy of a session of ana."},
		{models.Event{Action: audit.Restored, SubjectID: "1", SubjectName: "ana"}, "Somebody used a session of ana from before the server was restored from a backup."},
		{models.Event{Action: audit.ScopeRefused, SubjectID: "1", SubjectName: "ana"}, "Somebody asked the API for more than the role allows, with the right password of ana."},
		{models.Event{Action: audit.UserSignOut, ActorName: "System", SubjectID: "1", SubjectName: "ana"}, "System signed out ana everywhere."},
		{models.Event{Action: audit.LoginFailed, SubjectID: "1", SubjectName: "ana"}, "Somebody tried to sign in as ana with a wrong password."},
		{models.Event{Action: audit.LoginFailed}, "Somebody tried to sign in with a wrong password."},
		{models.Event{Action: "of-another-version", ActorName: "ana"}, "ana of-another-version."},
	} {
		if got := audit.Sentence(test.event); got != test.want {
			t.Errorf("%s: got %q, want %q", test.event.Action, got, test.want)
		}
	}
}

// TestToPerson checks how events read to the person that they are about:
// without the admin's name or note.
func TestToPerson(t *testing.T) {
	for name, want := range map[string]string{
		audit.Login:         "You signed in with Firefox on Linux.",
		audit.LoginFailed:   "Somebody tried to sign in to your account with Firefox on Linux. The password was not correct.",
		audit.LoginDisabled: "Somebody tried to sign in while your account was disabled.",
		audit.UserDisable:   "An admin disabled your account.",
		audit.UserRole:      "An admin changed your role.",
	} {
		e := models.Event{Action: name, ActorID: "2", ActorName: "bo", SubjectID: "1", Detail: "a note"}
		if got := audit.ToPerson(e, "Firefox on Linux"); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if got, want := audit.ToPerson(models.Event{Action: audit.Login}, ""), "You signed in."; got != want {
		t.Errorf("without a device: got %q, want %q", got, want)
	}
}
