package pages

import (
	"time"

	"latchkey/views/components"
	"latchkey/views/layouts"
)

var sampleTarget = AdminTarget{Name: "Bo Chen", Username: "bo", Email: "bo@example.org", URL: "/admin/users/b"}

func sampleUsers() AdminUsersView {
	return AdminUsersView{
		Filter:   UsersFilter{Q: "b", Status: "active", Limit: 50},
		Chips:    []components.Link{{Label: "Status: Active", URL: "/admin/users?q=b"}},
		ClearURL: "/admin/users",
		Total:    1204,
		Rows: []UserRow{
			{ID: "b", URL: "/admin/users/b", Username: "bo", FullName: "Bo Chen", Email: "bo@example.org", LastSignIn: sampleTime, Steps: Steps{App: true, Passkeys: 2}},
			{ID: "c", URL: "/admin/users/c", Username: "chidi", Email: "chidi@example.org", Disabled: true, Paused: Pause{Locked: true}, Admin: true},
			{ID: "d", URL: "/admin/users/d", Username: "dee", Email: "dee@example.org", Paused: Pause{Until: sampleTime}, APIPaused: Pause{Locked: true}},
			{ID: "e", URL: "/admin/users/e", Username: "eve", Email: "eve@example.org", Paused: Pause{Locked: true}},
			{ID: "g", URL: "/admin/users/g", Username: "gil", Email: "gil@example.org", APIPaused: Pause{Until: sampleTime}},
			{ID: "f", URL: "/admin/users/f", Username: "fay", Email: "fay@example.org", Invited: true},
		},
		Sorts: UsersSorts{
			Username: SortLink{URL: "/admin/users?sort=username"}, Email: SortLink{URL: "/admin/users?sort=email"},
			LastSignIn: SortLink{URL: "/admin/users?sort=last_sign_in", Order: Descending},
			Caption:    "last sign-in, newest first",
			Choices:    []components.Option{{Label: "Best match first"}, {Value: "-last_sign_in", Label: "Last sign-in, newest first", Selected: true}},
		},
		Sizes: []PageSize{{Size: 25, URL: "/admin/users?limit=25"}, {Size: 50, URL: "/admin/users", Current: true}},
		Next:  "/admin/users?after=x", Previous: "/admin/users?before=x",
		FirstURL: "/admin/users?q=b", NewURL: "/admin/users/new", CSVURL: "/admin/users.csv?q=b", SelfURL: "/admin/users?q=b&sort=-last_sign_in",
	}
}

func sampleBulk(act BulkAct) AdminBulkView {
	return AdminBulkView{
		Act: act, Users: []BulkUser{{ID: "b", Name: "Bo Chen", Email: "bo@example.org"}, {ID: "e", Name: "eve"}},
		LeftOut: []string{"Ana Silva (your own account)", "chidi (already disabled)"}, ListURL: "/admin/users?q=b",
	}
}

func sampleUser() AdminUserView {
	return AdminUserView{
		AdminTarget: sampleTarget, ID: "k7x2m4qpt6v3y5z2a4c6e8g3h5", FullName: "Bo Chen",
		Created: sampleTime, LastSignIn: sampleTime, PasswordChanged: sampleTime, Paused: Pause{Until: sampleTime}, APIPaused: Pause{Locked: true},
		Sessions: []SessionRow{
			{ID: "s", Device: "Chrome on macOS", ActiveNow: true, Address: "203.0.113.7", SignedIn: sampleTime},
			{ID: "t", Device: "Safari on iPhone", Phone: true, LastActive: sampleTime, SignedIn: sampleTime},
			{ID: "u", Device: "Safari on iPhone", Phone: true, LastActive: sampleTime, SignedIn: sampleTime},
			{ID: "v", Device: "API · backup script", Scopes: []string{"Read this account"}, LastActive: sampleTime, SignedIn: sampleTime},
		},
		Tokens:      sampleTokens(),
		Activity:    []ActivityItem{{Text: "Bo Chen signed in.", Device: "Chrome on macOS", When: sampleTime, Address: "203.0.113.7"}},
		ActivityURL: "/admin/audit?subject=b", BackURL: "/admin/users", RestorableUntil: "2 Dec 2026",
	}
}

