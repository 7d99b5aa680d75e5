package audit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/audit"
	"latchkey/models"
)

// loggedOnly are the events of the server's log that the audit log leaves out.
var loggedOnly = map[string]bool{audit.LoginLimited: true, audit.Limited: true, audit.TokenClass: true}

// TestEveryEventHasItsRow checks that every event has a sentence for admins, one for
// the person and an entry in the filter, and that events that are only in the
// server's log have none.
func TestEveryEventHasItsRow(t *testing.T) {
	choices := map[string]bool{}
	for _, group := range audit.Filter() {
		for _, entry := range group.Entries {
			if entry.Label == "" {
				t.Errorf("%s has no label in the filter", entry.Value)
			}
			if choices[entry.Value] {
				t.Errorf("%s is in the filter twice", entry.Value)
			}
			choices[entry.Value] = true
		}
	}
	general := audit.ToPerson(models.Event{Action: "of another version"})
	for _, name := range namesInSource(t) {
		e := models.Event{Action: name, ActorID: "a", ActorName: "boris", SubjectID: "b", SubjectName: "ana"}
		line, person := audit.LineOf(e), audit.ToPerson(e)
		if loggedOnly[name] {
			if choices[name] || line.Before != name {
				t.Errorf("%s is only in the server's log, but has a sentence or an entry in the filter", name)
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

// namesInSource reads the names of the events from their declaration, so that a new
// one cannot be left out.
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
		name    string
		actor   string
		subject string
		details audit.Details
		want    string
	}{
		{audit.Login, "ana", "ana", audit.Details{}, "ana signed in."},
		{audit.LoginFailed, "", "ana", audit.Details{}, "Someone tried to sign in as ana with a wrong password."},
		{audit.LoginFailed, "", "", audit.Details{}, "Someone tried to sign in with a wrong password."},
		{audit.Replay, "", "ana", audit.Details{Presented: 3, Current: 9, CurrentDelivery: 1}, "Someone used a copy of a session of ana."},
		{audit.LateDelivery, "", "ana", audit.Details{Current: 9, CurrentDelivery: 1}, "Someone continued a session of ana from another address or in another browser."},
		{audit.Restored, "", "ana", audit.Details{Presented: 9, Current: 3}, "Someone used a session of ana from before the server was restored from a backup."},
		{audit.ScopeRefused, "", "ana", audit.Details{}, "Someone asked the API for a scope that the role of ana does not allow."},
		{audit.UserSignOut, "System", "ana", audit.Details{}, "System signed out ana everywhere."},
		{"of-another-version", "ana", "", audit.Details{}, "ana of-another-version."},

		{audit.UserSessionEnd, "bo", "ana", audit.Details{Session: "abcdef"}, "bo signed ana out of a device: session abcdef."},
		{audit.SessionEnd, "ana", "ana", audit.Details{Session: "abcdef"}, "ana signed out another device: session abcdef."},
		{audit.ProfileChange, "ana", "ana", audit.Details{Username: audit.Changed("ana", "an"), FullName: audit.Changed("", "Ana Silva")}, "ana changed their profile: username ana → an, name (none) → Ana Silva."},
		{audit.EmailChange, "ana", "ana", audit.Details{Email: audit.Changed("a@x.org", "b@x.org"), SessionsEnded: 2}, "ana changed their email address: a@x.org → b@x.org, 2 sessions ended."},
		{audit.UserProfile, "bo", "ana", audit.Details{Email: audit.Changed("a@x.org", "b@x.org")}, "bo changed the profile of ana: email a@x.org → b@x.org."},
		{audit.UserRole, "bo", "ana", audit.Details{Role: audit.Changed("user", "admin")}, "bo changed the role of ana: user → admin."},
		{audit.UserCreate, "bo", "ana", audit.Details{Role: audit.Changed("", "user")}, "bo created the account of ana: role user."},
		{audit.UserDisable, "bo", "ana", audit.Details{SessionsEnded: 1, TokensEnded: 1}, "bo disabled ana: 1 session ended, 1 access token removed."},
		{audit.UserDisable, "bo", "ana", audit.Details{SessionsEnded: 3, Reason: "left"}, "bo disabled ana: 3 sessions ended. Reason: left."},
		{audit.UserDisable, "bo", "ana", audit.Details{Reason: "Left."}, "bo disabled ana. Reason: Left."},
		{audit.TokenCreate, "ana", "ana", audit.Details{Token: "Backup", Scope: "me", Days: 90}, "ana created an access token: Backup, scope me, 90 days."},
		{audit.TokenRemove, "ana", "ana", audit.Details{Token: "Backup", BySecret: true}, "ana removed an access token: Backup, by presenting it."},
		{audit.APILogin, "ana", "ana", audit.Details{Scope: "me", ClientID: "cron"}, "ana signed in through the API: scope me, client cron."},
	} {
		e := models.Event{Action: test.name, ActorName: test.actor, SubjectName: test.subject, Details: test.details.Encode()}
		if e.ActorID = test.actor; test.subject != "" {
			e.SubjectID = test.subject
		}
		if got := audit.Sentence(e); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if got := audit.DetailsOf(e); !cmp.Equal(got, test.details) {
			t.Errorf("%s: the details come back as %+v, want %+v", test.name, got, test.details)
		}
	}
}

// TestOldEvents checks that events from before details existed keep their text as a
// separate sentence.
func TestOldEvents(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{audit.UserDisable, "1 session ended. Reason: Left.", "bo disabled ana. 1 session ended. Reason: Left."},
		{audit.UserDisable, "Reason: left", "bo disabled ana. Reason: left."},
		{audit.UserRole, "user → admin", "bo changed the role of ana. user → admin."},
		{audit.UserEnable, "", "bo enabled ana."},
	} {
		e := models.Event{Action: test.name, ActorID: "2", ActorName: "bo", SubjectID: "1", SubjectName: "ana", Detail: test.text}
		if got := audit.Sentence(e); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		if got := audit.Detail(e); got != test.text {
			t.Errorf("%s: the detail is %q, want %q", test.name, got, test.text)
		}
	}
	if line := audit.LineOf(models.Event{Action: audit.Replay, Detail: "generation 3 of 9"}); line.Token != "generation 3 of 9" || line.Detail != "" {
		t.Errorf("a replay of before: %+v", line)
	}
}

// TestToPerson checks the sentences for the affected person, which leave out the
// admin's name and note.
func TestToPerson(t *testing.T) {
	for name, want := range map[string]string{
		audit.Login:         "You signed in.",
		audit.LoginFailed:   "Someone tried to sign in to your account. The password was wrong.",
		audit.LoginDisabled: "Someone tried to sign in while your account was disabled.",
		audit.UserDisable:   "An admin disabled your account.",
		audit.UserRole:      "An admin changed your role.",
	} {
		e := models.Event{Action: name, ActorID: "2", ActorName: "bo", SubjectID: "1", Details: audit.Details{Reason: "a note"}.Encode()}
		if got := audit.ToPerson(e); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
