package handlers_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/auth"
	"latchkey/models"
)

var shownToken = regexp.MustCompile(`id="token"[^>]*>(lk_[a-z2-7]{52})<`)

// makeToken creates an access token with the form and returns its secret.
func (b *browser) makeToken(name string, pairs ...string) string {
	b.site.T.Helper()
	form := append([]string{"name", name, "days", "90", "current_password", secretWord}, pairs...)
	a := b.follow(b.post("/profile/tokens", form...)).status(200).says("Token created", "You will not see it again.")
	found := shownToken.FindStringSubmatch(a.body)
	if found == nil {
		b.site.T.Fatalf("the page shows no token:\n%s", a.text())
	}
	return found[1]
}

// tokenNamed returns a working token of the person by its name.
func (s *site) tokenNamed(userID, name string) account.PersonalToken {
	s.T.Helper()
	live, _, err := s.Accounts.PersonalTokens(s.T.Context(), userID)
	if err != nil {
		s.T.Fatal(err)
	}
	for _, token := range live {
		if token.Name == name {
			return token
		}
	}
	s.T.Fatalf("there is no token %q among %d", name, len(live))
	return account.PersonalToken{}
}

// works reports whether a bearer token is accepted.
func (s *site) works(secret string) bool {
	s.T.Helper()
	_, err := s.OAuth.AuthenticateBearer(s.T.Context(), secret, auth.Client{})
	return err == nil
}

// TestTokens follows an access token on the pages from its creation to its removal.
func TestTokens(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.get("/profile").status(200).has(`href="/profile/tokens"`)
		b.get("/profile/tokens").status(200).says("No access tokens yet.", "Read this account", "Change this account").
			has(`name="scope.me" type="checkbox" value="on" checked`, `value="90" checked`, `href="/docs"`).hides("Read all accounts", "Check tokens")

		secret := b.makeToken("  Nightly   backup ", "scope.me", "on")
		if !s.works(secret) {
			t.Error("the token that was shown does not work")
		}
		token := s.tokenNamed(user.ID, "Nightly backup")
		list := b.get("/profile/tokens").status(200).says("Nightly backup", "lk_…"+secret[len(secret)-4:], "Permissions: read this account.",
			"Last used", "Created 22 Nov 2026", "expires 20 Feb 2027").hides(secret)
		if got := list.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("got Cache-Control %q", got)
		}
		b.makeToken("Never used", "scope.me:write", "on", "scope.me", "on")
		b.get("/profile/tokens").says("Never used", "Permissions: read this account, change this account.")

		end := "/profile/tokens/" + token.ID + "/end"
		b.get(end).status(200).says("Remove the token “Nightly backup”?", token.Hint)
		if !s.works(secret) {
			t.Error("the confirmation page removed the token")
		}
		b.post(end).redirects("/profile/tokens")
		b.get("/profile/tokens").says("The access token “Nightly backup” is removed.", "No longer working", "Removed by you")
		if s.works(secret) {
			t.Error("the ended token works")
		}
		for _, again := range []func(string) *answer{b.get, func(path string) *answer { return b.post(path) }} {
			again(end).redirects("/profile/tokens")
			b.get("/profile/tokens").says("That access token was already removed.")
		}
		b.get("/profile").says("You created an access token.", "One of your access tokens was removed.")
	})
}

// TestTokenExpires checks the list before and after a token expires.
func TestTokenExpires(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		b.post("/profile/tokens", "name", "Trial", "scope.me", "on", "days", "7", "current_password", secretWord).status(303)
		b.get("/profile/tokens").says("Trial").hides("Expires soon")
		s.Clock.Advance(5 * 24 * time.Hour)
		b.get("/profile/tokens").says("Trial", "Expires soon")
		s.Clock.Advance(2 * 24 * time.Hour)
		b.get("/profile/tokens").says("No access tokens yet.", "No longer working", "Trial Expired", "29 Nov 2026").hides("Expires soon")
	})
}