func sampleAudit() AdminAuditView {
	ana := AuditPerson{Name: "Ana Silva", URL: "/admin/users/a", EventsURL: "/admin/audit?person=a"}
	bo := AuditPerson{Name: "Bo Chen", URL: "/admin/users/b", EventsURL: "/admin/audit?person=b"}
	signedOut := AuditRow{When: sampleTime, Actor: ana, Verb: "signed out", Subject: bo, After: "everywhere", Icon: components.IconLeave}
	return AdminAuditView{
		Filter: AuditFilter{Actor: "ana", Actions: []components.OptionGroup{
			{Label: "Accounts", Options: []components.Option{{Value: "disable", Label: "Disabled", Selected: true}}},
		}},
		ClearURL: "/admin/audit", Chips: []components.Link{{Label: "Who did it: ana", URL: "/admin/audit?action=disable"}}, CSVURL: "/admin/audit?format=csv",
		Previous: "/admin/audit?before=x", Next: "/admin/audit?after=x", FirstURL: "/admin/audit?actor=ana",
		Days: []AuditDay{
			{Day: sampleTime, Rows: []AuditRow{
				{
					When: sampleTime, Actor: ana, Verb: "disabled", Subject: bo, Detail: "1 session ended. Reason: left the team.", Icon: components.IconBan, Tone: components.Bad,
					Kind: components.Link{Label: "Disabled user", URL: "/admin/audit?action=user-disable"}, IP: "203.0.113.7", Device: "Chrome on macOS", Session: "s1", Request: "7K2F-9Q",
				},
				signedOut, signedOut,
			}},
			{Day: sampleTime.AddDate(0, 0, -1), Rows: []AuditRow{
				{When: sampleTime, Actor: AuditPerson{Name: "Somebody"}, Verb: "could not sign in as", Subject: AuditPerson{Name: "chidi", Deleted: true}},
				{When: sampleTime, Actor: bo, Verb: "changed their profile", Detail: "name"},
			}},
		},
	}
}

func sampleDays() []SignInDay {
	var days []SignInDay
	failed := map[int]int{3: 4, 10: 4, 13: 7}
	for i, n := range []int{30, 42, 51, 48, 20, 18, 55, 61, 58, 64, 0, 0, 31, 91} {
		days = append(days, SignInDay{Day: time.Date(2026, 11, 9+i, 0, 0, 0, 0, time.UTC), SignedIn: n, Failed: failed[i]})
	}
	return days
}

