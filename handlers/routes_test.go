package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/internal/auth"
	"latchkey/models"
	"latchkey/static"
)

// outcome is a status and, for 303, its target.
type outcome struct {
	status   int
	location string
}

func to(location string) outcome { return outcome{http.StatusSeeOther, location} }

func toLogin(next string) outcome { return to("/login?next=" + url.QueryEscape(next)) }

var (
	okay      = outcome{status: http.StatusOK}
	forbidden = outcome{status: http.StatusForbidden}
	refused   = outcome{status: http.StatusUnprocessableEntity}
	missing   = outcome{status: http.StatusNotFound}
	gone      = outcome{status: http.StatusGone}
	clash     = outcome{status: http.StatusConflict}
	malformed = outcome{status: http.StatusBadRequest}
	noJSON    = outcome{status: http.StatusUnsupportedMediaType}
)

// access is one row of the table: a route and the outcome for each kind of visitor.
// {id} stands for an account that only this row uses.
type access struct {
	method, route string
	path          string // with a query; "": the same as the route
	form          []string
	anonymous     outcome
	user          outcome
	admin         outcome
	disabled      *outcome // nil: as anonymous
}

// everyone returns the row of a route that is the same for all visitors.
func everyone(method, route string, all outcome) access {
	return access{method: method, route: route, anonymous: all, user: all, admin: all}
}

// members returns the row of a route for signed-in people.
func members(method, route string, in outcome, form ...string) access {
	page := strings.ReplaceAll(route, ":id", "{id}")
	for _, list := range []string{"/profile/sessions", "/profile/tokens"} {
		if method == http.MethodPost && strings.HasPrefix(route, list+"/") {
			page = list
		}
	}
	return access{method: method, route: route, form: form, anonymous: toLogin(page), user: in, admin: in}
}

// admins returns the row of a route for admins; page is the page of its form.
func admins(method, route, page string, in outcome, form ...string) access {
	return access{method: method, route: route, form: form, anonymous: toLogin(page), user: forbidden, admin: in}
}

