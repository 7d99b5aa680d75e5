package e2e

import (
	"cmp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// adminAndUser starts a portal with Ana, an admin, and Bo, an ordinary user. Both
// are signed in, each in their own browser context.
func adminAndUser(t *testing.T, script bool) (ana, bo *tab, boAccount account) {
	t.Helper()
	p := startPortal(t)
	admin := p.admin(newAccount("ana", "Ana Silva"))
	boAccount = p.signUp(newAccount("bo", "Bo Chen"))
	ana, bo = open(t, p, script), open(t, p, script)
	ana.signIn(admin.username, admin.password)
	bo.signIn(boAccount.username, boAccount.password)
	return ana, bo, boAccount
}

// findUser goes from the account page to a user's page in the panel, by search.
func (b *tab) findUser(search, name string) {
	b.Helper()
	b.press("Admin")
	b.press("Users")
	b.fill("Search by username, email or name", search)
	b.wantStatus(b.press("Search"), 200)
	b.see("1 of 1 user")
	b.press(name)
}

func TestFirstAdmin(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		link := p.setupPath()
		p.signUp(newAccount("bo", "Bo Chen")) // the first person to sign up does not become an admin
		b := open(t, p, script)
		b.wantStatus(b.visit(link), 200)
		b.see("Create the first admin")
		b.fill("Username", "ana")
		b.fill("Email", "ana@example.org")
		b.fill("Password", "short")
		b.wantStatus(b.press("Create admin"), 422)
		b.see("Password must be at least 12 characters. Yours has 5.")
		b.fill("Password", "twelve wise owls read")
		b.wantStatus(b.press("Create admin"), 200)
		b.see("Your admin account is ready.")
		b.see("Overview", "Next steps", "There is only one active admin.")

		b.visit(link)
		b.see("Setup is done")
	})
}

func TestDisableAndUndo(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		ana, bo, account := adminAndUser(t, script)
		ana.findUser("bo@", "Bo Chen")
		page := ana.at()
		ana.question("Disable")
		ana.see("Bo Chen will be signed out of 2 devices now and cannot sign in.")
		ana.fill("Reason", "Left the team.")
		ana.wantStatus(ana.press("Disable Bo Chen"), 200)
		ana.wantAt(page)
		ana.see("Bo Chen is disabled. 2 sessions ended. All its sessions and tokens have stopped working.", "Left the team.")

		bo.press("Devices") // the very next click
		bo.wantAt("/login?next=%2Fprofile%2Fsessions")
		bo.see("This account is disabled. Contact help@example.org.")
		bo.wantNot("Left the team")
		bo.fill("Email or username", account.username)
		bo.fill("Password", account.password)
		bo.wantStatus(bo.press("Sign in"), 403)
		bo.see("This account is disabled. Contact help@example.org.")
		bo.wantNot("Left the team")
		bo.wantNot("Stay signed in") // the page has no sign-in form
		bo.visit("/login?next=%2Fprofile%2Fsessions")
		bo.fill("Email or username", account.username)
		bo.fill("Password", "not the password")
		bo.wantStatus(bo.press("Sign in"), 422)
		bo.see("Email, username or password is not correct.")

		ana.press("Undo")
		ana.wantAt(page)
		ana.see("Bo Chen is enabled and can sign in again.")
		bo.fill("Password", account.password)
		bo.wantStatus(bo.press("Sign in"), 200)
		bo.wantAt("/profile/sessions")
	})
}

func TestRoleAndSignOut(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		ana, bo, _ := adminAndUser(t, script)
		bo.wantStatus(bo.visit("/admin"), 403)
		bo.see("You cannot open this page", "bo@example.org")

		ana.findUser("bo", "Bo Chen")
		ana.question("Change role")
		ana.see("Bo Chen will be able to see, disable and delete every account")
		ana.wantStatus(ana.press("Make Bo Chen an admin"), 200)
		ana.see("Bo Chen is now an admin.")
		bo.wantStatus(bo.visit("/admin"), 200)

		ana.question("Change role")
		ana.press("Make Bo Chen a user")
		bo.wantStatus(bo.visit("/admin"), 403)
		ana.press("Undo")
		ana.see("Bo Chen is now an admin.")
		bo.wantStatus(bo.visit("/admin"), 200)
		ana.press("Undo")
		ana.see("Bo Chen is now a user.")
		bo.wantStatus(bo.visit("/admin"), 403)

		bo.press("Go to your account")
		ana.question("Sign out everywhere")
		ana.wantStatus(ana.press("Sign out Bo Chen"), 200)
		ana.see("Bo Chen is signed out everywhere. 2 sessions ended.", "Not signed in anywhere.")
		bo.press("Devices")
		bo.wantAt("/login?next=%2Fprofile%2Fsessions")
		bo.see("An admin signed you out.")
	})
}

