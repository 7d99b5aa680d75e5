package handlers_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/portaltest"
	"latchkey/models"
)

// TestPasskeyAccounts uses passkeys of accounts that cannot be used.
func TestPasskeyAccounts(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		k := s.newKey(ana)
		k.addTo(b)
		visitor := s.browser()
		if _, _, err := s.Accounts.Disable(t.Context(), auth.Shell(), ana.ID, ""); err != nil {
			t.Fatal(err)
		}
		visitor.script("/login/passkey", k.signIn(visitor)).problem(403, "This account is disabled. Contact help@example.org.")
		if _, err := s.Accounts.Enable(t.Context(), auth.Shell(), ana.ID); err != nil {
			t.Fatal(err)
		}
		boss, _ := s.signedIn("boss", models.RoleAdmin)
		boss.post("/admin/users/"+ana.ID+"/delete", "confirm", ana.Email).redirects("/admin/users")
		// It can be restored, so the browser keeps the passkey.
		if problem := visitor.script("/login/passkey", k.signIn(visitor)).problem(401, "does not exist any more"); problem.Unknown || problem.Next != "" {
			t.Errorf("a deleted account: %+v", problem)
		}
		boss.post("/admin/users/" + ana.ID + "/restore").status(303)
		if got := visitor.script("/login/passkey", k.signIn(visitor)).next(); got != "/profile" {
			t.Errorf("a restored account: %s", got)
		}
	}, withSupport)
}

// TestConfirmPasskey confirms with a passkey that it is the person: in the same session.
func TestConfirmPasskey(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		k := s.newKey(ana)
		row := k.addTo(b)
		s.Clock.Advance(16 * time.Minute)
		const remove = "/remove"
		page := "/profile/security/passkeys/" + row.ID + remove
		b.get(page).redirects("/confirm?next=" + url.QueryEscape(page))
		if problem := b.script("/profile/security/passkeys/options", "{}").problem(403, "Confirm that it is you."); problem.Next != "/confirm?next=%2Fprofile%2Fsecurity%2Fpasskeys%2Fnew" {
			t.Errorf("the script goes to %q", problem.Next)
		}
		bob, bo := s.signedIn("bo", models.RoleUser)
		s.newKey(bo).addTo(bob)
		stolen := k.use(b, "/confirm/passkey/options")
		bob.script("/confirm/passkey", stolen).problem(422, "does not belong to this page")
		foreign := *k
		foreign.options.UserHandle = nil
		bob.script("/confirm/passkey", foreign.use(bob, "/confirm/passkey/options")).problem(422, "not yours")

		before := s.LiveSessions(ana.ID)
		body := strings.Replace(k.use(b, "/confirm/passkey/options"), "{", `{"next":"`+page+`",`, 1)
		if got := b.script("/confirm/passkey", body).next(); got != page {
			t.Errorf("leads to %s, want %s", got, page)
		}
		b.script("/confirm/passkey", body).problem(422, "sent already")
		b.get(page).status(200)
		after := s.LiveSessions(ana.ID)
		if len(after) != len(before) || after[0].ID != before[0].ID || after[0].ACR != models.PhishingProof || after[0].FullAuthTime.IsZero() {
			t.Errorf("sessions before %+v, after %+v", before, after)
		}
		if audit.DetailsOf(s.LastEvent(audit.Confirmed)).Step != audit.StepPasskey {
			t.Error("the audit log does not say that it was a passkey")
		}
	})
}

// TestFirstPasskey needs everything that the account has.
func TestFirstPasskey(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		session := s.LiveSessions(ana.ID)[0]
		s.Clock.Advance(16 * time.Minute)
		// A proof that is not everything the account has, as of a password with an app.
		if err := s.Store.Sessions.Prove(t.Context(), session.ID, session.AMR, session.ACR, false, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		const page = "/profile/security/passkeys/new"
		full := "/confirm?next=" + url.QueryEscape(page) + "&full=1"
		b.get(page).redirects(full)
		if problem := b.script("/profile/security/passkeys/options", "{}").problem(403, "everything that you sign in with"); problem.Next != full {
			t.Errorf("the script goes to %q, want %q", problem.Next, full)
		}
		if err := s.Store.Sessions.Prove(t.Context(), session.ID, session.AMR, session.ACR, true, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		b.get(page).status(200)
		s.newKey(ana).addTo(b)
	})
}

// TestRequiredStep adds a passkey where a second step is required: it is one.
func TestRequiredStep(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		b.get("/profile").redirects("/profile/security?next=%2Fprofile")
		b.get("/profile/security?next=%2Fprofile").status(200).has(`/profile/security/passkeys/new?next=%2Fprofile`)
		k := s.newKey(ana)
		row := k.addTo(b)
		b.get("/profile").status(200)
		b.get("/profile/security/passkeys/" + row.ID + "/remove").status(200).says("This is your only second step")
		b.post("/profile/security/passkeys/" + row.ID + "/remove").status(409).says("This is your only second step")
		s.newKey(ana).addTo(b)
		b.post("/profile/security/passkeys/" + row.ID + "/remove").redirects("/profile/security")
	}, func(o *portaltest.Options) { o.RequireStep = auth.StepAll })
}

// TestLastWayIn keeps the only passkey of an account without a password.
func TestLastWayIn(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		row := s.newKey(ana).addTo(b)
		if err := s.Store.Users.SetPassword(t.Context(), ana.ID, "", s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		b.post("/profile/security/passkeys/" + row.ID + "/remove").status(409).says("This is your only way to sign in. Add a password or another passkey first.")
		if got := len(s.passkeys(ana)); got != 1 {
			t.Errorf("%d passkeys, want 1", got)
		}
	})
}

