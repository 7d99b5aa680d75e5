package components

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
)

func render(t *testing.T, component templ.Component) string {
	t.Helper()
	var html strings.Builder
	if err := component.Render(t.Context(), &html); err != nil {
		t.Fatalf("render: %v", err)
	}
	return html.String()
}

func TestErrors(t *testing.T) {
	var errs Errors
	if errs.Any() || errs.For("email") != "" {
		t.Error("the zero Errors has problems")
	}
	errs.Add("email", "first")
	errs.Add("email", "second")
	errs.Add("", "of the form")
	tests := []struct{ field, want string }{
		{"email", "first"},
		{"", "of the form"},
		{"username", ""},
	}
	for _, test := range tests {
		if got := errs.For(test.field); got != test.want {
			t.Errorf("For(%q): got %q, want %q", test.field, got, test.want)
		}
	}
}

// TestProblemLinks checks that each error links to its field, whose id is its name
// unless it is a password field.
func TestProblemLinks(t *testing.T) {
	for _, test := range []struct{ field, want string }{
		{"email", `<a href="#email">wrong</a>`},
		{"password", `<a href="#new-password">wrong</a>`},
		{"new_password", `<a href="#new-password">wrong</a>`},
		{"current_password", `<a href="#current-password">wrong</a>`},
		{CurrentPassword, `<a href="#current-password">wrong</a>`},
		{NewPassword, `<a href="#new-password">wrong</a>`},
		{"", "wrong"},
	} {
		box := render(t, ErrorSummary(Errors{{Field: test.field, Text: "wrong"}}))
		if !strings.Contains(box, test.want) || test.field == "" && strings.Contains(box, "href") {
			t.Errorf("%q: got %s, want %s in it", test.field, box, test.want)
		}
	}
}

// TestTimes checks that times are in UTC, whatever the zone of the value.
func TestTimes(t *testing.T) {
	when := time.Date(2026, 11, 3, 1, 32, 0, 0, time.FixedZone("", 11*3600))
	tests := []struct {
		name      string
		component templ.Component
		want      string
	}{
		{"time", Time(when), `<time datetime="2026-11-02T14:32:00Z" data-relative>2 Nov 2026, 14:32 UTC</time>`},
		{"exact time", ExactTime(when), `<time datetime="2026-11-02T14:32:00Z" data-local>2 Nov 2026, 14:32 UTC</time>`},
		{"time of day", TimedText(Timed{"At ", when, "."}), `At <time datetime="2026-11-02T14:32:00Z" data-clock>14:32 UTC</time>.`},
		{"time of day and some seconds", TimedText(Timed{"At ", when.Add(time.Second), "."}), `At <time datetime="2026-11-02T14:33:00Z" data-clock>14:33 UTC</time>.`},
		{"date", Date(when), `<time datetime="2026-11-02T14:32:00Z">2 Nov 2026</time>`},
		{"no time", Time(time.Time{}), `Never`},
		{"no exact time", ExactTime(time.Time{}), `Never`},
		{"no date", Date(time.Time{}), `Never`},
	}
	for _, test := range tests {
		if got := render(t, test.component); strings.TrimSpace(got) != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// TestEscaping passes HTML to every component that shows text.
func TestEscaping(t *testing.T) {
	const evil = `"><script>alert(1)</script>`
	errs := Errors{{Field: evil, Text: evil}, {Text: evil}}
	tests := []struct {
		name      string
		component templ.Component
	}{
		{"field", Field(Input{Name: evil, Label: evil, Hint: evil, Error: evil, Value: evil, Autocomplete: evil})},
		{"password", PasswordField(Password{Name: evil, Autocomplete: evil, Label: evil, Hint: evil, Error: evil, Link: &Link{Label: evil, URL: evil}})},
		{"select", Select(Choice{Name: evil, Label: evil, Options: []Option{{Value: evil, Label: evil}}})},
		{"radios", Radios(Choice{Name: evil, Label: evil, Options: []Option{{Value: evil, Label: evil, Hint: evil}}})},
		{"checkbox", Checkbox(Check{Name: evil, Label: evil, Hint: evil, Value: evil})},
		{"hidden", HiddenFields(Hidden{Name: evil, Value: evil})},
		{"summary", ErrorSummary(errs)},
		{"timed", TimedText(Timed{Before: evil, After: evil})},
		{"alert", Alert(Message{Tone: Bad, Text: evil})},
		{"badge", Badge(OK, evil)},
		{"timed badge", TimedBadge(Tone(evil), Timed{Before: evil, After: evil})},
		{"empty", Empty(evil)},
		{"copyable", Copyable(evil, evil, evil)},
		{"submit", Submit(Button{Label: evil, More: evil, Busy: evil, Name: evil, Value: evil})},
		{"post", PostButton(evil, Button{Label: evil})},
		{"confirm", ConfirmForm(Confirmation{Heading: evil, Text: []string{evil}, Action: evil, Button: evil, Cancel: evil})},
		{"dialog", ConfirmDialog(evil, Confirmation{Heading: evil, Text: []string{evil}, Action: evil, Button: evil})},
	}
	for _, test := range tests {
		if got := render(t, test.component); strings.Contains(got, "<script") || strings.Contains(got, `="">`) {
			t.Errorf("%s: got %s", test.name, got)
		}
	}
}

// TestLinks checks that URLs that run scripts are replaced.
func TestLinks(t *testing.T) {
	tests := []struct {
		name      string
		component templ.Component
	}{
		{"link", ConfirmLink("d", Link{Label: "x", URL: "javascript:alert(1)"}, Secondary, false)},
		{"action", PostButton("javascript:alert(1)", Button{Label: "x"})},
		{"cancel", ConfirmForm(Confirmation{Cancel: "javascript:alert(1)"})},
	}
	for _, test := range tests {
		if got := render(t, test.component); strings.Contains(got, "javascript:") {
			t.Errorf("%s: got %s", test.name, got)
		}
	}
}

// TestConfirmDialog checks that the fields of a dialog keep their names and get
// different ids.
func TestConfirmDialog(t *testing.T) {
	question := Confirmation{Fields: []Input{{Name: "reason", Label: "Reason"}}}
	tests := []struct {
		name      string
		component templ.Component
		want      string
	}{
		{"page", ConfirmForm(question), `id="reason" name="reason"`},
		{"dialog", ConfirmDialog("disable", question), `id="disable-reason" name="reason"`},
	}
	for _, test := range tests {
		if got := render(t, test.component); !strings.Contains(got, test.want) {
			t.Errorf("%s: got %s, want %s in it", test.name, got, test.want)
		}
	}
}
