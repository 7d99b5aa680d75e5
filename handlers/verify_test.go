package handlers_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/account"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/mail"
	"latchkey/internal/portaltest"
	"latchkey/internal/servicetest"
	"latchkey/models"
)

func verifying(o *portaltest.Options) { o.Mail, o.Verify = true, account.VerifyOn }
func required(o *portaltest.Options)  { o.Mail, o.Verify = true, account.VerifyRequired }

// letter delivers the mail and returns the latest message to an address.
func (s *site) letter(to string) mail.Message {
	s.T.Helper()
	s.Deliver(s.T)
	list := s.Mailbox.To(to)
	if len(list) == 0 {
		s.T.Fatalf("no letter to %s", to)
	}
	return list[len(list)-1]
}

// letters returns how many messages an address got.
func (s *site) letters(to string) int {
	s.T.Helper()
	s.Deliver(s.T)
	return len(s.Mailbox.To(to))
}

// verifyToken returns the token of the latest letter to an address.
func (s *site) verifyToken(to string) string {
	s.T.Helper()
	token := servicetest.LinkIn(s.letter(to), "/verify")
	if len(token) != 43 {
		s.T.Fatalf("got token %q in the letter to %s", token, to)
	}
	return token
}

// codeIn returns the code of a letter.
func codeIn(m mail.Message) string {
	return regexp.MustCompile(`(?m)^[2-9A-Z]{4} [2-9A-Z]{4}$`).FindString(m.Text)
}

// signUp fills in and sends the form.
func (b *browser) signUp(name, email string) *answer {
	return b.post("/signup", "username", name, "email", email, "full_name", "Ana Silva", "password", secretWord, "next", "/profile/sessions")
}

// verified reports whether the address of an account is verified.
func (s *site) verified(name string) bool {
	s.T.Helper()
	user, err := s.Store.Users.ByUsername(s.T.Context(), name)
	if err != nil {
		s.T.Fatal(err)
	}
	return !user.EmailVerifiedAt.IsZero()
}

// TestVerifyLink signs up and confirms the address with the link, in the browser
// that signed up. Scanners that open the link change nothing.
func TestVerifyLink(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.browser()
		a := b.signUp("ana", "Ana@Example.org").redirects("/verify").touchesNoToken()
		if c := a.setCookie("signup"); c == nil || c.MaxAge != 24*3600 || !c.HttpOnly || strings.Contains(c.Value, "ana") {
			t.Errorf("got cookie %+v", c)
		}
		b.get("/profile").redirects("/login?next=%2Fprofile") // nobody is signed in
		b.follow(a).status(200).says("Check your email", "We sent a link to Ana@Example.org. It works for 24 hours.",
			"Nothing there? Look in the spam folder. The message comes from no-reply@portal.example.", "Send again", "Use a different address")
		m := s.letter("Ana@Example.org")
		if m.Subject != "Confirm your email address" || !strings.Contains(m.Text, "Hello Ana Silva,") || !strings.Contains(m.Text, "“ana”") {
			t.Errorf("got letter %q\n%s", m.Subject, m.Text)
		}
		token := s.verifyToken("Ana@Example.org")
		scanner := s.browser()
		for range 2 {
			scanner.get("/verify?token="+token).status(200).says("Confirm your email address", "Ana@Example.org", "It is the address of the account ana.").
				has(`<meta name="robots" content="noindex"`).touchesNoToken()
			scanner.do(scanner.request(http.MethodHead, "/verify?token="+token, "")).status(200)
		}
		if s.verified("ana") {
			t.Fatal("opening the link has verified the address")
		}
		a = b.post("/verify", "token", token).redirects("/profile/sessions").givesTokens()
		if c := a.setCookie("signup"); c == nil || c.MaxAge >= 0 {
			t.Errorf("the sign-up is not forgotten: %+v", c)
		}
		b.follow(a).says("Your email address is confirmed.")
		b.get("/profile").says("Verified", "You confirmed your email address. Firefox on Linux", "Add a second step so that a stolen password is not enough.")
		b.get("/verify").redirects("/profile")
		s.browser().get("/verify?token="+token).status(200).says("This address is already confirmed", "Sign in")
		s.browser().post("/verify", "token", token).status(409).says("This address is already confirmed").touchesNoToken()
		if e := s.LastEvent(audit.EmailVerify); e.SubjectName != "ana" || e.SessionID == "" {
			t.Errorf("got event %+v", e)
		}
	}, verifying)
}

