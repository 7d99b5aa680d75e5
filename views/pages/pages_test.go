package pages

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/static"
	"latchkey/views/layouts"
)

// TestStructure checks the rules that all pages share.
func TestStructure(t *testing.T) {
	for _, test := range samples() {
		t.Run(test.name, func(t *testing.T) {
			doc := parse(t, test.page)
			if got := len(doc.all("h1")); got != 1 {
				t.Errorf("h1: got %d, want 1", got)
			}
			mains := doc.all("main")
			if len(mains) != 1 || mains[0].attrs["id"] != "main" || mains[0].attrs["tabindex"] != "-1" {
				t.Errorf("main: got %d, want one with id main and tabindex -1", len(mains))
			}
			html := doc.all("html")[0]
			if html.attrs["lang"] != "en" || html.attrs["dir"] != "ltr" {
				t.Errorf("html: got lang %q dir %q", html.attrs["lang"], html.attrs["dir"])
			}
			if got := doc.all("a")[0].attrs["href"]; got != "#main" && got != "#"+resultsID || doc.byID(got[1:]) == nil {
				t.Errorf("first link: got %q, want the skip link", got)
			}
			checkHeadings(t, doc)
			checkReferences(t, doc)
			checkForms(t, doc)
			checkInline(t, doc)
		})
	}
}

// checkHeadings checks that no level is skipped. It leaves out the error summary,
// which comes before the h1, and dialogs, which have their own headings.
func checkHeadings(t *testing.T, doc document) {
	t.Helper()
	last := 0
	for _, n := range doc {
		if len(n.name) != 2 || n.name[0] != 'h' || n.name == "hr" || n.attrs["id"] == "problem-heading" || n.within("dialog") != nil {
			continue
		}
		level, err := strconv.Atoi(n.name[1:])
		if err != nil {
			continue
		}
		if level > last+1 {
			t.Errorf("heading %q: level %d after %d", n.text, level, last)
		}
		last = level
	}
}

// checkReferences checks that ids are unique and that every reference has a target.
func checkReferences(t *testing.T, doc document) {
	t.Helper()
	seen := map[string]bool{}
	for _, n := range doc {
		if id, ok := n.attrs["id"]; ok {
			if seen[id] || id == "" {
				t.Errorf("id %q: twice or empty", id)
			}
			seen[id] = true
		}
	}
	for _, n := range doc {
		for _, attr := range []string{"for", "aria-describedby", "aria-labelledby", "aria-controls", "data-dialog"} {
			for id := range strings.FieldsSeq(n.attrs[attr]) {
				if !seen[id] {
					t.Errorf("<%s %s=%q>: no such id", n.name, attr, id)
				}
			}
		}
		if id, ok := strings.CutPrefix(n.attrs["href"], "#"); ok && !seen[id] {
			t.Errorf("link to #%s: no such id", id)
		}
	}
}

// checkForms checks that forms have a method, an action, a submit button and a label
// for every field, and no attribute that limits pasted text.
func checkForms(t *testing.T, doc document) {
	t.Helper()
	for _, form := range doc.all("form") {
		method := "post"
		if form.attrs["role"] == "search" {
			method = "get"
		}
		if form.attrs["method"] != method || !strings.HasPrefix(form.attrs["action"], "/") {
			t.Errorf("form %q: got method %q action %q", form.attrs["id"], form.attrs["method"], form.attrs["action"])
		}
		if form.within("form") != nil {
			t.Errorf("form %q is inside another form", form.attrs["id"])
		}
		submits := 0
		for _, button := range doc.inside(form, "button") {
			if button.attrs["type"] != "button" {
				submits++
			}
		}
		if submits == 0 {
			t.Errorf("form %q: no submit button", form.attrs["id"])
		}
	}
	for _, input := range doc.all("input") {
		if input.attrs["type"] == "hidden" {
			continue
		}
		onlyForScript := input.has("data-slash") // it is not sent
		if input.attrs["id"] == "" || (input.attrs["name"] == "") != onlyForScript {
			t.Errorf("input %v: needs an id and a name", input.attrs)
		}
		if input.has("maxlength") || input.has("placeholder") {
			t.Errorf("input %q: maxlength and placeholder are not used", input.attrs["name"])
		}
		labels := 0
		for _, label := range doc.all("label") {
			if label.attrs["for"] == input.attrs["id"] && label.text != "" {
				labels++
			}
		}
		if labels != 1 {
			t.Errorf("input %q: got %d labels, want 1", input.attrs["id"], labels)
		}
	}
}

// checkInline checks that the content security policy allows everything in the page.
func checkInline(t *testing.T, doc document) {
	t.Helper()
	for _, n := range doc {
		if n.name == "style" || n.name == "iframe" || n.name == "script" && n.attrs["src"] == "" {
			t.Errorf("the page has <%s>", n.name)
		}
		for attr := range n.attrs {
			if attr == "style" || strings.HasPrefix(attr, "on") {
				t.Errorf("the page has <%s %s=>", n.name, attr)
			}
		}
	}
}

// TestAssets requests every file that a page refers to.
func TestAssets(t *testing.T) {
	doc := parse(t, Login(signedOut("Sign in"), LoginForm{}))
	handler := static.Handler(nil)
	asked := 0
	for _, n := range doc {
		for _, attr := range []string{"href", "src"} {
			url := n.attrs[attr]
			if !strings.HasPrefix(url, "/static/") {
				continue
			}
			asked++
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
			if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
				t.Errorf("GET %s: got %d %q", url, w.Code, w.Header().Get("Cache-Control"))
			}
		}
	}
	if asked < 3 {
		t.Errorf("files named: got %d, want the stylesheet, the script and the icon", asked)
	}
}

