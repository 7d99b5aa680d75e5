package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
)

// controls are the roles of the elements that a person can operate.
var controls = []string{
	"button", "checkbox", "combobox", "DisclosureTriangle", "link", "menuitem", "radio", "searchbox", "switch", "tab", "textbox",
}

// ambiguous returns the controls that a screen reader would read without a name, or
// with the name of another control.
func (b *tab) ambiguous() []string {
	b.Helper()
	var faults []string
	seen := map[string]string{}
	tree := call(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	for _, node := range tree.Nodes {
		role := spoken(node.Role)
		if node.Ignored || !slices.Contains(controls, role) {
			continue
		}
		name := spoken(node.Name)
		if strings.HasPrefix(name, "Show date picker") {
			continue // the browser's own button in a field for a day
		}
		for _, property := range node.Properties {
			if property.Name == "url" { // two links to one page are one control
				role = spoken(property.Value)
			}
		}
		if before, found := seen[name]; name == "" || found && (before != role || !strings.Contains(role, "/")) {
			faults = append(faults, fmt.Sprintf("%s %q beside %s", role, name, before))
		}
		seen[name] = role
	}
	return faults
}

// spoken is the text of a value of the accessibility tree.
func spoken(value *accessibility.Value) (text string) {
	if value != nil {
		_ = json.Unmarshal(value.Value, &text) // a role or a name is always text
	}
	return text
}

// wantNamesApart fails unless each control of the page has a unique name.
func (b *tab) wantNamesApart(name string) {
	b.Helper()
	for _, fault := range b.ambiguous() {
		b.Errorf("%s: without a unique name: %s", name, fault)
	}
}

// TestNamesApart signs in with two identical phones at the same time, signs one of
// them out, and checks that no two buttons have the same name.
func TestNamesApart(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	for range 2 {
		p.signInFrom(ana, iphone)
	}
	b := open(t, p, true)
	b.signIn(ana.username, ana.password)
	b.visit("/profile/sessions")
	b.click("Known devices")
	b.wantNamesApart("devices")
	b.press("Sign out Safari on iPhone")
	b.see("Signed out of Safari on iPhone.")
	b.wantNamesApart("device signed out")
	b.restyle(`.vh { display: none !important }`)
	if len(b.ambiguous()) == 0 {
		t.Error("buttons without the name of their device pass")
	}
}
