package pages

import (
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"
)

// TestPasswordManagers checks that password managers can read each form: it has the
// fields they know, in the expected order, each once, all visible and all in the
// HTML.
func TestPasswordManagers(t *testing.T) {
	tests := []struct {
		form   string
		page   templ.Component
		action string
		fields string // "name:autocomplete" of the visible fields
	}{
		{"sign-in", sampleNamed(t, "login"), "/login", "username:username password:current-password remember:"},
		{"sign-in", sampleNamed(t, "login wrong"), "/login", "username:username password:current-password remember:"},
		{"sign-up", sampleNamed(t, "signup"), "/signup", "email:email username:username full_name:name password:new-password"},
		{"setup", sampleNamed(t, "setup"), "/setup", "email:email username:username full_name:name password:new-password"},
		{"reset-password", sampleNamed(t, "reset"), "/reset", "username:username password:new-password end_tokens:"},
		{"change-password", sampleNamed(t, "change password"), "/profile/password", "username:username current_password:current-password new_password:new-password end_tokens:"},
		{"change-email", sampleNamed(t, "change email"), "/profile/email", "email:email"},
		{"create-token", sampleNamed(t, "tokens"), "/profile/tokens", "name:off scope.me: scope.users:write: days: days: days: days:"},
		{"confirm-identity", sampleNamed(t, "confirm identity"), "/confirm", "username:username password:current-password"},
		{"confirm-identity", sampleNamed(t, "confirm identity, code"), "/confirm", "username:username code:one-time-code"},
		{"confirm-identity", sampleNamed(t, "confirm identity, full"), "/confirm", "username:username password:current-password code:one-time-code"},
		{"login-code", sampleNamed(t, "second step"), "/login/code", "code:one-time-code trust:"},
		{"login-recovery", sampleNamed(t, "recovery code"), "/login/recovery", "code:off"},
		{"set-up-app", sampleNamed(t, "set up app"), "/profile/security/app", "code:one-time-code"},
		{"change-name", sampleNamed(t, "change name"), "/profile/name", "full_name:name"},
		{"change-username", sampleNamed(t, "change username"), "/profile/username", "username:username"},
	}
	for _, test := range tests {
		t.Run(test.form, func(t *testing.T) {
			doc := parse(t, test.page)
			form := doc.byID(test.form)
			if form == nil || form.name != "form" {
				t.Fatalf("no form with that id")
			}
			if got := form.attrs["action"]; got != test.action {
				t.Errorf("action: got %q, want %q", got, test.action)
			}
			if !form.has("novalidate") || !form.has("data-once") {
				t.Errorf("form: got %v, want novalidate and data-once", form.attrs)
			}
			var got []string
			for _, input := range doc.inside(form, "input") {
				if input.attrs["type"] != "hidden" {
					got = append(got, input.attrs["name"]+":"+input.attrs["autocomplete"])
				}
			}
			if diff := cmp.Diff(strings.Fields(test.fields), got); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPasswordFields checks every password field against the rules for its purpose.
// The purpose is its id, whatever its name.
func TestPasswordFields(t *testing.T) {
	least := map[string]string{"setup": "15", "setup errors": "15"}
	for _, test := range samples() {
		doc := parse(t, test.page)
		buttons := map[string]bool{}
		for _, input := range doc.all("input") {
			if input.attrs["type"] != "password" {
				continue
			}
			name := test.name + ": " + input.attrs["name"]
			if input.has("value") || !input.has("required") || input.attrs["autocapitalize"] != "none" || input.attrs["spellcheck"] != "false" {
				t.Errorf("%s: got %v", name, input.attrs)
			}
			if got, want := input.attrs["id"], input.attrs["autocomplete"]; got != want {
				t.Errorf("%s: id: got %q, want %q", name, got, want)
			}
			want := ""
			if input.attrs["autocomplete"] == "new-password" {
				want = least[test.name]
				if want == "" {
					want = "12"
				}
			}
			if got := input.attrs["minlength"]; got != want {
				t.Errorf("%s: minlength: got %q, want %q", name, got, want)
			}
			rules := "minlength: " + want + "; allowed: ascii-printable;"
			if got := input.attrs["passwordrules"]; want != "" && got != rules {
				t.Errorf("%s: passwordrules: got %q, want %q", name, got, rules)
			}
			said := checkShowButton(t, doc, input, name)
			if buttons[said] {
				t.Errorf("%s: two Show buttons are called %q", name, said)
			}
			buttons[said] = true
		}
	}
}

// checkShowButton checks that the Show button never sends the form and is hidden
// without script. It returns the button's name, which contains the field's label.
func checkShowButton(t *testing.T, doc document, input *node, name string) string {
	t.Helper()
	for _, button := range doc.all("button") {
		if button.attrs["aria-controls"] != input.attrs["id"] {
			continue
		}
		if button.attrs["type"] != "button" || !strings.Contains(button.attrs["class"], "js") {
			t.Errorf("%s: Show button: got %v", name, button.attrs)
		}
		for _, label := range doc.all("label") {
			if label.attrs["for"] != input.attrs["id"] {
				continue
			}
			field := strings.ToLower(label.text)
			for attr, want := range map[string]string{
				"aria-label": "Show " + field, "data-show-label": "Show " + field, "data-hide-label": "Hide " + field,
				"data-shown": "Your " + field + " is visible", "data-hidden": "Your " + field + " is hidden",
			} {
				if got := button.attrs[attr]; got != want {
					t.Errorf("%s: Show button: %s: got %q, want %q", name, attr, got, want)
				}
			}
		}
		return button.attrs["aria-label"]
	}
	t.Errorf("%s: no Show button", name)
	return ""
}

// sampleNamed returns the page of a sample.
func sampleNamed(t *testing.T, name string) templ.Component {
	t.Helper()
	for _, s := range samples() {
		if s.name == name {
			return s.page
		}
	}
	t.Fatalf("no sample %q", name)
	return nil
}
