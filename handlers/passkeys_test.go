package handlers_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

func encoded(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// TestPasskeys adds a passkey, names it, signs in with it, and removes it.
func TestPasskeys(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		b.get("/profile/security").status(200).says("Passkeys", "No passkeys yet", "Add a passkey")
		b.get("/profile/security/passkeys/new").status(200).says("Create a passkey")
		k := s.newKey(ana)
		copy(k.aaguid[:], "\xfb\xfc\x30\x07\x15\x4e\x4e\xcc\x8c\x0b\x6e\x02\x05\x57\xd7\xbd")
		k.options.BackupEligible = true
		page := b.script("/profile/security/passkeys", strings.Replace(k.create(b), "{", `{"next":"/profile/tokens",`, 1)).next()
		row := s.passkeys(ana)[0]
		if want := "/profile/security/passkeys/" + row.ID + "?next=%2Fprofile%2Ftokens&created=1"; page != want {
			t.Errorf("after it is created: got %s, want %s", page, want)
		}
		if row.RPID != "localhost" || row.Name != "iCloud Keychain" || !row.BackupEligible {
			t.Errorf("stored %+v", row)
		}
		b.get(page).status(200).says("Passkey created", "Save").hides("Sign out my")
		s.browser().signIn("ana")
		b.get(page).says("Sign out my other device")
		b.post("/profile/security/passkeys/"+row.ID, "name", " My  laptop ", "created", "1", "others", "on", "next", "/profile/tokens").redirects("/profile/tokens")
		b.get("/profile/tokens").says("You can sign in with your passkey now. We signed out your other device.")
		if got := len(s.LiveSessions(ana.ID)); got != 1 {
			t.Errorf("%d sessions, want 1", got)
		}

		other := s.browser()
		if got := other.script("/login/passkey", k.signIn(other)).next(); got != "/profile" {
			t.Errorf("after signing in: got %s", got)
		}
		other.get("/profile/security").status(200).says("My laptop", "Synced", "Firefox on Linux")
		live := s.LiveSessions(ana.ID)
		session := live[slices.IndexFunc(live, func(session models.Session) bool { return session.Method == auth.MethodPasskey })]
		if session.Method != auth.MethodPasskey || session.ACR != models.PhishingProof || session.AMR != "swk mfa" || !session.Remember {
			t.Errorf("the session has %+v", session)
		}

		b.get("/profile/security/passkeys/"+row.ID+"/remove").status(200).says("Remove the passkey “My laptop”?", "your other devices are signed out", "password manager")
		b.post("/profile/security/passkeys/" + row.ID + "/remove").redirects("/profile/security")
		b.get("/profile/security").says("The passkey “My laptop” is removed. We signed out your other device. Also remove it", "No passkeys yet")
		other.get("/profile").redirects("/login?next=%2Fprofile")
		if problem := other.script("/login/passkey", k.signIn(other)).problem(404, "not in use here any more"); !problem.Unknown {
			t.Error("the browser is not told to forget the passkey")
		}
		history, err := s.Store.Passkeys.History(t.Context(), ana.ID)
		if err != nil || len(history) != 1 || history[0].RemovedBy != models.RemovedBySelf || history[0].PublicKey != "" {
			t.Errorf("history %+v, %v", history, err)
		}
		for _, event := range []string{audit.PasskeyAdd, audit.PasskeyRename, audit.PasskeyRemove} {
			s.LastEvent(event)
		}
	})
}

func (s *site) passkeys(user *models.User) []models.Passkey {
	s.T.Helper()
	rows, err := s.Store.Passkeys.InUse(s.T.Context(), user.ID)
	if err != nil {
		s.T.Fatal(err)
	}
	return rows
}

