package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/internal/auth"
	"latchkey/internal/portaltest"
	"latchkey/models"
)

func stepForAdmins(o *portaltest.Options) { o.RequireStep = auth.StepAdmins }

// TestStepRequiredRoutes checks every route for a signed-in person who has to add a second
// step first: only the pages for that are open, and those that need nobody.
func TestStepRequiredRoutes(t *testing.T) {
	const security = "/profile/security"
	open := func(route string) bool {
		switch route {
		case "/logout", "/confirm", "/confirm/passkey", "/confirm/passkey/options", "/verify", "/verify/send", "/verify/address", "/forgot", "/forgot/sent":
			return true
		}
		return strings.HasPrefix(route, security)
	}
	eachSite(t, func(t *testing.T, s *site) {
		for i, row := range accessTable() {
			for _, role := range []models.Role{models.RoleUser, models.RoleAdmin} {
				b, user := s.signedIn(strings.ToLower(fmt.Sprint(role, i)), role)
				path := row.path
				if path == "" {
					path = strings.NewReplacer(":id", user.ID, ":session", user.ID, ":token", user.ID).Replace(row.route)
				}
				form := url.Values{}
				for i := 0; i+1 < len(row.form); i += 2 {
					form.Set(row.form[i], row.form[i+1])
				}
				a := b.do(b.request(row.method, path, form.Encode()))
				got := a.header.Get("Location")
				got, _, _ = strings.Cut(got, "?")
				switch led := a.code == http.StatusSeeOther && got == security; {
				case open(row.route) || row.anonymous == row.user && row.route != "/continue":
					if own, _, _ := strings.Cut(row.user.location, "?"); led && own != security {
						t.Errorf("%s %s as %s leads to the security page", row.method, row.route, role)
					}
				case !led:
					t.Errorf("%s %s as %s: got %d %q, want 303 to the security page", row.method, row.route, role, a.code, got)
				}
			}
		}
	}, allNeedStep)
}

// TestStepRequiredPath follows a person who has to add a second step: they are led to it,
// and then to where they wanted to go.
func TestStepRequiredPath(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		b.get("/profile").status(200) // only admins have to

		boss, _ := s.signedIn("bo", models.RoleAdmin)
		boss.get("/profile/sessions").redirects("/profile/security?next=%2Fprofile%2Fsessions")
		r := boss.request(http.MethodGet, "/profile", "")
		r.Header.Set("Accept", "application/json")
		boss.do(r).status(403).has("Add a second step first.")
		boss.get("/profile/security?next=/profile/sessions").status(200).says("Your account needs a second step.")
		app := boss.scan()
		boss.post("/profile/security/app", "code", app.code(0), "next", "/profile/sessions").status(303).givesTokens()
		boss.get("/profile/sessions").status(200)

		// A passkey is enough, and the password alone adds nothing beside it.
		eve := s.Person("eve", models.RoleAdmin)
		k := s.newKey(eve)
		e := s.browser()
		e.signIn("eve")
		k.addTo(e)
		e.get("/profile").status(200)
		thief := s.browser()
		thief.signIn("eve")
		thief.get("/profile").redirects("/profile/security?next=%2Fprofile")
		thief.get("/profile/security").status(200).says("Your account needs a second step. You have a passkey: continue with it")
		thief.post("/profile/security/app", "code", thief.scan().code(0)).redirects("/profile/security?next=%2Fprofile%2Fsecurity%2Fapp")
		if f := s.factors(eve); f.App {
			t.Error("the password alone has added an app")
		}
		thief.script("/confirm/passkey", k.use(thief, "/confirm/passkey/options")).status(200)
		thief.get("/profile").status(200)
	}, stepForAdmins)
}

// TestStepRequiredPrograms checks programs and apps while a second step is required.
func TestStepRequiredPrograms(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		user := s.Person("ana", models.RoleUser)
		b := s.browser()
		b.signIn("ana")
		gate := "https://id.example.org/profile/security?next=" + url.QueryEscape(strings.TrimPrefix(onward("/x?y=1"), "https://id.example.org"))
		if a := b.forward("GET", "/x?y=1", navigation...).status(302); a.header.Get("Location") != gate {
			t.Errorf("got Location %q, want %q", a.header.Get("Location"), gate)
		}
		b.forward("GET", "/x", apiClient...).status(403).has("Add a second step first: open https://id.example.org/profile/security in a browser.")
		if got := b.forward("GET", "/status", navigation...).status(200).remote(); got != [4]string{} {
			t.Errorf("a public page: got %q", got)
		}
		b.do(b.program("/token", url.Values{"username": {"ana"}, "password": {secretWord}})).status(401).has("invalid_grant")
		s.GiveApp(user)
		b.forward("GET", "/x", apiClient...).status(403) // this session passed no second step
	}, behindForwardAuth, allNeedStep)
}

// TestStepAndAddressRequired checks that someone who has to do both confirms the address
// first, can correct it, and is then led to the second step.
func TestStepAndAddressRequired(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.get("/profile").redirects("/verify?next=%2Fprofile")
		b.get("/profile/security").redirects("/verify?next=%2Fprofile%2Fsecurity")
		b.get("/profile/email").status(200)
		b.askEmail("ana@new.example").redirects("/verify")
		if err := s.Store.Users.SetEmailVerified(t.Context(), user.ID, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		b.get("/profile").redirects("/profile/security?next=%2Fprofile")
		b.get("/profile/security").status(200)
	}, required, allNeedStep)
}