func TestResetLink(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		ana, bo, account := adminAndUser(t, script)
		ana.findUser("bo", "Bo Chen")
		page := ana.at()
		ana.question("Create reset link")
		ana.wantStatus(ana.press("Create reset link"), 200)
		ana.see("Reset link created", "You will not see it again.")
		link := ana.shownLink()
		ana.visit(page)
		ana.wantNot("/reset?token=")

		stranger := open(t, ana.portal, script)
		stranger.wantStatus(stranger.visit(link), 200)
		stranger.wantStatus(stranger.visit(link), 200) // opening the link does not use it up
		if got := stranger.value("Username"); got != account.username {
			t.Errorf("got username %q, want %q", got, account.username)
		}
		stranger.fill("New password", "twelve wise owls read")
		stranger.wantStatus(stranger.press("Save new password"), 200)
		stranger.wantAt("/login")
		stranger.see("Your password is changed.")
		stranger.signIn(account.username, "twelve wise owls read")

		bo.press("Devices")
		bo.wantAt("/login?next=%2Fprofile%2Fsessions")
		bo.see("Your password was changed, and every device was signed out.")
		bo.visit(link)
		bo.see("This link has already been used")
	})
}

// shownLink returns the path of the reset link on the page.
func (b *tab) shownLink() string {
	b.Helper()
	return strings.TrimPrefix(ask[string](b, `document.getElementById("reset-link").textContent`), b.portal.url)
}

func TestAddAndDeleteUser(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		ana, bo, _ := adminAndUser(t, script)
		ana.visit("/admin/users")
		ana.press("Add user")
		ana.fill("Username", "bo")
		ana.fill("Email", "cleo@example.org")
		ana.wantStatus(ana.press("Add user"), 422)
		ana.fill("Username", "cleo")
		ana.fill("Full name", "Cleo Park")
		ana.wantStatus(ana.press("Add user"), 200)
		ana.see("Account created", "Cleo Park", "The link works once, within 24 hours.")

		cleo := open(t, ana.portal, script)
		cleo.visit(ana.shownLink())
		cleo.see("Choose a password", "Welcome to Latchkey.")
		cleo.fill("Password", "twelve wise owls read")
		cleo.wantStatus(cleo.press("Save password"), 200)
		cleo.see("Your account is ready.", "Cleo Park")

		ana.press("Go to Cleo Park")
		ana.question("Delete")
		ana.fill("Type cleo@example.org to confirm", "cleo")
		ana.wantStatus(ana.press("Delete Cleo Park"), 422)
		ana.fill("Type cleo@example.org to confirm", "cleo@example.org")
		ana.wantStatus(ana.press("Delete Cleo Park"), 200)
		ana.wantAt("/admin/users")
		ana.see("The account of Cleo Park is deleted. 1 session ended.", "2 of 2 users")
		cleo.press("Devices")
		cleo.wantAt("/login?next=%2Fprofile%2Fsessions")
		bo.wantStatus(bo.visit("/profile"), 200)
	})
}

func TestUserList(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		p := startPortal(t)
		admin := p.admin(newAccount("ana", "Ana Silva"))
		for _, name := range []string{"Cleo Park", "Bo Chen", "Bodil Hansen", "Dario Bonetti"} {
			first, _, _ := strings.Cut(strings.ToLower(name), " ")
			p.signUp(newAccount(first, name))
		}
		p.command("user", "disable", "bodil", "--reason", "on leave")
		b := open(t, p, script)
		b.signIn(admin.username, admin.password)
		b.visit("/admin/users")
		b.see("5 of 5 users")

		names := func(want ...string) {
			t.Helper()
			got := ask[string](b, `[...document.querySelectorAll("tbody th a")].map((a) => a.textContent).join(", ")`)
			if want := strings.Join(want, ", "); got != want {
				t.Errorf("%s: got %q, want %q", b.at(), got, want)
			}
		}
		names("Ana Silva", "Bo Chen", "Bodil Hansen", "Cleo Park", "Dario Bonetti")
		b.press("User") // the column
		if got, want := ask[string](b, `document.querySelector("th[aria-sort]").ariaSort`), "descending"; got != want {
			t.Errorf("got aria-sort %q, want %q", got, want)
		}
		names("Dario Bonetti", "Cleo Park", "Bodil Hansen", "Bo Chen", "Ana Silva")
		b.fill("Search by username, email or name", "BO")
		b.press("Search")
		names("Dario Bonetti", "Bodil Hansen", "Bo Chen")    // two letters begin a username or a word of the name
		b.fill("Search by username, email or name", "bonet") // inside the full name
		b.press("Search")
		names("Dario Bonetti")
		b.fill("Search by username, email or name", "bo")
		b.click("Filter")
		b.choose("Status", "Disabled")
		b.press("Show users")
		names("Bodil Hansen")
		b.choose("Role", "Admin")
		b.press("Search")
		b.see("No users match “bo” with status Disabled and role Admin.")
		b.back()
		names("Bodil Hansen")
		b.press("Clear")
		names("Dario Bonetti", "Cleo Park", "Bodil Hansen", "Bo Chen", "Ana Silva")
		b.click("Filter")
		b.choose("Sort by", "Email, A to Z")
		b.press("Show users")
		names("Ana Silva", "Bo Chen", "Bodil Hansen", "Cleo Park", "Dario Bonetti")
	})
}