// TestVerifyElsewhere confirms an address in another browser, which is not signed
// in by that.
func TestVerifyElsewhere(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.signUp("ana", "ana@example.org").redirects("/verify")
		phone := s.browser()
		a := phone.post("/verify", "token", s.verifyToken("ana@example.org")).redirects("/login").touchesNoToken()
		phone.follow(a).says("Your email address is confirmed. Sign in.")
		b.get("/verify").redirects("/login?next=%2Fprofile%2Fsessions")
		b.signIn("ana")

		// In the browser of another account.
		s.browser().signUp("bo", "bo@example.org").redirects("/verify")
		a = b.post("/verify", "token", s.verifyToken("bo@example.org")).redirects("/profile").touchesNoToken()
		b.follow(a).says("bo@example.org is confirmed.", "ana@example.org")
		if !s.verified("bo") {
			t.Error("the address is not verified")
		}
	}, verifying)
}

// TestVerifyCode confirms with the code, in several spellings, and stops guessing.
func TestVerifyCode(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		for i, spell := range []func(string) string{
			func(code string) string { return code },
			strings.ToLower,
			func(code string) string { return " " + strings.ReplaceAll(code, " ", "-") + "\u00a0" },
			func(code string) string { return strings.ReplaceAll(code, " ", "") },
		} {
			name := "ana" + string(rune('a'+i))
			b := s.browser()
			b.signUp(name, name+"@example.org").redirects("/verify")
			code := codeIn(s.letter(name + "@example.org"))
			b.post("/verify", "code", "").status(422).says("Enter the code from the message.")
			s.browser().post("/verify", "code", code).redirects("/login?next=%2Fverify") // another browser has no sign-up
			b.post("/verify", "code", spell(code)).redirects("/profile/sessions").givesTokens()
		}

		b := s.browser()
		b.signUp("bo", "bo@example.org").redirects("/verify")
		right := codeIn(s.letter("bo@example.org"))
		for range 5 {
			page := b.post("/verify", "code", "2222 2222").status(422)
			if got := page.fieldError("code"); got != "That code is not correct. Check the letters and digits, or ask for a new code." {
				t.Errorf("got %q", got)
			}
			if got, _ := page.value("code"); got != "2222 2222" {
				t.Errorf("the code that was typed is gone: %q", got)
			}
		}
		b.post("/verify", "code", right).status(422).says("There were too many wrong codes, so this one no longer works. Ask for a new one.")
		b.follow(b.post("/verify/send").redirects("/verify")).says("A new link is on its way to bo@example.org.")
		b.post("/verify", "code", right).status(422) // the old code
		b.post("/verify", "code", codeIn(s.letter("bo@example.org"))).redirects("/profile/sessions")
	}, verifying)
}