// TestTokenLife checks the default lifetime of a token.
func TestTokenLife(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		b.post("/profile/tokens", "name", "Usual", "scope.me", "on", "current_password", secretWord).status(303)
		if got, want := s.tokenNamed(user.ID, "Usual").ExpiresAt, s.Clock.Now().AddDate(0, 0, 90); !got.Equal(want) {
			t.Errorf("expires at %v, want %v", got, want)
		}
	})
}

// TestTokenForm checks the error of each field of the form, and that no token is
// created.
func TestTokenForm(t *testing.T) {
	tests := []struct {
		name  string
		form  []string
		field string
		want  string
	}{
		{"no name", []string{"scope.me", "on", "days", "90", "current_password", secretWord}, "name", "Enter a name that reminds you what the token is for."},
		{"long name", []string{"name", strings.Repeat("x", 65), "scope.me", "on", "days", "90", "current_password", secretWord}, "name", "Use a name of at most 64 characters."},
		{"nothing ticked", []string{"name", "x", "days", "90", "current_password", secretWord}, "scope", "Choose what the token may do."},
		{"more than the role", []string{"name", "x", "scope.users", "on", "days", "90", "current_password", secretWord}, "scope", "Your role does not allow this permission."},
		{"no life", []string{"name", "x", "scope.me", "on", "days", "", "current_password", secretWord}, "days", "Choose 1 to 366 days."},
		{"life in words", []string{"name", "x", "scope.me", "on", "days", "ever", "current_password", secretWord}, "days", "Choose 1 to 366 days."},
		{"too long a life", []string{"name", "x", "scope.me", "on", "days", "367", "current_password", secretWord}, "days", "Choose 1 to 366 days."},
		{"empty password", []string{"name", "x", "scope.me", "on", "days", "90", "current_password", ""}, "current_password", "Enter your current password."},
		{"wrong password", []string{"name", "x", "scope.me", "on", "days", "90", "current_password", otherWord}, "current_password", "The current password is not correct."},
	}
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		for _, test := range tests {
			a := b.post("/profile/tokens", test.form...).status(422).says("There is a problem", test.want).hides(secretWord, otherWord)
			a.has(`href="#` + a.fieldID(test.field) + `"`)
			if got := a.fieldError(test.field); got != test.want {
				t.Errorf("%s: got %q at %s, want %q", test.name, got, test.field, test.want)
			}
		}
		kept := b.post("/profile/tokens", "name", "Kept", "scope.me:write", "on", "days", "30", "current_password", "").status(422)
		kept.has(`value="Kept"`, `name="scope.me:write" type="checkbox" value="on" checked`, `value="30" checked`)
		if live, _, err := s.Accounts.PersonalTokens(t.Context(), user.ID); err != nil || len(live) != 0 {
			t.Errorf("got %d tokens (%v), want none", len(live), err)
		}
		b.post("/profile/tokens", "name", "x", "name", "y").status(400)
	})
}

// TestTokenLimits checks that the sign-in limits also apply to the password of the
// form.
func TestTokenLimits(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		status := 0
		for range 30 {
			a := b.post("/profile/tokens", "name", "x", "scope.me", "on", "days", "90", "current_password", otherWord)
			if status = a.code; status != 422 {
				a.says("There is a problem", "again")
				if a.header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				break
			}
		}
		if status != 429 {
			t.Errorf("got status %d after 30 wrong passwords, want 429", status)
		}
	}, withLimits)
}

// TestOthersTokens checks that people cannot see or remove the tokens of someone
// else, and that the form accepts no scope that the role does not allow.
func TestOthersTokens(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ana, user := s.signedIn("ana", models.RoleUser)
		bo, _ := s.signedIn("bo", models.RoleUser)
		secret := ana.makeToken("Backup", "scope.me", "on")
		token := s.tokenNamed(user.ID, "Backup")
		bo.get("/profile/tokens").hides("Backup")
		for _, id := range []string{token.ID, models.NewID(), "x", "%ff", token.ID + "x"} {
			bo.get("/profile/tokens/" + id + "/end").status(404)
			bo.post("/profile/tokens/" + id + "/end").status(404)
		}
		if !s.works(secret) {
			t.Error("another person removed the token")
		}

		boss, admin := s.signedIn("cy", models.RoleAdmin)
		boss.get("/profile/tokens").says("Read all accounts", "Change all accounts", "Check tokens")
		boss.makeToken("Check", "scope.introspect", "on", "scope.me", "on")
		if err := s.Store.Users.SetRole(t.Context(), admin.ID, models.RoleUser, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		boss.get("/profile/tokens").says("Permissions: read this account.").hides("Check tokens", "check tokens")
	})
}

