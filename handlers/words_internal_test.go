package handlers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"latchkey/internal/auth"
	"latchkey/models"
)

// TestVerbs checks that every action that can stand in the audit log has its
// words, that there are none for what does not happen, and that one can filter
// by all that is recorded.
func TestVerbs(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../internal/auth/events.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	onlyLogged := map[string]bool{auth.ActionLoginLimited: true, auth.ActionLimited: true, auth.ActionTokenClass: true}
	known := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Action") {
			return true
		}
		action, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		known[action] = true
		if v := verbs[action]; !onlyLogged[action] && (v.verb == "" || v.label == "") {
			t.Errorf("%s has no words", action)
		}
		return true
	})
	if len(known) < 20 {
		t.Fatalf("found only %d actions", len(known))
	}
	for action := range verbs {
		if !known[action] || onlyLogged[action] {
			t.Errorf("there are words for %q, which never happens", action)
		}
	}
	choices := map[string]bool{}
	for _, group := range actionChoices("") {
		for _, option := range group.Options {
			choices[option.Value] = true
		}
	}
	for action := range known {
		if choices[action] == onlyLogged[action] {
			t.Errorf("%s: one can filter by it: %t, and it is only logged: %t", action, choices[action], onlyLogged[action])
		}
		text := toYou(models.Event{Action: action, ActorID: "a", SubjectID: "b"})
		// Of their own deletion nobody reads.
		if general := action == auth.ActionUserDelete || onlyLogged[action]; text == "" || !strings.HasSuffix(text, ".") || (text == byAdmin("")) != general {
			t.Errorf("%s: to the person it reads %q", action, text)
		}
	}
}

// TestSentence checks the lines of an account's page.
func TestSentence(t *testing.T) {
	for _, test := range []struct {
		event models.Event
		want  string
	}{
		{models.Event{Action: auth.ActionLogin, ActorID: "1", ActorName: "ana", SubjectID: "1", SubjectName: "ana"}, "ana signed in."},
		{models.Event{Action: auth.ActionUserDisable, ActorID: "2", ActorName: "bo", SubjectID: "1", SubjectName: "ana", Detail: "1 session ended"}, "bo disabled ana: 1 session ended."},
		{models.Event{Action: auth.ActionUserDisable, ActorID: "2", ActorName: "bo", SubjectID: "1", SubjectName: "ana", Detail: "Reason: Left."}, "bo disabled ana. Reason: Left."},
		{models.Event{Action: auth.ActionReplay, SubjectID: "1", SubjectName: "ana", Detail: "generation 3 of 9"}, "Somebody used a copy of a session of ana."},
		{models.Event{Action: auth.ActionRestored, SubjectID: "1", SubjectName: "ana"}, "Somebody used a session of ana from before the server was restored from a backup."},
		{models.Event{Action: auth.ActionScopeRefused, SubjectID: "1", SubjectName: "ana"}, "Somebody asked the API for more than the role allows, with the right password of ana."},
		{models.Event{Action: auth.ActionUserSignOut, ActorName: "System", SubjectID: "1", SubjectName: "ana"}, "System signed out ana everywhere."},
		{models.Event{Action: auth.ActionLoginFailed, SubjectID: "1", SubjectName: "ana"}, "Somebody tried to sign in as ana with a wrong password."},
	} {
		if got := sentence(test.event); got != test.want {
			t.Errorf("%s: got %q, want %q", test.event.Action, got, test.want)
		}
	}
}

// TestToYou checks how events read to the person that they are about: without
// the admin's name or note.
func TestToYou(t *testing.T) {
	const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	for action, want := range map[string]string{
		auth.ActionLogin:         "You signed in with Firefox on Linux.",
		auth.ActionLoginFailed:   "Somebody tried to sign in to your account with Firefox on Linux. The password was not correct.",
		auth.ActionLoginDisabled: "Somebody tried to sign in while your account was disabled.",
		auth.ActionUserDisable:   "An admin disabled your account.",
		auth.ActionUserRole:      "An admin changed your role.",
	} {
		got := toYou(models.Event{Action: action, ActorID: "2", ActorName: "bo", SubjectID: "1", Detail: "a note", UserAgent: agent})
		if got != want {
			t.Errorf("%s: got %q, want %q", action, got, want)
		}
	}
}
