package handlers_test

import (
	"testing"
	"time"

	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/internal/auth/factor"
	"latchkey/models"
)

// TestResetTwoStep is the drill for a person who has lost everything: an admin resets
// the second step, and the password alone signs in. What was there before is worth
// nothing any more, and stays in the record.
func TestResetTwoStep(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		ana := s.Person("ana", models.RoleUser)
		account := "/admin/users/" + ana.ID
		boss.get(account).status(200).says("Second step None").hides("Reset two-step sign-in")
		boss.get(account + "/reset-two-step").status(409).says("This account has no second step and no passkeys.")
		boss.post(account+"/reset-two-step", "confirm", ana.Email).status(409)

		codes := factor.NewRecoveryCodes()
		secret := s.GiveApp(ana, codes...)
		s.GivePasskey(ana, "Phone")
		b := s.browser()
		b.half("ana")
		b.post("/login/code", "code", s.Code(secret), "trust", "on").redirects("/profile")
		waiting := s.browser()
		waiting.half("ana").redirects("/login/code")
		for range 9 {
			half := s.browser()
			half.half("ana")
			half.post("/login/code", "code", "000000")
		}

		boss.get(account).says("Second step Authenticator app, 1 passkey", "Reset two-step sign-in")
		boss.get(account+"/reset-two-step").status(200).says(
			"Reset two-step sign-in of ana?", "The authenticator app, the recovery codes and 1 passkey of ana will be removed. 1 session ends.",
			"Make sure that the request really comes from ana")
		boss.post(account+"/reset-two-step", "confirm", "bo@example.org").status(422).
			says("To reset two-step sign-in, type its email address.").has(`value="bo@example.org"`)
		if f := s.factors(ana); !f.App || f.Passkeys != 1 {
			t.Fatalf("a refused reset has changed %+v", f)
		}
		s.Clock.Advance(time.Minute)
		boss.follow(boss.post(account+"/reset-two-step", "confirm", " ANA@example.org").redirects(account)).
			says("The two-step sign-in of ana is reset. 1 session ended.")
		b.get("/profile").redirects("/login?next=%2Fprofile")
		waiting.post("/login/code", "code", s.Code(secret)).redirects("/login")
		if e := s.LastEvent(audit.UserResetStep); e.SubjectID != ana.ID || audit.Detail(e) != "1 passkey removed, 1 session ended" {
			t.Errorf("the audit log says %q of %s", audit.Detail(e), e.SubjectName)
		}
		s.lastMail("ana@example.org", "Your two-step sign-in was reset")
		b.half("ana").redirects("/profile")
		if f := s.factors(ana); f != (models.Factors{}) {
			t.Errorf("left: %+v", f)
		}
		apps, err := s.Store.Apps.History(t.Context(), ana.ID)
		if err != nil || len(apps) != 1 || apps[0].Secret != "" || apps[0].RemovedBy != models.RemovedByAdmin || apps[0].RemovedAt.IsZero() {
			t.Errorf("the record of apps: %+v (%v)", apps, err)
		}
		keys, err := s.Store.Passkeys.History(t.Context(), ana.ID)
		if err != nil || len(keys) != 1 || keys[0].PublicKey != "" || keys[0].RemovedBy != models.RemovedByAdmin {
			t.Errorf("the record of passkeys: %+v (%v)", keys, err)
		}

		// The device that was remembered is not, once there is a new app.
		s.GiveApp(ana)
		b.half("ana").redirects("/login/code")
	}, withMail)
}

// factors reads the factors of an account.
func (s *site) factors(user *models.User) models.Factors {
	s.T.Helper()
	f, err := s.Store.Users.Factors(s.T.Context(), user.ID)
	if err != nil {
		s.T.Fatal(err)
	}
	return f
}

// TestLastAdminLocked is the drill for the last admin who has lost everything: the
// shell resets the second step.
func TestLastAdminLocked(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		bo := s.Person("bo", models.RoleAdmin)
		s.GiveApp(bo)
		b := s.browser()
		b.half("bo").redirects("/login/code")
		b.get("/login/lost").status(200).says("Use a recovery code.", "If you have neither, ask help@example.org to reset your two-step sign-in.")
		if _, _, err := s.Accounts.ResetTwoStep(t.Context(), auth.Shell(), bo.ID, ""); err != nil {
			t.Fatal(err)
		}
		b.signIn("bo")
	}, withSupport)
}