// TestVerifySilence checks that sign-up, and all that follows it without the letter,
// does not tell whether an address has an account.
func TestVerifySilence(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		s.Person("taken", models.RoleUser)
		free, taken := s.browser(), s.browser()
		same := func(what string, a, b *answer) {
			t.Helper()
			strip := func(x *answer) (out []string) {
				for name, values := range x.header {
					if name != "X-Request-Id" && name != "Set-Cookie" {
						out = append(out, name+": "+strings.Join(values, ", "))
					}
				}
				for _, c := range x.cookies {
					out = append(out, c.Name+strings.Repeat("*", len(c.Value)))
				}
				slices.Sort(out)
				return out
			}
			hide := strings.NewReplacer("fresh", "*", "taken", "*", a.header.Get("X-Request-Id"), "", b.header.Get("X-Request-Id"), "")
			if a.code != b.code || hide.Replace(a.body) != hide.Replace(b.body) || !slices.Equal(strip(a), strip(b)) {
				t.Errorf("%s: a free address gets %d %v\n%s\na taken one %d %v\n%s", what, a.code, strip(a), a.text(), b.code, strip(b), b.text())
			}
		}
		each := func(what string, f func(b *browser, name string) *answer) {
			t.Helper()
			same(what, f(free, "fresh"), f(taken, "taken"))
		}
		each("sign up", func(b *browser, name string) *answer {
			return b.signUp("name-"+name, name+"@example.org").redirects("/verify")
		})
		each("look", func(b *browser, _ string) *answer { return b.get("/verify").status(200) })
		each("sign up again", func(b *browser, name string) *answer {
			return s.browser().signUp("name-"+name, "other-"+name+"@example.org").status(422).says("This username is taken. Choose another.")
		})
		each("code", func(b *browser, _ string) *answer { return b.post("/verify", "code", "2222 2222").status(422) })
		for range 3 {
			each("send", func(b *browser, _ string) *answer { return b.post("/verify/send").redirects("/verify") })
		}
		each("sent", func(b *browser, _ string) *answer { return b.get("/verify").status(200) })
		each("too soon", func(b *browser, _ string) *answer {
			return b.post("/verify/send").status(200).says("You can send again in 60 minutes, at 13:00 UTC.")
		})
		each("address too soon", func(b *browser, _ string) *answer {
			return b.post("/verify/address", "email", "x@example.org").status(429)
		})
		s.Clock.Advance(time.Hour)
		for range 5 {
			each("guess", func(b *browser, _ string) *answer { return b.post("/verify", "code", "2222 2222") })
		}
		each("form", func(b *browser, _ string) *answer { return b.get("/verify/address").status(200) })
		each("address", func(b *browser, name string) *answer {
			return b.post("/verify/address", "email", "second-"+name+"@example.org").redirects("/verify")
		})
		if s.letter("taken@example.org").Subject != "You already have an account" || servicetest.LinkIn(s.letter("taken@example.org"), "/verify") != "" {
			t.Errorf("got letter\n%s", s.letter("taken@example.org").Text)
		}
		// An address that was mistyped is corrected.
		for b, name := range map[*browser]string{free: "fresh", taken: "taken"} {
			b.post("/verify", "token", s.verifyToken("second-"+name+"@example.org")).redirects("/profile/sessions").givesTokens()
			b.get("/profile").says("second-"+name+"@example.org", "name-"+name, "Ana Silva")
		}
	}, verifying, withLimits)
}

// TestVerifyOneAccount checks that a taken address leaves its account as it is.
func TestVerifyOneAccount(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		owner, user := s.signedIn("ana", models.RoleUser)
		s.browser().signUp("thief", "ANA@example.org").redirects("/verify")
		if fresh := s.Reload(user); fresh.Username != "ana" || fresh.PasswordHash != user.PasswordHash {
			t.Errorf("the account has changed: %+v", fresh)
		}
		s.browser().post("/login", "username", "thief", "password", secretWord).status(422)
		owner.get("/profile").says("Someone tried to create an account with your email address.")
		m := s.letter("ANA@example.org")
		for _, want := range []string{"“ana”", s.URL + "/login", s.URL + "/forgot"} {
			if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
				t.Errorf("the letter does not say %q:\n%s", want, m.Text)
			}
		}
		// The owner may have the username that was asked for.
		owner.post("/profile/username", "username", "thief", "current_password", secretWord).redirects("/profile")
	}, verifying)
}

