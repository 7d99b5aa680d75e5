package proxytest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"latchkey/models"
)

// TestRadicale tests calendars behind forward-auth, in a browser and for programs
// that support only a username and a password.
func TestRadicale(t *testing.T) {
	program := findProgram(t, "radicale")
	radicale := realApp{
		name: "radicale",
		changes: map[string][]change{
			"nginx": {{"        proxy_set_header X-Remote-User \"\";\n", "nginx.conf"}},
			"caddy": {{"\t\treverse_proxy 127.0.0.1:9000\n", "Caddyfile"}},
		},
	}
	radicale.start = func(t *testing.T) string {
		dir, addr := t.TempDir(), freeAddr(t)
		file := filepath.Join(dir, "config")
		write(t, file, radicale.config(t, "radicale.conf", "127.0.0.1:9000", addr, "/var/lib/radicale", dir))
		run(t, nil, program, "--config", file)
		return addr
	}
	radicale.behindProxies(t, []scenario{
		{"the first visit makes a folder", firstCalendar},
		{"another person's calendar", anothersCalendar},
		{"a program", calendarProgram},
		{"another person in the same browser", calendarsInTurn},
		{"a disabled account", calendarOfDisabled},
	})
}

func firstCalendar(w *world) {
	ana := w.person("ana", "", models.RoleUser)
	b := w.browser()
	b.signIn("ana", appURL+"/.web/").is(http.StatusOK)
	if got, want := b.principal(), "/"+ana.ID+"/"; got != want {
		w.t.Errorf("Radicale sees %q, want %q", got, want)
	}
	b.dav("PROPFIND", "/"+ana.ID+"/", "").is(http.StatusMultiStatus)
	b.basic("anything", "typed into Radicale's page")
	if got, want := b.principal(), "/"+ana.ID+"/"; got != want {
		w.t.Errorf("with another username Radicale sees %q, want %q", got, want)
	}
}

func anothersCalendar(w *world) {
	bo, cy := w.person("bo", "", models.RoleUser), w.person("cy", "", models.RoleUser)
	owner, other := w.browser(), w.browser()
	owner.signIn("bo", appURL+"/.web/")
	other.signIn("cy", appURL+"/.web/")
	event := owner.saveEvent(bo, "Dentist")
	for _, forged := range []string{"", "X-Remote-User", "X_Remote_User", "Remote-Id", "Remote-User"} {
		other.extra = http.Header{}
		if forged != "" {
			other.extra[forged] = []string{bo.ID}
		}
		if forged == "" || forged == "X-Remote-User" {
			if got := other.principal(); got != "/"+cy.ID+"/" {
				w.t.Errorf("with %q forged, Radicale sees %q", forged, got)
			}
		}
		for _, method := range []string{http.MethodGet, "PROPFIND", http.MethodPut, http.MethodDelete} {
			if a := other.dav(method, event, calendarOf("Mine now")); a.code != http.StatusForbidden && a.code != http.StatusBadRequest {
				w.t.Errorf("%s with %q forged: got status %d\n%s", method, forged, a.code, a.body)
			}
		}
	}
	if a := owner.dav(http.MethodGet, event, "").is(http.StatusOK); !strings.Contains(a.body, "SUMMARY:Dentist\r\n") {
		w.t.Errorf("the event is now\n%s", a.body)
	}
}

// calendarProgram tests a calendar program on a phone, which has no cookies.
func calendarProgram(w *world) {
	dora := w.person("dora", "", models.RoleUser)
	phone := w.browser()
	for _, secret := range []string{secretWord, "lk_wrong"} {
		phone.basic("dora", secret)
		phone.dav("PROPFIND", "/", "").is(http.StatusUnauthorized)
	}
	phone.basic("dora", w.personalToken(dora))
	if got := phone.dav("PROPFIND", "/.well-known/caldav", "").header.Get("Location"); got != "/" {
		w.t.Errorf("/.well-known/caldav leads to %q", got)
	}
	if got, want := phone.principal(), "/"+dora.ID+"/"; got != want {
		w.t.Errorf("Radicale sees %q, want %q", got, want)
	}
	event := phone.saveEvent(dora, "Concert")
	if a := phone.dav(http.MethodGet, event, "").is(http.StatusOK); !strings.Contains(a.body, "SUMMARY:Concert\r\n") {
		w.t.Errorf("got the event\n%s", a.body)
	}
	phone.extra.Set("Destination", appURL+event+"-moved.ics")
	phone.dav("MOVE", event, "").is(http.StatusCreated)
	phone.dav(http.MethodDelete, event+"-moved.ics", "").is(http.StatusOK)
}

// calendarsInTurn checks that Radicale, which has no sessions, always sees the person
// who is signed in now.
func calendarsInTurn(w *world) {
	eve, fay := w.person("eve", "", models.RoleUser), w.person("fay", "", models.RoleUser)
	b := w.browser()
	b.signIn("eve", appURL+"/.web/")
	event := b.saveEvent(eve, "Interview")
	b.post("/logout").status(http.StatusSeeOther)
	b.dav(http.MethodGet, event, "").is(http.StatusUnauthorized)
	b.signIn("fay", appURL+"/.web/")
	if got := b.principal(); got != "/"+fay.ID+"/" {
		w.t.Errorf("Radicale sees %q, want %q", got, fay.ID)
	}
	b.dav(http.MethodGet, event, "").is(http.StatusForbidden)
}

func calendarOfDisabled(w *world) {
	gus := w.person("gus", "", models.RoleUser)
	b, phone := w.browser(), w.browser()
	b.signIn("gus", appURL+"/.web/")
	phone.basic("gus", w.personalToken(gus))
	event := b.saveEvent(gus, "Holiday")
	phone.dav(http.MethodGet, event, "").is(http.StatusOK)
	w.disable(gus)
	for _, client := range []*browser{b, phone} {
		client.dav(http.MethodGet, event, "").is(http.StatusUnauthorized)
		client.dav(http.MethodPut, event, calendarOf("Never")).is(http.StatusUnauthorized)
	}
}

func calendarOf(summary string) string {
	return fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Latchkey//Test//EN\r\nBEGIN:VEVENT\r\nUID:event\r\n"+
		"DTSTAMP:20260101T000000Z\r\nDTSTART:20260102T100000Z\r\nSUMMARY:%s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", summary)
}

// dav sends a request of a script or a program.
func (b *browser) dav(method, path, body string) *answer {
	b.t.Helper()
	return b.send(method, appURL+path, body, "Depth", "0", "Content-Type", "text/calendar")
}

// basic adds a username and a password to every request.
func (b *browser) basic(name, password string) {
	b.extra.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(name+":"+password)))
}

var principal = regexp.MustCompile(`<current-user-principal>\s*<href>([^<]*)</href>`)

// principal returns the folder that Radicale treats as the person's own.
func (b *browser) principal() string {
	b.t.Helper()
	a := b.send("PROPFIND", appURL+"/", `<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>`, "Depth", "0").is(http.StatusMultiStatus)
	found := principal.FindStringSubmatch(a.body)
	if found == nil {
		b.t.Fatalf("no principal:\n%s", a.body)
	}
	return found[1]
}

// saveEvent creates a calendar with one event and returns the event's path.
func (b *browser) saveEvent(user *models.User, summary string) string {
	b.t.Helper()
	folder := "/" + user.ID + "/calendar/"
	b.dav("MKCALENDAR", folder, "").is(http.StatusCreated)
	b.dav(http.MethodPut, folder+"event.ics", calendarOf(summary)).is(http.StatusCreated)
	return folder + "event.ics"
}
