package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/internal/account"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

// TestVerifyRequired checks every route for a signed-in person who has to confirm
// their address first: only the routes for that are open, and those that need
// nobody.
func TestVerifyRequired(t *testing.T) {
	const get, post = http.MethodGet, http.MethodPost
	open := map[string]outcome{
		get + " /verify": okay, post + " /verify": refused, post + " /verify/send": to("/verify"),
		get + " /verify/address": to("/profile/email"), post + " /verify/address": to("/profile/email"),
		get + " /profile/email": okay, post + " /profile/email": refused, post + " /profile/email/cancel": to("/profile/email"),
		get + " /confirm": okay, post + " /confirm": refused,
		post + " /confirm/passkey/options": clash, post + " /confirm/passkey": {status: http.StatusUnsupportedMediaType}, // without a passkey, and not JSON
		get + " /logout": okay, post + " /forgot": refused, get + " /forgot/sent": okay,
	}
	eachSite(t, func(t *testing.T, s *site) {
		for i, row := range accessTable() {
			want, isOpen := open[row.method+" "+row.route]
			switch {
			case isOpen:
			case row.anonymous.status == http.StatusUnauthorized && row.user.status != http.StatusUnauthorized: // only scripts call it
				want = forbidden
			case row.anonymous == row.user && row.route != "/continue":
				want = row.user
			default:
				want = to("/verify")
			}
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
				got := outcome{a.code, a.header.Get("Location")}
				if want == to("/verify") {
					got.location, _, _ = strings.Cut(got.location, "?")
				}
				if got != want {
					t.Errorf("%s %s as %s: got %v, want %v", row.method, row.route, role, got, want)
				}
			}
		}
	}, required)
}

// TestVerifyRequiredPath checks that a person gets to the page they wanted after
// they have confirmed their address, and that the pages say what to do.
func TestVerifyRequiredPath(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, _ := s.signedIn("ana", models.RoleUser)
		b.get("/profile/sessions").redirects("/verify?next=%2Fprofile%2Fsessions")
		b.post("/profile/sessions/end-others").redirects("/verify?next=%2Fprofile%2Fsessions")
		r := b.request(http.MethodGet, "/profile", "")
		r.Header.Set("Accept", "application/json")
		b.do(r).status(403).has("Confirm your email address first.")
		page := b.get("/verify?next=/profile/sessions").status(200).says("Confirm your email address", "ana@example.org is not confirmed yet.", "Send a link")
		if s.letters("ana@example.org") != 0 {
			t.Error("opening the page has sent a letter")
		}
		page.has(`name="next" value="/profile/sessions"`)
		b.follow(b.post("/verify/send", "next", "/profile/sessions").redirects("/verify?next=%2Fprofile%2Fsessions")).
			says("We sent a link to ana@example.org.", "Check your email")
		b.post("/verify", "code", "22", "next", "/profile/sessions").status(422).has(`name="next" value="/profile/sessions"`)
		b.post("/verify", "code", codeIn(s.letter("ana@example.org")), "next", "//evil.example").redirects("/profile")
		b.get("/profile/sessions").status(200)

		// A person may correct the address before.
		bo, _ := s.signedIn("bo", models.RoleUser)
		bo.post("/profile/email", "email", "bo@new.example", "current_password", secretWord).redirects("/verify")
		bo.get("/verify").says("We sent a link to bo@new.example.")
		bo.post("/profile/email/cancel").redirects("/profile/email")
		bo.post("/logout").redirects("/login")
	}, required)
}

// TestVerifyRequiredNoEmail checks that a person without an address is led to the
// form to add one, and not in circles.
func TestVerifyRequiredNoEmail(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		_, err := s.Accounts.Register(t.Context(), account.Signup{Account: account.Profile{Username: "none"}, Password: secretWord})
		if got := servicetest.FieldsOf(err); len(got) != 1 || got[0] != "email" {
			t.Errorf("a program signs up without an address: %v", err)
		}
		b, user := s.signedIn("ada", models.RoleUser)
		bare := *user
		bare.Email, bare.EmailFolded = "", " "+user.ID
		if err := s.Store.Users.SetNames(t.Context(), &bare, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		b.get("/profile").redirects("/verify?next=%2Fprofile")
		b.get("/verify?next=/profile").redirects("/profile/email")
		b.get("/profile/email").status(200).says("Your account has no email address.")
		b.post("/verify/send").status(303)
		b.askEmail("ada@new.example").redirects("/verify")
		b.post("/verify", "code", codeIn(s.letter("ada@new.example"))).redirects("/profile").givesTokens()
		b.get("/profile").status(200).says("ada@new.example")
	}, required)
}

// TestVerifyForwardAuth checks what apps learn about people who have not confirmed
// their address.
func TestVerifyForwardAuth(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		if got := b.forward("GET", "/", navigation...).status(200).remote(); got != [4]string{"ana", "", "ana", "users"} {
			t.Errorf("not verified: got %q", got)
		}
		if err := s.Store.Users.SetEmailVerified(t.Context(), user.ID, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		if got := b.forward("GET", "/", navigation...).status(200).remote(); got != [4]string{"ana", "ana@example.org", "ana", "users"} {
			t.Errorf("verified: got %q", got)
		}
	}, behindForwardAuth, verifying)
	eachSite(t, func(t *testing.T, s *site) {
		b, user := s.signedIn("ana", models.RoleUser)
		gate := "https://id.example.org/verify?next=" + url.QueryEscape(strings.TrimPrefix(onward("/x?y=1"), "https://id.example.org"))
		if a := b.forward("GET", "/x?y=1", navigation...).status(302); a.header.Get("Location") != gate {
			t.Errorf("got Location %q, want %q", a.header.Get("Location"), gate)
		}
		for _, kind := range [][]string{script, apiClient} {
			b.forward("GET", "/x", kind...).status(403).has("Confirm your email address first: open https://id.example.org/verify in a browser.")
		}
		b.forward("POST", "/x", navigation...).status(403).says("Confirm your email address first")
		if got := b.forward("GET", "/status", navigation...).status(200).remote(); got != [4]string{} {
			t.Errorf("a public page: got %q", got)
		}
		b.get("/continue?rd=" + url.QueryEscape("https://app.example.org/")).status(303)
		if err := s.Store.Users.SetEmailVerified(t.Context(), user.ID, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		b.forward("GET", "/x?y=1", navigation...).status(200)
	}, behindForwardAuth, required)
}