// TestUnlockCodes checks that an admin who clears the limits of an account also clears
// those of its codes.
func TestUnlockCodes(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		ana := s.Person("ana", models.RoleUser)
		secret := s.GiveApp(ana)
		for range 3 {
			b := s.browser()
			b.half("ana")
			for range 4 {
				b.post("/login/code", "code", "000000")
			}
		}
		b := s.browser()
		b.half("ana")
		b.post("/login/code", "code", s.Code(secret)).status(429)
		boss.post("/admin/users/" + ana.ID + "/unlock").status(303)
		b.post("/login/code", "code", s.Code(secret)).redirects("/profile")
	})
}

// TestUsersBySecondStep checks the column and the filter of the user list.
func TestUsersBySecondStep(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		both, app, key := s.Person("both", models.RoleUser), s.Person("onlyapp", models.RoleUser), s.Person("onlykeys", models.RoleUser)
		s.Person("plain", models.RoleUser)
		s.GiveApp(both)
		s.GivePasskey(both, "Phone")
		s.GiveApp(app)
		s.GivePasskey(key, "Phone")
		s.GivePasskey(key, "Key")
		gone := s.Person("gone", models.RoleUser)
		s.GiveApp(gone)
		if _, err := s.Store.Apps.Remove(t.Context(), gone.ID, models.RemovedBySelf, s.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		for query, want := range map[string][]string{
			"app": {"both", "onlyapp"}, "passkey": {"both", "onlykeys"}, "none": {"bo", "gone", "plain"},
			"app&role=admin": nil, "none&q=plain": {"plain"},
		} {
			got := boss.get("/admin/users?second_step=" + query).status(200).names()
			if len(got) != len(want) {
				t.Errorf("%s: got %q, want %q", query, got, want)
				continue
			}
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("%s: got %q, want %q", query, got, want)
				}
			}
		}
		boss.get("/admin/users").says("App, 1 passkey", "2 passkeys", "None")
		boss.get("/admin/users?second_step=passkey").says("Second step: Passkey").has(`<option value="passkey" selected>`)
		boss.get("/admin/users?second_step=app&role=admin").says("No users with role Admin and the second step Authenticator app.")
		boss.get("/admin/users?second_step=sms").status(400)
	})
}

// TestFactorsOfDeleted checks that a restored account is no less safe than it was, and
// that nothing of an erased one is left.
func TestFactorsOfDeleted(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		boss, _ := s.signedIn("bo", models.RoleAdmin)
		ana := s.Person("ana", models.RoleUser)
		codes := factor.NewRecoveryCodes()
		secret := s.GiveApp(ana, codes...)
		s.GivePasskey(ana, "Phone")
		b := s.browser()
		b.half("ana")
		b.post("/login/code", "code", s.Code(secret), "trust", "on").redirects("/profile")
		account := "/admin/users/" + ana.ID
		boss.post(account+"/delete", "confirm", ana.Email).status(303)
		b.half("ana").status(422)
		boss.post(account + "/restore").status(303)
		b.half("ana").redirects("/login/code") // the device is not remembered any more
		b.post("/login/recovery", "code", codes[0]).status(303).givesTokens()
		if f := s.factors(ana); !f.App || f.Passkeys != 1 {
			t.Errorf("after the restore: %+v", f)
		}
		boss.post(account+"/delete", "confirm", ana.Email).status(303)
		s.Clock.Advance(31 * 24 * time.Hour)
		if n, err := s.Accounts.EraseDeleted(t.Context()); n != 1 || err != nil {
			t.Fatalf("erased %d (%v)", n, err)
		}
		apps, err := s.Store.Apps.History(t.Context(), ana.ID)
		if len(apps) != 0 || err != nil {
			t.Errorf("apps after erasing: %+v (%v)", apps, err)
		}
		left, err := s.Store.RecoveryCodes.History(t.Context(), ana.ID)
		if len(left) != 0 || err != nil {
			t.Errorf("recovery codes after erasing: %d (%v)", len(left), err)
		}
		keys, err := s.Store.Passkeys.History(t.Context(), ana.ID)
		if len(keys) != 0 || err != nil {
			t.Errorf("passkeys after erasing: %d (%v)", len(keys), err)
		}
	})
}