func TestAuditLog(t *testing.T) {
	eachMode(t, func(t *testing.T, script bool) {
		ana, _, _ := adminAndUser(t, script)
		ana.portal.command("user", "sign-out", "bo")
		ana.findUser("bo", "Bo Chen")
		ana.question("Disable")
		ana.fill("Reason", "Left the team.")
		ana.press("Disable Bo Chen")
		ana.press("Audit log")
		first := ask[string](ana, `document.querySelector(".log .what").innerText.replace(/\s+/g, " ").trim()`)
		if want := "Ana Silva disabled Bo Chen. Reason: Left the team."; first != want {
			t.Errorf("got the line %q, want %q", first, want)
		}
		ana.openLine()
		ana.see("IP address", "Request")

		ana.click("Filter")
		ana.fill("Who did it", "ana@example.org")
		ana.choose("Event", "Disabled user")
		ana.wantStatus(ana.press("Search"), 200)
		ana.wantLines(1)
		csv := ask[[]string](ana, `fetch(document.querySelector("a[download]").href).then(async (r) =>
			[String(r.status), r.headers.get("Content-Type"), r.headers.get("Content-Disposition"), await r.text()])`)
		if csv[0] != "200" || !strings.HasPrefix(csv[1], "text/csv") || !strings.HasPrefix(csv[2], "attachment") {
			t.Errorf("got %q, want a CSV attachment", csv[:3])
		}
		if lines := strings.Count(csv[3], "\r\n"); lines != 2 || !strings.Contains(csv[3], "Left the team.") {
			t.Errorf("got %d lines, want the header and one event:\n%s", lines, csv[3])
		}
		ana.click("Filter")
		ana.fill("Affected account", "nobody-at-all")
		ana.press("Search")
		ana.see("Nothing in the log matches these filters.", "Affected account: nobody-at-all")
		ana.press("Remove filter Affected account")
		ana.press("Remove filter Event")
		ana.openLine()
		ana.press("All of this kind")
		ana.wantAt("/admin/audit?action=user-disable")
		ana.press("Remove filter Event")
		ana.wantAt("/admin/audit")
		ana.openLine()
		ana.press("All events of Bo Chen")
		ana.see("Person: Bo Chen")
		ana.wantLines(4) // created, signed in, signed out, disabled
	})
}

// openLine opens the first line of the audit log.
func (b *tab) openLine() {
	b.Helper()
	b.click(ask[string](b, `document.querySelector(".log summary").textContent.replace(/\s+/g, " ").trim()`))
}

// wantLines fails unless the page of the audit log has n lines.
func (b *tab) wantLines(n int) {
	b.Helper()
	if got := ask[int](b, `document.querySelectorAll(".log li").length`); got != n {
		b.Errorf("%s: got %d lines, want %d:\n%s", b.at(), got, n, b.text())
	}
}

// TestAuditLines checks the height of a line, that an error in the filter moves no
// field out of its column, and that the script groups lines by day in the device's
// time zone.
func TestAuditLines(t *testing.T) {
	t.Parallel()
	p := startPortal(t)
	boss := p.admin(newAccount("boss", "The Boss"))
	b := open(t, p, true)
	b.signIn(boss.username, boss.password)
	b.visit("/admin/audit")
	if got := ask[float64](b, `document.querySelector(".log li").getBoundingClientRect().height`); got > 41 {
		t.Errorf("a line is %v pixels high, want 40 and its rule", got)
	}
	p.execute("UPDATE audit_events SET at = 1795995000000000") // 29 November 2026, 23:30 in UTC
	for zone, want := range map[string]string{"": "Sunday, 29 November 2026 23:30", "Pacific/Auckland": "Monday, 30 November 2026 12:30"} {
		call(b, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: cmp.Or(zone, "UTC")})
		b.visit("/admin/audit")
		if got := ask[string](b, `document.querySelector(".log h2").textContent + " " + document.querySelector(".log time").textContent`); got != want {
			t.Errorf("in the zone %q: got %q, want %q", zone, got, want)
		}
	}
	const columns = `[...document.querySelectorAll(".filters .field")].map((e) => e.getBoundingClientRect()).map(({ x, width }) => x + " " + width).join()`
	for _, width := range []int64{1280, 320} {
		b.screen(width, 800, false)
		b.visit("/admin/audit")
		b.click("Filter")
		before := ask[string](b, columns)
		b.visit("/admin/audit?from=0001-01-01&to=0001-01-01")
		if after := ask[string](b, columns); after != before {
			t.Errorf("on a screen of %d the fields are at %s, and with a problem at %s", width, before, after)
		}
	}
}
