package layouts

import (
	"strings"
	"testing"

	"github.com/a-h/templ"

	"latchkey/views/components"
)

func render(t *testing.T, page templ.Component) string {
	t.Helper()
	var html strings.Builder
	if err := page.Render(t.Context(), &html); err != nil {
		t.Fatalf("render: %v", err)
	}
	return html.String()
}

// TestFrame checks the parts that each field of Page adds to the frame or removes.
func TestFrame(t *testing.T) {
	ana := &User{Name: "Ana Silva", Username: "ana"}
	admin := &User{Username: "root", IsAdmin: true}
	brand := Brand{Name: "Example", IconURL: "/icon.svg"}
	tests := []struct {
		name   string
		page   templ.Component
		want   []string
		absent []string
	}{
		{
			name:   "plain",
			page:   Door(Page{Title: "Sign in", Brand: brand}),
			want:   []string{"<title>Sign in – Example</title>", `content="light dark"`, `<svg class="mark" viewBox="0 0 32 32" width="48" height="48" aria-hidden="true"`},
			absent: []string{"data-theme", "noindex", "mailto:", "/logout", `role="alert"`},
		},
		{
			name: "error",
			page: Door(Page{Title: "Sign in", Brand: brand, HasError: true}),
			want: []string{"<title>Error: Sign in – Example</title>"},
		},
		{
			name: "token in the address",
			page: Door(Page{NoIndex: true}),
			want: []string{`<meta name="robots" content="noindex">`},
		},
		{
			name:   "system theme",
			page:   Door(Page{Path: "/a?b=1&c=2"}),
			want:   []string{`value="dark" title="Use dark theme" aria-label="Use dark theme"`, `value="light" title="Use light theme" aria-label="Use light theme"`, `name="next" value="/a?b=1&amp;c=2"`, `content="#faf9f7"`, `content="#121211"`},
			absent: []string{"data-theme"},
		},
		{
			name:   "dark theme",
			page:   Door(Page{Theme: ThemeDark}),
			want:   []string{`data-theme="dark"`, `name="color-scheme" content="dark"`, `value="light" title="Use light theme"`},
			absent: []string{"#faf9f7"},
		},
		{
			name:   "light theme",
			page:   Door(Page{Theme: ThemeLight}),
			want:   []string{`data-theme="light"`, `value="dark" title="Use dark theme"`},
			absent: []string{"#121211"},
		},
		{
			name: "brand",
			page: Door(Page{Brand: Brand{Name: "Ärzte & Co", LogoURL: "/logo.png", LogoWidth: 96, LogoHeight: 24, CSSURL: "/brand.css", SupportEmail: "help@example.org"}}),
			want: []string{"Ärzte &amp; Co", `src="/logo.png" width="96" height="24"`, `<link rel="stylesheet" href="/brand.css">`, `<a href="mailto:help@example.org">Help</a>`},
		},
		{
			name:   "user",
			page:   App(Page{User: ana}),
			want:   []string{`action="/logout"`, "</svg>Sign out</button>", `<a class="brand" href="/profile">`},
			absent: []string{`href="/admin`, ">Admin<"},
		},
		{
			name:   "admin elsewhere",
			page:   App(Page{User: admin}),
			want:   []string{`<a href="/admin">Admin</a>`},
			absent: []string{"Audit log", "Your account", `class="rail"`},
		},
		{
			name:   "admin area",
			page:   App(Page{User: admin, Section: SectionAudit}),
			want:   []string{`<a class="brand" href="/admin">`, `<a href="/profile"><svg`, "</svg>Your account</a>", `<a href="/admin/audit" aria-current="page">Audit log</a>`, `action="/logout"`},
			absent: []string{">Admin</a>", `class="top"`},
		},
		{
			name: "message",
			page: App(Page{User: ana, Flash: &Flash{Kind: components.OK, Text: "Saved.", Undo: &Undo{
				Action: "/undo", Label: "Undo", More: " saving", Fields: []components.Hidden{{Name: "role", Value: "user"}},
			}}}),
			want: []string{`class="alert flash ok" role="alert" tabindex="-1"`, "Saved.", `action="/undo"`, `<input type="hidden" name="role" value="user">`},
		},
		{name: "either, signed in", page: Either(Page{User: ana}), want: []string{`class="top"`}},
		{name: "either, signed out", page: Either(Page{}), want: []string{`class="front"`}, absent: []string{`class="top"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := render(t, test.page)
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in:\n%s", want, got)
				}
			}
			for _, absent := range test.absent {
				if strings.Contains(got, absent) {
					t.Errorf("%q is in:\n%s", absent, got)
				}
			}
		})
	}
}

// TestChildren checks that every frame contains the content of the page once, after
// the message.
func TestChildren(t *testing.T) {
	page := Page{User: &User{Username: "ana"}, Flash: &Flash{Text: "message"}}
	frames := map[string]func(Page) templ.Component{"door": Door, "app": App, "either": Either}
	for name, frame := range frames {
		var html strings.Builder
		ctx := templ.WithChildren(t.Context(), templ.Raw("<h1>content</h1>"))
		if err := frame(page).Render(ctx, &html); err != nil {
			t.Fatalf("render: %v", err)
		}
		got := html.String()
		message, content := strings.Index(got, "message"), strings.Index(got, "<h1>content</h1>")
		if message < 0 || content < message || strings.Count(got, "<h1>content</h1>") != 1 {
			t.Errorf("%s: message at %d, content at %d", name, message, content)
		}
	}
}
