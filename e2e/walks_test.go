package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
)

// Complete tasks, as people do them with a screen reader and the keyboard. Each
// control is found by its role and name in the accessibility tree, where they have
// to be unique, and is reached with Tab.

// heard returns the controls of a role whose name has a prefix.
func (b *tab) heard(role, beginning string) (nodes []*accessibility.Node) {
	b.Helper()
	tree := call(b, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	for _, node := range tree.Nodes {
		if !node.Ignored && spoken(node.Role) == role && strings.HasPrefix(spoken(node.Name), beginning) {
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// reach presses Tab until the focus is on the control with this role and name, or
// else on the only one whose name has this prefix.
func (b *tab) reach(role, name string) {
	b.Helper()
	nodes := b.heard(role, name)
	if i := slices.IndexFunc(nodes, func(node *accessibility.Node) bool { return spoken(node.Name) == name }); i >= 0 {
		nodes = nodes[i : i+1]
	}
	if len(nodes) != 1 {
		b.Fatalf("%s: a screen reader reads %d controls of role %s named %q, want 1", b.at(), len(nodes), role, name)
	}
	element := call(b, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: nodes[0].BackendDOMNodeID})
	call(b, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		ObjectID: element.Object.ObjectID, FunctionDeclaration: `function () { window.goal = this; }`,
	})
	b.tabUntil(name, func(string) bool { return ask[bool](b, `document.activeElement === window.goal`) })
}

func TestWalkDisableAndUndo(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	p.people(60)
	b := open(t, p, true)
	b.signIn(boss.username, boss.password)
	b.visit("/admin")
	b.reach("link", "Users")
	b.enter()
	b.reach("searchbox", "Search by username, email or name")
	b.write("person42")
	b.wantStatus(b.enter(), 200)
	b.reach("link", "Ingrid Nowak")
	b.wantStatus(b.enter(), 200)
	b.reach("link", "Disable")
	b.enterQuestion()
	b.reach("button", "Disable Ingrid Nowak")
	b.wantStatus(b.enter(), 200)
	b.see("Ingrid Nowak is disabled.")
	b.reach("button", "Undo disabling Ingrid Nowak")
	b.wantStatus(b.enter(), 200)
	b.see("Ingrid Nowak is enabled and can sign in again.")
}

// TestWalkEqualDevices signs out one of two identical phones, whose controls differ
// only in their names, as their owner and as an admin.
func TestWalkEqualDevices(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	for range 3 {
		p.signInFrom(ana, iphone)
	}
	signOutOne := func(b *tab, left int, said string) {
		t.Helper()
		const beginning = "Sign out Safari on iPhone"
		phones := b.heard("button", beginning)
		if len(phones) != left+1 {
			t.Fatalf("%s: got %d phones, want %d", b.at(), len(phones), left+1)
		}
		b.reach("button", spoken(phones[1].Name))
		b.wantStatus(b.enter(), 200)
		b.see(said)
		if got := len(b.heard("button", beginning)); got != left {
			t.Errorf("%s: got %d phones, want %d", b.at(), got, left)
		}
	}
	owner := open(t, p, true)
	owner.signIn(ana.username, ana.password)
	owner.visit("/profile/sessions")
	signOutOne(owner, 2, "Signed out of Safari on iPhone.")

	admin := open(t, p, true)
	admin.signIn(boss.username, boss.password)
	admin.findUser("ana", "Ana Silva")
	signOutOne(admin, 1, "Ana Silva is signed out of Safari on iPhone.")
	admin.wantNamesApart("user with equal devices")
}

func TestWalkToken(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)
	b.signIn(ana.username, ana.password)
	b.visit("/profile/tokens")
	b.reach("textbox", "Name")
	b.write("Nightly backup")
	b.reach("checkbox", "Change this account")
	b.key(spaceKey)
	b.reach("button", "Create token")
	b.wantStatus(b.enter(), 200)
	b.see("Token created", "Nightly backup")
	b.reach("button", "Copy the access token")
	b.reach("link", "I have copied it")
	b.wantStatus(b.enter(), 200)
	b.see("Nightly backup", "Never used")
}
