package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
)

// TestDocsWithoutScript checks that the API documentation lists every request and
// shows nothing that needs script.
func TestDocsWithoutScript(t *testing.T) {
	t.Parallel()
	b := open(t, startPortal(t), false)
	b.wantStatus(b.visit("/docs"), 200)
	b.see("POST", "/token", "/users/me", "Read your own account", "/users/{id}/sessions", "users:write")
	b.wantNot("Authorize")
	b.wantEachOnce()
	b.wantNothingInline("docs without script")
	b.clickOn(".endpoints summary")
	b.until("the details to open", `document.querySelector(".endpoints details").open`)
	ask[int64](b, `(document.querySelectorAll(".endpoints details").forEach((d) => { d.open = true; }), 1)`)
	b.see("The name that the client gives itself", "-d username=… -d password=…", "Errors: 400 Bad Request")
	b.switchTheme("dark")
	b.wantAt("/docs")
	b.wantTheme("dark")
}

// TestDocsWithoutSwagger checks that the page shows the plain list if Swagger UI
// does not load.
func TestDocsWithoutSwagger(t *testing.T) {
	t.Parallel()
	b := open(t, startPortal(t), true)
	call(b, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: []*network.BlockPattern{
		{URLPattern: "*://*:*/static/*/swagger-ui/*.js", Block: true},
	}})
	b.watch.mute(true) // Chromium complains about the blocked file
	b.wantStatus(b.visit("/docs"), 200)
	b.until("the list", `document.querySelector(".endpoints").checkVisibility()`)
	b.wantNot("Authorize")
	b.wantEachOnce()
	b.inspect("docs list")
	ask[int64](b, `(document.querySelectorAll(".endpoints details").forEach((d) => { d.open = true; }), 1)`)
	b.inspectLooks("docs list with all details")
}

// TestDocs calls the API from its documentation page. It checks that the browser
// reports no problem, that nothing is loaded from other hosts, and that a request
// gets its response.
func TestDocs(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	ana := p.signUp(newAccount("ana", "Ana Silva"))
	b := open(t, p, true)
	b.watch.expect("Form") // Swagger UI's fields have no proper labels
	b.wantStatus(b.visit("/docs"), 200)
	b.until("Swagger UI to be there", `document.querySelector(".opblock-tag")`)
	for _, shift := range b.layoutShifts() {
		t.Errorf("the page moved while it loaded: %s", shift)
	}
	b.wantEachOnce()
	b.inspectLooks("docs") // not inspect: Swagger UI sets style attributes

	b.click("Authorize")
	b.until("the dialog", `document.querySelector(".modal-ux")`)
	b.picture("docs authorize")
	b.fill("username:", ana.username)
	b.fill("password:", ana.password)
	b.clickOn(".modal-ux .auth.authorize")
	b.until("to be signed in", `document.querySelector(".modal-ux").innerText.includes("Logout")`)
	b.clickOn(".modal-ux .close-modal")

	const me = `[id$="read-me"]`
	b.clickOn(me + " .opblock-summary-control")
	// The responses appear once Swagger UI has read the whole operation.
	b.until("the operation to open", `document.querySelector(%s).querySelector(".responses-table")?.innerText.includes("full_name")`, me)
	b.see("Scope me", `curl `+p.url+`/users/me -H "Authorization: Bearer $TOKEN"`)
	b.clickOn(me + " .execute")
	b.until("the response", `document.querySelector(%s).innerText.includes("ana@example.org")`, me)
	b.inspectLooks("docs tried")
	for _, name := range []string{"access", "refresh"} {
		if b.cookies()[name] != nil {
			t.Errorf("the page set the cookie %s", name)
		}
	}
	requests, _ := b.watch.transferred()
	for _, asked := range requests {
		if !strings.HasPrefix(asked, p.url) && !strings.HasPrefix(asked, "data:") {
			t.Errorf("the page requested %s", asked)
		}
	}
	b.switchTheme("dark")
	b.until("Swagger UI in dark", `document.querySelector("html.dark-mode")`)
	b.wantAt("/docs")
	b.paper()
	for _, fault := range b.unreadable() {
		t.Errorf("on paper: %s", fault)
	}
	b.picture("print docs")
	b.screen(1280, 800, false)

	b.signIn(ana.username, ana.password)
	b.visit("/profile/sessions")
	b.see("API · documentation page")
}

// wantEachOnce fails unless the page shows every endpoint of the OpenAPI document
// once.
func (b *tab) wantEachOnce() {
	b.Helper()
	want := ask[[]string](b, `fetch("/openapi.json").then((r) => r.json()).then(({ paths }) =>
		Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map((method) => method.toUpperCase() + " " + path)))`)
	got := ask[[]string](b, `[...document.querySelectorAll(".endpoints .call, .opblock-summary-control")].filter((e) => e.checkVisibility())
		.map((e) => [".method, .opblock-summary-method", "bdi, [data-path]"].map((s) => e.querySelector(s).textContent.replace(/\u200b/g, "")).join(" "))`)
	slices.Sort(want)
	slices.Sort(got)
	if len(want) == 0 || !slices.Equal(got, want) {
		b.Errorf("got the endpoints %q, want %q", got, want)
	}
}

// clickOn clicks the element that matches a selector, for pages whose text is
// not the portal's.
func (b *tab) clickOn(selector string) {
	b.Helper()
	if !ask[bool](b, `(() => { const e = document.querySelector(%s); e?.click(); return Boolean(e); })()`, selector) {
		b.Fatalf("there is no %s on %s:\n%s", selector, b.at(), b.text())
	}
}
