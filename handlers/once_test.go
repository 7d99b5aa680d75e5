package handlers_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/models"
)

// oncePlace is a form that creates a secret, and the page that shows it.
type oncePlace struct {
	name  string
	post  func(b *browser) *answer
	place *regexp.Regexp // the page that the form redirects to
	shown *regexp.Regexp // the secret on the page
	says  string
	later string // the page that a second visit leads to
	words string // the message there
}

func oncePlaces(user *models.User) []oncePlace {
	const words = "A reset link is shown only once. If you lost it, create a new one."
	page := "/admin/users/" + user.ID
	return []oncePlace{
		{
			"new user", func(b *browser) *answer {
				name := strings.ToLower("kim-" + models.NewID()[:8])
				return b.post("/admin/users/new", "username", name, "email", name+"@example.org", "role", "user")
			},
			regexp.MustCompile(`^/admin/users/([a-z2-7]{26})/link$`), linkInPage, "Account created", "/admin/users/$1", words,
		},
		{
			"reset link", func(b *browser) *answer { return b.post(page + "/reset-link") },
			regexp.MustCompile(`^` + page + `/link$`), linkInPage, "Reset link created", page, words,
		},
		{
			"token", func(b *browser) *answer {
				return b.post("/profile/tokens", "name", "Backup", "scope.me", "on", "current_password", secretWord)
			},
			regexp.MustCompile(`^/profile/tokens/[a-z2-7]{26}$`), shownToken, "Token created",
			"/profile/tokens", "An access token is shown only once. If you lost it, remove it and create another.",
		},
	}
}

// make sends the form and returns the page that it redirects to.
func (p oncePlace) make(t *testing.T, b *browser) (place string) {
	t.Helper()
	a := p.post(b).status(http.StatusSeeOther)
	place = a.header.Get("Location")
	if !p.place.MatchString(place) {
		t.Fatalf("%s: got Location %q, want %s", p.name, place, p.place)
	}
	if c := a.setCookie("once"); c == nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 60 || !strings.HasPrefix(c.Value, "v1:") {
		t.Errorf("%s: got cookie %v", p.name, c)
	}
	return place
}

// wantShown opens the page and returns the secret on it.
func (p oncePlace) wantShown(t *testing.T, b *browser, place string) (secret string) {
	t.Helper()
	a := b.get(place).status(200).says(p.says)
	found := p.shown.FindStringSubmatch(a.body)
	if found == nil {
		t.Fatalf("%s: the page shows no secret:\n%s", p.name, a.text())
	}
	if got := a.header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("%s: got Cache-Control %q, want no-store", p.name, got)
	}
	if c := a.setCookie("once"); c == nil || c.MaxAge >= 0 {
		t.Errorf("%s: the cookie is not cleared: %v", p.name, c)
	}
	if c := a.setCookie("flash"); c == nil || c.MaxAge != 60 {
		t.Errorf("%s: got flash cookie %v, want one for the next page to clear", p.name, c)
	}
	return found[1]
}

// wantNotShown opens the page again and checks that it redirects, with a message,
// and clears the cookie.
func (p oncePlace) wantNotShown(t *testing.T, b *browser, place string) {
	t.Helper()
	_, came := b.cookies["once"]
	a := b.get(place).redirects(p.place.ReplaceAllString(place, p.later))
	if c := a.setCookie("once"); came && (c == nil || c.MaxAge >= 0) {
		t.Errorf("%s: the cookie is not cleared: %v", p.name, c)
	}
	if body := b.follow(a).status(200).says(p.words).body; p.shown.MatchString(body) {
		t.Errorf("%s: the secret is shown", p.name)
	}
}

// eachOnce runs f for every form that creates a secret, on each database, as a
// signed-in admin.
func eachOnce(t *testing.T, f func(t *testing.T, s *site, p oncePlace, boss *browser)) {
	t.Helper()
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		for _, p := range oncePlaces(s.Person("ana", models.RoleUser)) {
			t.Run(p.name, func(t *testing.T) { f(t, s.in(t), p, boss) })
		}
	})
}