// TestPasskeyNames checks the names of passkeys.
func TestPasskeyNames(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		first, second := s.newKey(ana).addTo(b), s.newKey(ana).addTo(b)
		if first.Name != "Passkey" || second.Name != "Passkey 2" {
			t.Errorf("named %q and %q", first.Name, second.Name)
		}
		for _, test := range []struct{ name, says string }{
			{"", "Enter a name"},
			{" \t ", "Enter a name"},
			{strings.Repeat("é", 65), "at most 64 characters"},
			{strings.Repeat("x", 10_000), "at most 64 characters"},
			{"a\u202eb", "invisible or control characters"},
			{"PASSKEY", "another passkey with this name"},
		} {
			b.post("/profile/security/passkeys/"+second.ID, "name", test.name).status(422).says("There is a problem", test.says)
		}
		b.post("/profile/security/passkeys/"+second.ID, "name", "PASSKEY 2").redirects("/profile/security")
		other, _ := s.signedIn("bo", models.RoleUser)
		other.get("/profile/security/passkeys/" + second.ID).status(404)
		other.post("/profile/security/passkeys/"+second.ID, "name", "mine").status(404)
		other.post("/profile/security/passkeys/" + second.ID + "/remove").status(404)
	})
}

// TestNoPasskeys is a portal on a URL where browsers allow none.
func TestNoPasskeys(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		const why = "Passkeys need https. This portal is at http://id.example.org."
		b, _ := s.signedIn("ana", models.RoleUser)
		s.browser().get("/login").hides("passkey")
		b.get("/profile/security").says(why)
		b.get("/profile/security/passkeys/new").status(200).says(why)
		for _, path := range []string{"/login/passkey/options", "/profile/security/passkeys/options", "/confirm/passkey/options"} {
			b.script(path, "{}").problem(409, why)
		}
		for _, path := range []string{"/login/passkey", "/profile/security/passkeys", "/confirm/passkey"} {
			b.script(path, `{"credential":{}}`).problem(409, why)
		}
		b.get("/.well-known/passkey-endpoints").status(404)
	}, func(o *portaltest.Options) { o.PublicURL = "http://id.example.org" })
}

// TestPasskeyEndpoints pins the document for password managers.
func TestPasskeyEndpoints(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		want := `{"enroll":"https://id.example.org/profile/security/passkeys/new","manage":"https://id.example.org/profile/security"}`
		if got := strings.TrimSpace(s.browser().get("/.well-known/passkey-endpoints").status(200).body); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}, withHTTPS)
}

// TestPasskeyOnce sends one answer many times at once: one is a sign-in.
func TestPasskeyOnce(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		k := s.newKey(ana)
		k.addTo(b)
		sent := k.signIn(s.browser())
		statuses := make(chan int)
		for range 8 {
			go func() { statuses <- s.browser().script("/login/passkey", sent).code }()
		}
		got := map[int]int{}
		for range 8 {
			got[<-statuses]++
		}
		if got[200] != 1 || got[422] != 7 {
			t.Errorf("statuses %v, want 200 once and 422 otherwise", got)
		}
	})
}

// TestPasskeyLetters checks who is told what.
func TestPasskeyLetters(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		k := s.newKey(ana)
		k.options.BackupEligible = true
		row := k.addTo(b)
		k.Counter = 5
		b.script("/login/passkey", k.signIn(b)).status(200)
		b.script("/login/passkey", k.signIn(b)).status(200)
		k.options.BackupEligible = false
		b.script("/login/passkey", k.signIn(b)).status(422)
		elsewhere := s.browser()
		k.options.BackupEligible = true
		elsewhere.script("/login/passkey", k.signIn(elsewhere)).status(200)
		b.post("/profile/security/passkeys/" + row.ID + "/remove").redirects("/profile/security")
		s.Deliver(t)
		want := map[string]string{
			"A passkey was added":            "The passkey “Passkey” was added",
			"A passkey may have been copied": "its counter did not go up",
			"A passkey was refused":          "we refused it",
			"New sign-in on Firefox":         "with a passkey",
			"A passkey was removed":          "Your other devices are signed out.",
		}
		for _, m := range s.Mailbox.To(ana.Email) {
			for subject, text := range want {
				if strings.HasPrefix(m.Subject, subject) {
					if !strings.Contains(strings.Join(strings.Fields(m.Text), " "), text) || !strings.Contains(m.Text, "/secure?token=") {
						t.Errorf("%s: %s", subject, m.Text)
					}
					delete(want, subject)
				}
			}
		}
		if len(want) > 0 {
			t.Errorf("no letters %v", want)
		}
	}, withMail)
}

// TestPasskeyOffer offers a passkey on the account page, once after sign-up.
func TestPasskeyOffer(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.post("/signup", "username", "ana", "email", "ana@example.org", "password", secretWord).redirects("/profile")
		b.get("/profile").status(200).says("Sign in faster next time", "Create a passkey", "Not now")
		b.get("/profile").status(200).hides("Sign in faster next time")
		other, _ := s.signedIn("bo", models.RoleUser)
		other.get("/profile").hides("Sign in faster next time")

		// Somebody who had forgotten their password, or has just changed it.
		if err := s.Store.Users.SetPassword(t.Context(), s.Named("bo").ID, s.Named("ana").PasswordHash, s.Clock.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(time.Minute)
		other.signIn("bo")
		other.get("/profile").says("You are signed in with your new password.", "Sign in faster next time")
		other.get("/profile").hides("Sign in faster next time")
	})
}