// accessTable has every route. Each GET also stands for its HEAD.
func accessTable() []access {
	const get, post = http.MethodGet, http.MethodPost
	account := to("/admin/users/{id}")
	with := func(row access, change func(*access)) access { change(&row); return row }
	home := with(everyone(get, "/", to("/profile")), func(a *access) { a.anonymous = to("/login") })
	onlyOut := func(route string) access {
		return with(everyone(get, route, to("/profile")), func(a *access) { a.anonymous = okay })
	}
	act := func(name string, in outcome, form ...string) access {
		return admins(post, "/admin/users/:id/"+name, "/admin/users/{id}/"+name, in, form...)
	}
	plainAct := func(name string) access {
		return admins(post, "/admin/users/:id/"+name, "/admin/users/{id}", account)
	}
	question := func(name string) access {
		return admins(get, "/admin/users/:id/"+name, "/admin/users/{id}/"+name, okay)
	}
	page := func(route string) access {
		return admins(get, route, strings.ReplaceAll(route, ":id", "{id}"), okay)
	}
	// The API reads no cookies, so every browser is anonymous there. The table of
	// its tokens and scopes is in handlers/api.
	api := func(method, route string) access {
		return everyone(method, route, outcome{status: http.StatusUnauthorized})
	}
	// Only scripts call these: no answer is a page or a redirect.
	script := func(route string, in outcome) access {
		return access{method: post, route: route, anonymous: outcome{status: http.StatusUnauthorized}, user: in, admin: in}
	}
	return []access{
		everyone(post, "/login/passkey/options", okay), everyone(post, "/login/passkey", noJSON),
		script("/confirm/passkey/options", clash), script("/confirm/passkey", noJSON), // nobody has a passkey
		script("/profile/security/passkeys/options", okay), script("/profile/security/passkeys", noJSON),
		members(get, "/profile/security/passkeys/new", okay),
		members(get, "/profile/security/passkeys/:id", missing), members(post, "/profile/security/passkeys/:id", missing),
		members(get, "/profile/security/passkeys/:id/remove", missing), members(post, "/profile/security/passkeys/:id/remove", missing),
		everyone(get, "/.well-known/passkey-endpoints", okay),

		everyone(get, "/openapi.json", okay),
		everyone(post, "/token", refused), everyone(post, "/token/", refused), everyone(post, "/revoke", malformed),
		api(post, "/introspect"), api(post, "/refresh-token"), api(post, "/revoke-token"),
		api(get, "/refresh_token"), api(get, "/users/me"), api(http.MethodPatch, "/users/me"), api(get, "/users/me/"), api(http.MethodPatch, "/users/me/"),
		api(get, "/users"), api(get, "/users/:id"), api(http.MethodPatch, "/users/:id"),
		api(get, "/users/:id/sessions"), api(http.MethodDelete, "/users/:id/sessions"),

		everyone(get, "/healthz", okay), everyone(get, "/readyz", okay), everyone(get, "/favicon.ico", okay),
		with(everyone(get, "/static/*", okay), func(a *access) { a.path = static.URL("css/app.css") }),
		everyone(get, "/docs", okay),
		home, onlyOut("/signup"), onlyOut("/login"),
		everyone(post, "/signup", refused), everyone(post, "/login", refused),
		with(onlyOut("/login/code"), func(a *access) { a.anonymous = to("/login") }),
		with(onlyOut("/login/recovery"), func(a *access) { a.anonymous = to("/login") }), everyone(get, "/login/lost", okay),
		everyone(post, "/login/code", to("/login")), everyone(post, "/login/recovery", to("/login")),
		with(members(get, "/logout", okay), func(a *access) { a.anonymous = to("/login") }),
		everyone(post, "/logout", to("/login")),
		everyone(get, "/forward-auth", forbidden), // browsers are not trusted proxies
		everyone(get, "/continue", outcome{status: http.StatusBadRequest}),
		members(get, "/verify", to("/profile")), members(post, "/verify", to("/profile")),
		with(members(post, "/verify/send", to("/profile")), func(a *access) { a.anonymous = toLogin("/verify") }),
		members(get, "/verify/address", to("/profile/email")), members(post, "/verify/address", to("/profile/email")),
		everyone(get, "/forgot", okay), everyone(post, "/forgot", forbidden), everyone(get, "/forgot/sent", to("/forgot")), // without mail
		everyone(get, "/secure", gone), everyone(post, "/secure", clash),
		everyone(get, "/reset", gone), everyone(post, "/reset", clash),
		everyone(get, "/setup", gone), everyone(post, "/setup", clash),
		with(everyone(post, "/theme", to("/")), func(a *access) { a.form = []string{"theme", "dark"} }),
		everyone(get, "/.well-known/change-password", to("/profile/password")),
		everyone(get, "/.well-known/oauth-authorization-server", okay),

		members(get, "/confirm", okay), members(post, "/confirm", refused),
		members(get, "/profile", okay), members(post, "/profile", refused, "username", ""),
		with(members(post, "/profile/later", to("/profile")), func(a *access) { a.anonymous = toLogin("/profile") }),
		members(get, "/profile/theme", okay),
		members(get, "/profile/name", okay), members(post, "/profile/name", refused, "full_name", "\x1b"),
		members(get, "/profile/username", okay), members(post, "/profile/username", refused, "username", ""),
		members(get, "/profile/password", okay), members(post, "/profile/password", refused),
		members(get, "/profile/email", okay), members(post, "/profile/email", refused),
		members(get, "/profile/activity", okay),
		members(get, "/profile/activity/replay/:id", missing), members(post, "/profile/activity/replay/:id", missing),
		with(members(post, "/profile/email/cancel", to("/profile/email")), func(a *access) { a.anonymous = toLogin("/profile/email") }),
		members(get, "/profile/export", okay), members(post, "/profile/export", okay),
		members(get, "/profile/delete", okay), members(post, "/profile/delete", refused),
		members(get, "/profile/security", okay),
		members(get, "/profile/security/app", okay), members(post, "/profile/security/app", refused),
		members(get, "/profile/security/app/off", to("/profile/security")), members(post, "/profile/security/app/off", to("/profile/security")),
		members(get, "/profile/security/codes", to("/profile/security")), members(post, "/profile/security/codes", to("/profile/security")),
		members(get, "/profile/security/codes.txt", to("/profile/security")),
		with(members(post, "/profile/security/codes/saved", to("/profile/security")), func(a *access) { a.anonymous = toLogin("/profile/security/codes") }),
		with(members(post, "/profile/security/devices/:id/forget", to("/profile/security")), func(a *access) { a.anonymous = toLogin("/profile/security") }),
		members(get, "/profile/sessions", okay),
		members(post, "/profile/sessions/:id/end", missing),
		with(members(post, "/profile/devices/:id/forget", to("/profile/sessions")), func(a *access) { a.anonymous = toLogin("/profile/sessions") }),
		members(get, "/profile/sessions/end-others", to("/profile/sessions")),
		members(post, "/profile/sessions/end-others", to("/profile/sessions")),
		members(get, "/profile/tokens", okay), members(post, "/profile/tokens", refused),
		members(get, "/profile/tokens/:id", missing),
		members(get, "/profile/tokens/:id/end", missing), members(post, "/profile/tokens/:id/end", missing),

		page("/admin"), page("/admin/users"), page("/admin/users.csv"), page("/admin/users/new"), page("/admin/users/:id"),
		page("/admin/audit"), page("/admin/audit.csv"), page("/admin/settings"), page("/admin/mail"),
		page("/admin/invitations"), page("/admin/invitations/new"), admins(post, "/admin/invitations/new", "/admin/invitations/new", refused, "uses", "0"),
		admins(post, "/admin/users/:id/restore", "/admin/users/{id}", account), // it is not deleted
		admins(get, "/admin/invitations/:id/link", "/admin/invitations/{id}/link", missing),
		admins(get, "/admin/invitations/:id/withdraw", "/admin/invitations/{id}/withdraw", missing),
		admins(post, "/admin/invitations/:id/withdraw", "/admin/invitations/{id}/withdraw", missing),
		admins(post, "/admin/mail/test", "/admin/mail", refused),
		admins(get, "/admin/mail/:id", "/admin/mail/{id}", missing),
		admins(post, "/admin/mail/:id/again", "/admin/mail/{id}", missing),
		admins(post, "/admin/users/new", "/admin/users/new", refused),
		admins(get, "/admin/users/bulk", "/admin/users/bulk", to("/admin/users")),
		admins(post, "/admin/users/bulk", "/admin/users/bulk", refused),
		question("disable"), act("disable", account, "reason", "left the team"),
		plainAct("enable"), plainAct("unlock"), plainAct("verify"),
		question("sign-out"), act("sign-out", account),
		question("edit"), act("edit", account, "full_name", "Ana Silva"),
		question("role"), act("role", account, "role", "admin"),
		question("reset-link"), act("reset-link", to("/admin/users/{id}/link")),
		admins(get, "/admin/users/:id/link", "/admin/users/{id}/link", account),                             // no link was created before
		with(question("reset-two-step"), func(a *access) { a.admin = clash }), act("reset-two-step", clash), // it has no second step
		question("delete"), act("delete", to("/admin/users"), "confirm", "{email}"),
		admins(post, "/admin/users/:id/sessions/:session/end", "/admin/users/{id}", missing),
		admins(get, "/admin/users/:id/tokens/:token/end", "/admin/users/{id}/tokens/:token/end", missing),
		admins(post, "/admin/users/:id/tokens/:token/end", "/admin/users/{id}/tokens/unknown/end", missing),
	}
}