// TestPasskeyRefused sends answers of a device that are wrong, and checks that nothing
// is stored and nobody is signed in.
func TestPasskeyRefused(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		bo := s.Person("bo", models.RoleUser)
		k := s.newKey(ana)
		k.addTo(b)
		visitor := s.browser()
		spent := k.signIn(visitor)
		visitor.clone().script("/login/passkey", spent).status(200)
		visitor.clone().script("/login/passkey", spent).problem(422, "sent already")
		late := k.signIn(visitor)
		confirmation := k.use(b, "/confirm/passkey/options")
		s.Clock.Advance(5 * time.Minute)
		sessions := len(s.LiveSessions(ana.ID))
		for _, test := range []struct {
			name   string
			change func(k *key)
			body   string
			status int
			says   string
		}{
			{"another origin", func(k *key) { k.rp.Origin = "https://evil.example" }, "", 422, "could not be checked"},
			{"another RP ID", func(k *key) { k.rp.ID = "evil.example" }, "", 422, "could not be checked"},
			{"no user verification", func(k *key) { k.options.UserNotVerified = true }, "", 422, "did not check that it is you"},
			{"no user present", func(k *key) { k.options.UserNotPresent = true }, "", 422, "could not be checked"},
			{"the handle of another person", func(k *key) { k.options.UserHandle = []byte(bo.ID) }, "", 422, "could not be checked"},
			{"another key", func(k *key) { k.Key = s.newKey(ana).Key }, "", 422, "could not be checked"},
			{"an unknown passkey", func(k *key) { k.ID = []byte("unknown") }, "", 404, "not in use here"},
			{"backed up, and cannot be", func(k *key) { k.options.BackupState = true }, "", 422, "could not be checked"},
			{"too late", nil, late, 422, "took too long"},
			{"for another purpose", nil, confirmation, 422, "does not belong to this page"},
			{"an empty body", nil, " ", 400, "cannot read"},
			{"not JSON", nil, "{", 400, "cannot read"},
			{"no object", nil, `[]`, 400, "cannot read"},
			{"nothing in it", nil, `{"credential":{}}`, 400, "cannot read"},
			{"null", nil, `{"credential":null}`, 400, "cannot read"},
			{"64 KB", nil, `{"credential":"` + strings.Repeat("x", 64<<10-18) + `"}`, 400, "cannot read"},
			{"more than 64 KB", nil, `{"credential":"` + strings.Repeat("x", 64<<10) + `"}`, 413, ""},
		} {
			changed := *k
			if test.change != nil {
				test.change(&changed)
			}
			body := test.body
			if body == "" {
				body = changed.signIn(visitor)
			}
			t.Run(test.name, func(t *testing.T) {
				twin := visitor.clone()
				twin.site = s.in(t)
				problem := twin.script("/login/passkey", body).problem(test.status, test.says)
				if problem.Unknown != (test.name == "an unknown passkey") {
					t.Errorf("unknown: %v", problem.Unknown)
				}
				if got := len(s.LiveSessions(ana.ID)); got != sessions {
					t.Errorf("%d sessions, want %d", got, sessions)
				}
			})
		}
	})
}

// TestPasskeyNotAdded sends new passkeys that are wrong, and checks that none is stored.
func TestPasskeyNotAdded(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		bob, bo := s.signedIn("bo", models.RoleUser)
		taken := s.newKey(bo)
		taken.addTo(bob)
		const path = "/profile/security/passkeys"
		foreign := s.newKey(bo).create(bob)
		spent := s.newKey(ana)
		sent := spent.create(b)
		b.script(path, sent).status(200)
		cbor := func(text string) string {
			return `{"credential":{"id":"AAEC","rawId":"AAEC","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"` + text + `"}}}`
		}
		for _, test := range []struct {
			name   string
			change func(k *key)
			body   string
			status int
			says   string
		}{
			{"another origin", func(k *key) { k.rp.Origin = "https://evil.example" }, "", 422, "could not be checked"},
			{"another RP ID", func(k *key) { k.rp.ID = "evil.example" }, "", 422, "could not be checked"},
			{"no user verification", func(k *key) { k.options.UserNotVerified = true }, "", 422, "did not check that it is you"},
			{"a passkey of another person", func(k *key) { k.Credential = taken.Credential }, "", 409, "in use already"},
			{"the challenge of another person", nil, foreign, 422, "does not belong to this page"},
			{"sent twice", nil, sent, 422, "sent already"},
			{"no CBOR", nil, cbor("AAEC"), 400, "cannot read"},
			{"CBOR that ends early", nil, cbor("o2NmbXRkbm9uZQ"), 400, "cannot read"},
			{"nested CBOR", nil, cbor(encoded([]byte(strings.Repeat("\x81", 4000)))), 400, "cannot read"},
			{"not base64", nil, cbor("***"), 400, "cannot read"},
		} {
			t.Run(test.name, func(t *testing.T) {
				k := s.in(t).newKey(ana)
				if test.change != nil {
					test.change(k)
				}
				body := test.body
				if body == "" {
					body = k.create(b)
				}
				twin := b.clone()
				twin.site = s.in(t)
				twin.script(path, body).problem(test.status, test.says)
				if got := len(s.passkeys(ana)); got != 1 {
					t.Errorf("%d passkeys, want 1", got)
				}
			})
		}
	})
}