// TestVerifyStates checks the words of every link that does not work.
func TestVerifyStates(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		dead := func(token, heading string, words ...string) {
			t.Helper()
			s.browser().get("/verify?token="+token).status(410).says(heading).says(words...).has(`<meta name="robots" content="noindex"`, "<title>"+heading+" – Latchkey</title>")
			s.browser().post("/verify", "token", token).status(409).says(heading).says(words...).touchesNoToken()
		}
		b := s.browser()
		b.signUp("ana", "ana@example.org").redirects("/verify")
		first := s.verifyToken("ana@example.org")
		s.Clock.Advance(time.Hour)
		b.post("/verify/send").redirects("/verify")
		second := s.verifyToken("ana@example.org")
		dead(first, "This link has been replaced", "A newer link was sent on 22 Nov 2026, 13:00 UTC. Use that one.")
		for _, broken := range []string{"", second[1:], strings.Repeat("x", 10<<10), s.resetToken(s.Person("bo", models.RoleUser)), s.setupToken()} {
			dead(broken, "This link is not complete", "Copy the whole link from the email.")
		}
		s.browser().post("/reset", "token", second, "password", otherWord).status(409).says("This link is not complete")
		s.Clock.Advance(24 * time.Hour)
		dead(second, "This link has expired", "Links work for 24 hours. We can send a new one to ana@example.org.", "Send a new link")
		phone := s.browser()
		phone.follow(phone.post("/verify/send", "token", second).redirects("/login")).says("A new link is on its way to ana@example.org.")
		third := s.verifyToken("ana@example.org")
		dead(second, "This link has been replaced")
		s.browser().post("/verify/send", "token", third).status(200).says("Confirm") // it works: no new one is needed
		user, err := s.Store.Users.ByUsername(t.Context(), "ana")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Accounts.Disable(t.Context(), auth.Shell(), user.ID, ""); err != nil {
			t.Fatal(err)
		}
		dead(third, "This account is disabled", "Its address cannot be confirmed while it is disabled.")
	}, verifying)
}

// TestVerifyBadAddress checks that no address reaches a letter that could add
// headers to it.
func TestVerifyBadAddress(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.signUp("ana", "ana@example.org").redirects("/verify")
		member, _ := s.signedIn("bo", models.RoleUser)
		before := len(s.Mailbox.All())
		for _, bad := range []string{"", "ana", "ana@example.org\r\nBcc: x@example.org", "\"ana\"@example.org", "a@b@example.org", "ana@[127.0.0.1]", strings.Repeat("a", 10<<10) + "@example.org"} {
			page := b.post("/verify/address", "email", bad).status(422)
			if page.fieldError("email") == "" {
				t.Errorf("%.40q: no error beside the field", bad)
			}
			if got, _ := page.value("email"); strings.TrimSpace(got) == "" && bad != "" {
				t.Errorf("%.40q: what was typed is gone", bad)
			}
			member.post("/profile/email", "email", bad, "current_password", secretWord).status(422)
		}
		s.Deliver(t)
		if got := len(s.Mailbox.All()); got != before+1 { // that of the sign-up
			t.Errorf("got %d letters, want %d", got, before+1)
		}
		b.post("/verify/address", "email", "ana@bücher.example").redirects("/verify")
		b.post("/verify", "token", s.verifyToken("ana@bücher.example")).redirects("/profile/sessions")
	}, verifying)
}

// TestVerifyForged checks that a cookie that the portal did not seal is ignored.
func TestVerifyForged(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.signUp("ana", "ana@example.org").redirects("/verify")
		value := b.cookie("signup")
		for _, forged := range []string{"", "x", value[:len(value)-1], value + "A", strings.Repeat("A", 10<<10)} {
			twin := b.clone()
			twin.cookies["signup"] = kept{value: forged}
			twin.get("/verify").redirects("/login?next=%2Fverify")
			twin.post("/verify/address", "email", "thief@example.org").redirects("/login?next=%2Fverify%2Faddress")
		}
		s.Clock.Advance(24 * time.Hour)
		b.cookies["signup"] = kept{value: value} // a browser that ignores Max-Age
		b.get("/verify").status(200)
		s.Clock.Advance(time.Second)
		b.get("/verify").redirects("/login?next=%2Fverify")
	}, verifying)
}