// TestAccess checks every route for every kind of visitor. It fails for a route
// without a row and for a row without a route.
func TestAccess(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		rows := map[string]bool{}
		for i, row := range accessTable() {
			rows[row.method+" "+row.route] = true
			methods := []string{row.method}
			if row.method == http.MethodGet {
				rows["HEAD "+row.route] = true
				methods = append(methods, http.MethodHead)
			}
			for _, method := range methods {
				t.Run(method+" "+row.route, func(t *testing.T) { checkAccess(t, s.in(t), row, method, fmt.Sprintf("%d%s", i, method)) })
			}
		}
		routes := map[string]bool{}
		for _, route := range s.Echo.Routes() {
			routes[route.Method+" "+route.Path] = true
			if !rows[route.Method+" "+route.Path] {
				t.Errorf("the table has no row for %s %s", route.Method, route.Path)
			}
		}
		for row := range rows {
			if !routes[row] {
				t.Errorf("there is no route %s", row)
			}
		}
	})
}

// checkAccess checks one row as every kind of visitor, each with its own account.
func checkAccess(t *testing.T, s *site, row access, method, mark string) {
	disabledWants := row.anonymous
	if row.disabled != nil {
		disabledWants = *row.disabled
	}
	for _, visitor := range []struct {
		name string
		want outcome
	}{
		{"anonymous", row.anonymous}, {"user", row.user}, {"admin", row.admin}, {"disabled", disabledWants},
	} {
		name := strings.ToLower(strings.NewReplacer("/", "", "*", "").Replace(visitor.name + mark))
		target := s.Person("target-"+name, models.RoleUser)
		b := s.browser()
		switch visitor.name {
		case "user":
			b, _ = s.signedIn(name, models.RoleUser)
		case "admin":
			b, _ = s.signedIn(name, models.RoleAdmin)
		case "disabled":
			b = s.disabledBrowser(name)
		}
		fill := strings.NewReplacer("{id}", target.ID, "{email}", target.Email)
		path := row.path
		if path == "" {
			path = strings.ReplaceAll(row.route, ":id", target.ID)
		}
		form := url.Values{}
		for i := 0; i+1 < len(row.form); i += 2 {
			form.Set(row.form[i], fill.Replace(row.form[i+1]))
		}
		got := b.do(b.request(method, path, form.Encode()))
		// The id in a link back comes from the path, where it may be escaped.
		want := outcome{visitor.want.status, fill.Replace(strings.ReplaceAll(visitor.want.location, "%7Bid%7D", "{id}"))}
		if now := (outcome{got.code, got.header.Get("Location")}); now != want {
			t.Errorf("%s: got %v, want %v", visitor.name, now, want)
		}
	}
}

// disabledBrowser returns a browser that is signed in as an admin whose account was
// then disabled.
func (s *site) disabledBrowser(name string) *browser {
	s.T.Helper()
	b, user := s.signedIn(name, models.RoleAdmin)
	if _, _, err := s.Accounts.Disable(s.T.Context(), auth.Shell(), user.ID, ""); err != nil {
		s.T.Fatal(err)
	}
	return b
}