// TestAttestation sends attestation that nobody asked for: none of it is looked at.
func TestAttestation(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		for _, format := range []string{"none", "packed", "fido-u2f", "android-safetynet", "apple", "tpm", "never-heard-of"} {
			k := s.newKey(ana)
			b.script("/profile/security/passkeys", withFormat(t, k.create(b), format)).status(200)
			b.script("/login/passkey", k.signIn(s.browser())).status(200)
		}
	})
}

// withFormat changes the attestation format of a new passkey.
func withFormat(t *testing.T, body, format string) string {
	t.Helper()
	_, rest, _ := strings.Cut(body, `"attestationObject":"`)
	object, _, _ := strings.Cut(rest, `"`)
	data, err := base64.RawURLEncoding.DecodeString(object)
	if err != nil {
		t.Fatal(err)
	}
	const packed = "\x66packed" // CBOR: a text of six bytes
	if !strings.Contains(string(data), packed) {
		t.Fatalf("no format in %q", data)
	}
	changed := strings.Replace(string(data), packed, string(rune(0x60+len(format)))+format, 1)
	return strings.Replace(body, object, encoded([]byte(changed)), 1)
}

// TestPasskeyFlags changes what a device says about a passkey.
func TestPasskeyFlags(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		k := s.newKey(ana)
		k.addTo(b)
		visitor := s.browser()
		k.options.BackupEligible, k.options.BackupState = true, true
		visitor.script("/login/passkey", k.signIn(visitor)).status(200)
		s.LastEvent(audit.PasskeyFlags)
		if row := s.passkeys(ana)[0]; !row.BackupEligible || !row.BackedUp {
			t.Errorf("it can be synced now: stored %+v", row)
		}
		k.options.BackupEligible, k.options.BackupState = false, false
		refused := k.signIn(visitor)
		visitor.script("/login/passkey", refused).problem(422, "says something else about it")
		s.LastEvent(audit.PasskeyRefused)
		visitor.script("/login/passkey", refused).problem(422, "sent already")
		k.options.BackupEligible = true
		visitor.script("/login/passkey", k.signIn(visitor)).status(200)
	}, withMail)
}

// TestPasskeyCounter uses a passkey whose counter does not rise.
func TestPasskeyCounter(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		b, ana := s.signedIn("ana", models.RoleUser)
		k := s.newKey(ana)
		k.addTo(b)
		for _, test := range []struct {
			counter uint32
			told    int
		}{{0, 0}, {0, 0}, {7, 0}, {8, 0}, {8, 1}, {3, 2}, {4, 2}, {0, 3}, {0, 3}} {
			k.Counter = test.counter
			b.script("/login/passkey", k.signIn(b)).status(200)
			told := 0
			for _, e := range s.Events() {
				if e.Action == audit.PasskeyCounter {
					told++
				}
			}
			if told != test.told {
				t.Errorf("after the counter %d: told %d times, want %d", test.counter, told, test.told)
			}
		}
	})
}
