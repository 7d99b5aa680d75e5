package pages

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/views/components"
)

// TestAdminActs checks the actions on an account: the target of each, which are
// posted at once, and which are refused.
func TestAdminActs(t *testing.T) {
	tests := []struct {
		sample string
		want   []string
	}{
		{"admin user", []string{
			"Clear sign-in limits: POST /unlock", "Mark as verified: POST /verify", "Change role: /role", "Create reset link: /reset-link",
			"Sign out everywhere: /sign-out", "Disable: /disable", "Delete: /delete",
		}},
		{"admin user disabled", []string{
			"Enable: POST /enable", "Clear sign-in limits: POST /unlock", "Mark as verified: POST /verify", "Change role: /role",
			"Create reset link: refused, Not now.", "Delete: /delete",
		}},
		{"admin user own", nil},
	}
	for _, test := range tests {
		t.Run(test.sample, func(t *testing.T) {
			doc := parse(t, sampleNamed(t, test.sample))
			var got []string
			for _, n := range doc {
				list := n.within("ul")
				if list == nil || list.attrs["aria-labelledby"] != "acts" || n.name != "a" && n.name != "button" {
					continue
				}
				spans := doc.inside(n, "span")
				name, text := spans[0].text, spans[1].text
				switch {
				case n.attrs["aria-disabled"] == "true" && !n.has("href"):
					got = append(got, name+": refused, "+text)
				case n.name == "a":
					got = append(got, name+": "+strings.TrimPrefix(n.attrs["href"], sampleTarget.URL))
				case n.name == "button":
					got = append(got, name+": POST "+strings.TrimPrefix(n.within("form").attrs["action"], sampleTarget.URL))
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("actions (-want +got):\n%s", diff)
			}
		})
	}
}

// TestChangeRole checks that the confirmation names the action, the person and the
// permissions of the other role, and that the form sends both roles.
func TestChangeRole(t *testing.T) {
	tests := []struct{ role, act, then, other string }{
		{"user", "Make Bo Chen an admin", "Bo Chen will be able to see, disable and delete every account, change roles and read the audit log.", "admin"},
		{"admin", "Make Bo Chen a user", "Bo Chen will be able to manage only their own account.", "user"},
	}
	for _, test := range tests {
		got := ChangeRole(sampleTarget, test.role, nil)
		want := components.Confirmation{
			Heading: test.act + "?", Text: []string{test.then, "This takes effect at once and ends no sessions."},
			Action: "/admin/users/b/role", Button: test.act, Busy: "Changing role…", Cancel: "/admin/users/b",
			Hidden: []components.Hidden{{Name: "was", Value: test.role}, {Name: "role", Value: test.other}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.role, diff)
		}
	}
}

// TestAdminDialogs checks that the dialog of each link has the same question and
// form as the page of the link, with a red button.
func TestAdminDialogs(t *testing.T) {
	pages := map[string]string{
		"ask-disable": "admin disable", "ask-sign-out": "admin sign-out", "ask-role": "admin role", "ask-reset-link": "admin reset link",
		"ask-delete": "admin delete", "ask-end-0": "user token end",
	}
	doc := parse(t, sampleNamed(t, "admin user"))
	for _, link := range doc.all("a") {
		id := link.attrs["data-dialog"]
		name, ok := pages[id]
		if !ok {
			continue
		}
		delete(pages, id)
		page := parse(t, sampleNamed(t, name))
		inDialog, onPage := doc.inside(doc.byID(id), "form")[0], page.byID("confirm-act")
		if got, want := doc.inside(doc.byID(id), "h2")[0].text, page.all("h1")[0].text; got != want {
			t.Errorf("%s: got heading %q, want %q", id, got, want)
		}
		if diff := cmp.Diff(asked(page, onPage), asked(doc, inDialog)); diff != "" {
			t.Errorf("%s (-page +dialog):\n%s", id, diff)
		}
		want := "btn danger"
		if id == "ask-reset-link" {
			want = "btn primary"
		}
		if got := doc.inside(inDialog, "button")[0].attrs["class"]; got != want {
			t.Errorf("%s: got a button of class %q, want %q", id, got, want)
		}
	}
	for id := range pages {
		t.Errorf("no link opens %s", id)
	}
}

// asked returns the texts and values of a form, without Cancel.
func asked(doc document, form *node) []string {
	list := []string{form.attrs["action"]}
	for _, n := range append(doc.inside(form, "p"), doc.inside(form, "button")...) {
		if !n.has("data-close") {
			list = append(list, n.text)
		}
	}
	for _, n := range append(doc.inside(form, "input"), doc.inside(form, "textarea")...) {
		list = append(list, n.attrs["name"]+"="+n.attrs["value"])
	}
	return list
}