func adminSamples() []sample {
	figures := []Figure{
		{Label: "Users", Count: 1204, URL: "/admin/users", Note: "12 new in 7 days, 3 invited", Days: []int{1, 2, 3}},
		{Label: "Failed today", URL: "/admin/audit", Note: "4 last Sunday (UTC)", Days: []int{0, 0}, Bad: true},
	}
	users := signedIn("Users", layouts.SectionUsers)
	audit := signedIn("Audit log", layouts.SectionAudit)

	none, past, alone := sampleUsers(), sampleUsers(), sampleUsers()
	none.Rows, none.Searched, past.Rows, past.PastEnd = nil, true, nil, true
	refused, found, bulk := sampleUsers(), sampleUsers(), sampleBulk(BulkDisable)
	refused.Errors, found.Searched, found.Previous = errorsOf(""), true, ""
	bulk.Errors = errorsOf("reason")
	alone.Rows, alone.OnlyYou = alone.Rows[:1], true

	disabled, own := sampleUser(), sampleUser()
	disabled.Sessions, disabled.Activity, disabled.DisabledSince, disabled.Admin = nil, nil, sampleTime, true
	disabled.NoResetLink = "Not now."
	own.Own, own.Tokens = true, sampleTokens()
	for i := range own.Tokens {
		own.Tokens[i].EndURL = ""
	}

	quiet, pastLog, wrongLog := AdminAuditView{ClearURL: "/admin/audit"}, sampleAudit(), sampleAudit()
	pastLog.Days, pastLog.PastEnd = nil, true
	wrongLog.Days, wrongLog.Errors = nil, errorsOf("actor", "subject", "action", "from", "to")

	return []sample{
		{"admin overview", AdminOverview(signedIn("Overview", layouts.SectionOverview), AdminOverviewView{
			Figures: figures, SignIns: sampleDays(),
			Attention: []AttentionItem{{Text: "You are the only admin.", Link: components.Link{Label: "See users", URL: "/admin/users"}}},
		})},
		{"admin overview empty", AdminOverview(signedIn("Overview", layouts.SectionOverview), AdminOverviewView{SignIns: []SignInDay{{Day: sampleTime}}})},
		{"admin users", AdminUsers(users, sampleUsers())},
		{"admin users none", AdminUsers(users, none)},
		{"admin users past end", AdminUsers(users, past)},
		{"admin users alone", AdminUsers(users, alone)},
		{"admin users refused", AdminUsers(users, refused)},
		{"admin users found", AdminUsers(users, found)},
		{"admin users disable", AdminBulk(users, sampleBulk(BulkDisable))},
		{"admin users disable errors", AdminBulk(users, bulk)},
		{"admin users sign-out", AdminBulk(users, sampleBulk(BulkSignOut))},
		{"admin user", AdminUser(users, sampleUser())},
		{"admin user disabled", AdminUser(users, disabled)},
		{"admin user own", AdminUser(users, own)},
		{"admin disable", AdminDisable(users, AdminDisableView{User: sampleTarget, Sessions: 4})},
		{"admin disable errors", AdminDisable(users, AdminDisableView{User: sampleTarget, Reason: "x", Errors: errorsOf("reason")})},
		{"admin sign-out", Confirm(users, SignOutUser(sampleTarget, 4, 2))},
		{"admin role", AdminRole(users, sampleTarget, "user", nil)},
		{"admin reset link", Confirm(users, CreateResetLink(sampleTarget))},
		{"admin delete", Confirm(users, DeleteUser(sampleTarget, "2 Dec 2026", "", nil))},
		{"admin delete errors", Confirm(users, DeleteUser(sampleTarget, "2 Dec 2026", "x", errorsOf("confirm")))},
		{"admin new user", AdminUserNew(users, AdminUserForm{CancelURL: "/admin/users"})},
		{"admin edit user", AdminUserEdit(users, AdminUserEditForm{User: sampleTarget, Username: "bo", Email: "bo@example.org", FullName: "Bo Chen", Seen: "s"})},
		{"admin edit user errors", AdminUserEdit(users, AdminUserEditForm{
			User: sampleTarget, Username: "bo", Email: "bo@example.org", Seen: "s", Now: &AdminUserNames{Username: "bo", Email: "b@example.org"},
			Errors: errorsOf("username", "email", "full_name"),
		})},
		{"admin new user errors", AdminUserNew(users, AdminUserForm{Role: "admin", CancelURL: "/admin/users", Errors: errorsOf("username", "email", "full_name")})},
		{"admin link", AdminLink(users, AdminLinkView{User: sampleTarget, Link: "https://id.example.org/reset?token=t", NewAccount: true})},
		{"admin settings", AdminSettings(signedIn("Settings", layouts.SectionSettings), AdminSettingsView{
			Groups: []SettingsGroup{
				{Title: "This request", Settings: []Setting{{Label: "Your address", Value: "203.0.113.7"}}},
				{Title: "Look", Settings: []Setting{{Label: "Name", Value: "Example", Variable: "LATCHKEY_BRAND_NAME"}}},
			},
			Problems: []AttentionItem{{Text: "The proxy is not trusted."}},
		})},
		{"admin audit", AdminAudit(audit, sampleAudit())},
		{"admin audit empty", AdminAudit(audit, quiet)},
		{"admin audit past end", AdminAudit(audit, pastLog)},
		{"admin audit errors", AdminAudit(audit, wrongLog)},
	}
}