// TestShownOnce checks that the page after the form shows the secret only once, and
// that no readable cookie, address, log or database contains it.
func TestShownOnce(t *testing.T) {
	eachOnce(t, func(t *testing.T, s *site, p oncePlace, boss *browser) {
		before := len(s.Events())
		place := p.make(t, boss)
		sealed := boss.cookie("once")
		boss.get("/profile").status(200) // a page in another tab does not use the secret up
		boss.do(boss.request(http.MethodHead, place, "")).status(200)
		secret := p.wantShown(t, boss, place)
		if a := boss.get("/profile").hides(`role="alert"`, secret); a.setCookie("flash") == nil {
			t.Errorf("%s: the next page changes no cookie", p.name)
		}
		for range 2 {
			p.wantNotShown(t, boss, place)
		}
		if got := len(s.Events()) - before; got != 1 {
			t.Errorf("%s: the audit log has %d lines more, want 1: opening the page again must create nothing", p.name, got)
		}
		if strings.Contains(sealed, secret) || strings.Contains(place, secret) || strings.Contains(s.Logs.String(), secret) {
			t.Errorf("%s: the secret can be read in the cookie, the address or the log", p.name)
		}
	})
}

// TestShownOnceAcrossRefresh checks that the session may rotate in between.
func TestShownOnceAcrossRefresh(t *testing.T) {
	eachOnce(t, func(t *testing.T, _ *site, p oncePlace, boss *browser) {
		boss.forget("access")
		place := p.make(t, boss)
		boss.forget("access")
		refresh := boss.cookie("refresh")
		p.wantShown(t, boss, place)
		if boss.cookie("refresh") == refresh || boss.cookie("access") == "" {
			t.Errorf("%s: the session did not rotate", p.name)
		}
	})
}

// TestShownOnceOnlyThere checks that the secret is not shown in another session, on
// another page, after its time, or with a manipulated cookie.
func TestShownOnceOnlyThere(t *testing.T) {
	eachOnce(t, func(t *testing.T, s *site, p oncePlace, boss *browser) {
		place := p.make(t, boss)
		sealed := boss.cookies["once"]
		twin := s.browser()
		twin.signIn("bo")
		twin.cookies["once"] = sealed
		p.wantNotShown(t, twin, place)

		value := sealed.value
		for name, value := range map[string]string{
			"empty": "", "cut": value[:len(value)-2], "swapped": "v1:" + value[20:] + value[3:20], "another version": "v2:" + value[3:],
		} {
			twin = boss.clone()
			twin.cookies["once"] = kept{value: value, expires: sealed.expires}
			p.wantNotShown(t, twin, place)
			if t.Failed() {
				t.Fatalf("%s: %s", p.name, name)
			}
		}

		late := boss.clone()
		s.Clock.Advance(61 * time.Second)
		late.cookies["once"] = kept{value: sealed.value} // kept after its expiry
		p.wantNotShown(t, late, place)

		first := p.make(t, boss)
		older := boss.cookies["once"]
		if second := p.make(t, boss); second != first {
			boss.cookies["once"] = older
			p.wantNotShown(t, boss, second)
		}
	})
}

// TestShownOnceUnavailable checks that a page that fails keeps the secret for the
// next attempt.
func TestShownOnceUnavailable(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		p := oncePlaces(s.Person("ana", models.RoleUser))[1]
		place := p.make(t, boss)
		s.failWith("/fail", func() error { return http.ErrAbortHandler })
		boss.get("/fail").status(500)
		boss.get(place + "x").status(404)
		twin := boss.clone()
		p.wantShown(t, twin, place)
		if err := s.Store.Close(); err != nil {
			t.Fatal(err)
		}
		if a := boss.get(place).status(503); len(a.cookies) > 0 {
			t.Errorf("touches cookies: %v", a.header.Values("Set-Cookie"))
		}
		if boss.cookie("once") == "" {
			t.Error("the secret is lost")
		}
	})
}

// TestShownOnceGone checks the pages for tokens and accounts that no longer exist
// or belong to another person.
func TestShownOnceGone(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, admin := s.signedIn("bo", models.RoleAdmin)
		other, _ := s.signedIn("ana", models.RoleUser)
		secret := boss.makeToken("Backup", "scope.me", "on")
		token := s.tokenNamed(admin.ID, "Backup")
		place := "/profile/tokens/" + token.ID
		other.get(place).status(404).hides("Backup")
		for _, id := range []string{models.NewID(), "x", "%ff", token.ID + "x"} {
			boss.get("/profile/tokens/" + id).status(404)
			boss.get("/admin/users/" + id + "/link").status(404)
		}
		boss.post(place + "/end").redirects("/profile/tokens")
		boss.get(place).redirects("/profile/tokens")
		boss.get("/profile/tokens").says("That access token was already removed.").hides(secret)
		s.browser().get(place).redirects("/login?next=" + strings.ReplaceAll(place, "/", "%2F"))
		if got := s.LastEvent(audit.TokenCreate).SubjectName; got != "bo" {
			t.Errorf("got subject %q", got)
		}
	})
}