// TestTitles checks that every title ends with the brand, and begins with "Error: " if
// a form is shown again.
func TestTitles(t *testing.T) {
	for _, test := range samples() {
		if test.name == "error without anything" {
			continue
		}
		doc := parse(t, test.page)
		title := doc.all("title")[0].text
		failed := doc.byID("problem") != nil
		if got := strings.HasPrefix(title, "Error: "); got != failed {
			t.Errorf("%s: title %q, problem box %t", test.name, title, failed)
		}
		if !strings.HasSuffix(title, " – Example") {
			t.Errorf("%s: title %q, want the brand at its end", test.name, title)
		}
	}
}

// TestProblems checks that every error is shown twice: in the error summary, with a
// link to its field, and beside the field, which is marked as invalid.
func TestProblems(t *testing.T) {
	for _, test := range samples() {
		doc := parse(t, test.page)
		box := doc.byID("problem")
		if box == nil {
			continue
		}
		if !strings.HasPrefix(box.text, "There is a problem") || !box.has("data-focus") {
			t.Errorf("%s: problem box %q", test.name, box.text)
		}
		for _, link := range doc.inside(box, "a") {
			id, ok := strings.CutPrefix(link.attrs["href"], "#")
			if !ok {
				continue // a link to another page
			}
			field := doc.byID(id)
			if field == nil || field.attrs["aria-invalid"] != "true" {
				t.Errorf("%s: field %q is not marked", test.name, id)
				continue
			}
			beside := doc.byID(id + "-error")
			if beside == nil || beside.text != "Error: "+link.text {
				t.Errorf("%s: field %q: no %q beside it", test.name, id, link.text)
			}
			if !strings.Contains(field.attrs["aria-describedby"], id+"-error") {
				t.Errorf("%s: field %q does not name its error", test.name, id)
			}
		}
		for _, n := range doc {
			if n.has("autofocus") {
				t.Errorf("%s: %q takes the focus from the problem box", test.name, n.attrs["id"])
			}
		}
	}
}

// TestWrongPassword checks that there is one error for the pair of name and password:
// it is in the error summary once, both fields are marked, the name is kept, and the
// password is not in the page.
func TestWrongPassword(t *testing.T) {
	doc := parse(t, Login(signedOut("Sign in"), LoginForm{Username: "ana", Error: "Email, username or password is not correct."}))
	if got := len(doc.inside(doc.byID("problem"), "a")); got != 1 {
		t.Errorf("links in the box: got %d, want 1", got)
	}
	username, password := doc.byID("username"), doc.byID("current-password")
	if got := username.attrs["value"]; got != "ana" {
		t.Errorf("username: got %q, want it kept", got)
	}
	if password.has("value") || password.attrs["aria-invalid"] != "true" || password.attrs["aria-describedby"] != "username-error" {
		t.Errorf("password: got %v", password.attrs)
	}
}

// TestLoginLimit checks that the script can show the time in the person's zone, and
// that the link to reset the password keeps next.
func TestLoginLimit(t *testing.T) {
	doc := parse(t, sampleNamed(t, "login limit"))
	box := doc.byID("problem")
	var said []string
	for _, p := range doc.inside(box, "p") {
		said = append(said, p.text)
	}
	if diff := cmp.Diff([]string{"Try again at 14:32 UTC.", "You can also reset your password."}, said); diff != "" {
		t.Errorf("problem box (-want +got):\n%s", diff)
	}
	if times := doc.inside(box, "time"); len(times) != 1 || times[0].attrs["datetime"] != "2026-11-02T14:32:00Z" || !times[0].has("data-clock") {
		t.Errorf("got times %v, want one for the script", times)
	}
	if links := doc.inside(box, "a"); len(links) != 1 || links[0].attrs["href"] != "/forgot?next=%2Fprofile" {
		t.Errorf("got links %v, want one to /forgot", links)
	}
}

// TestReplacedLink checks the sentence with the time.
func TestReplacedLink(t *testing.T) {
	doc := parse(t, sampleNamed(t, "reset replaced"))
	want := "A newer link was created on 2 Nov 2026, 14:32 UTC. Use that one."
	for _, p := range doc.all("p") {
		if p.text == want {
			return
		}
	}
	t.Errorf("no paragraph %q in %q", want, doc.all("main")[0].text)
}

// TestSignupLink checks that the link to sign-up keeps next, and that there is no link
// while sign-up is closed.
func TestSignupLink(t *testing.T) {
	find := func(page layouts.Page) []string {
		var links []string
		for _, a := range parse(t, Login(page, LoginForm{Next: "/profile/sessions?a=1&b=2"})).all("a") {
			if strings.HasPrefix(a.attrs["href"], "/signup") {
				links = append(links, a.attrs["href"])
			}
		}
		return links
	}
	open, closed := signedOut("Sign in"), signedOut("Sign in")
	closed.SignupOpen = false
	if diff := cmp.Diff([]string{"/signup?next=%2Fprofile%2Fsessions%3Fa%3D1%26b%3D2"}, find(open)); diff != "" {
		t.Errorf("open (-want +got):\n%s", diff)
	}
	if got := find(closed); got != nil {
		t.Errorf("closed: got %q, want none", got)
	}
}