// TestAdminEndsToken checks the tokens on an account's page.
func TestAdminEndsToken(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ana, user := s.signedIn("ana", models.RoleUser)
		boss, admin := s.signedIn("boris", models.RoleAdmin)
		page := "/admin/users/" + user.ID
		boss.get(page).status(200).says("Access tokens", "No access tokens.")
		secret := ana.makeToken("Backup", "scope.me", "on")
		token := s.tokenNamed(user.ID, "Backup")
		end := page + "/tokens/" + token.ID + "/end"
		boss.get(page).says("Backup", "lk_…"+token.Hint, "Permissions: read this account.", "Never used").has(`href="` + end + `"`).hides(secret)
		boss.get(end).status(200).says("Remove an access token of ana?", "Backup")

		other := s.Person("cy", models.RoleUser)
		for _, path := range []string{
			"/admin/users/" + other.ID + "/tokens/" + token.ID + "/end", page + "/tokens/" + models.NewID() + "/end", page + "/tokens/%ff/end",
		} {
			boss.get(path).status(404)
			boss.post(path).status(404)
		}
		if !s.works(secret) {
			t.Error("the token ended too early")
		}
		boss.post(end).redirects(page)
		boss.get(page).says("The access token “Backup” of ana is removed.", "No access tokens.", "boris removed an access token of ana: Backup.")
		if s.works(secret) {
			t.Error("the ended token works")
		}
		boss.post(end).redirects(page)
		boss.get(page).says("That access token was already removed.")
		ana.get("/profile/tokens").says("Removed by an admin")
		ana.get("/profile").says("An admin removed one of your access tokens.").hides("boris")

		boss.makeToken("Own", "scope.me", "on")
		own := s.tokenNamed(admin.ID, "Own")
		boss.get("/admin/users/"+admin.ID).says("Own", "Go to your access tokens").hides("/tokens/" + own.ID)
		boss.get("/admin/users/" + admin.ID + "/tokens/" + own.ID + "/end").status(409)
		boss.post("/admin/users/" + admin.ID + "/tokens/" + own.ID + "/end").status(409)
	})
}

// TestAPISessions checks that the lists show programs beside browsers, and that
// their sessions can be ended in the same way.
func TestAPISessions(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		var ids []string
		for _, client := range []struct{ id, agent, scope string }{
			{"backup script", "curl/8.5.0", "me users"}, {"", "python-requests/2.32", "me me:write"}, {"", "", "me"},
		} {
			now := models.At(s.Clock.Now())
			session := &models.Session{
				ID: models.NewID(), UserID: user.ID, Kind: models.KindAPI, ClientID: client.id, Scope: client.scope, UserAgent: client.agent,
				Method: "password", Generation: 1, DeliveredAt: now, IdleTTL: time.Hour.Microseconds(), CreatedAt: now, LastSeenAt: now,
				ExpiresAt: now.Add(24 * time.Hour), IP: "192.0.2.9",
			}
			if err := s.Store.Sessions.Create(t.Context(), session); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, session.ID)
		}
		const own, all = "Permissions: read this account.", "Permissions: read this account, change this account."
		b.get("/profile/sessions").says("API · backup script", "API · python-requests", "API · unnamed program", own, all, "192.0.2.9").
			hides("read all accounts")
		boss.get("/admin/users/"+user.ID).says("API · backup script", "API · python-requests", own, all)

		b.post("/profile/sessions/" + ids[0] + "/end").redirects("/profile/sessions")
		b.get("/profile/sessions").says("Signed out of API · backup script.", "Recently signed out")
		b.post("/profile/sessions/end-others").redirects("/profile/sessions")
		b.get("/profile/sessions").says("Signed out of 2 other devices.", "You are only signed in here.")
	})
}
