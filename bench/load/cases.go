package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
)

const (
	sqliteName   = "SQLite"
	postgresName = "PostgreSQL"
)

// benchCase is one measurement.
type benchCase struct {
	name string
	run  func(b *bench, ctx context.Context, db database) error
	once bool // only on the first database, because it does not use one
}

// allCases are the cases in the order they run.
func allCases() []benchCase {
	return []benchCase{
		{"login-page", compared(work{name: "`GET /login`", path: "/login", prepare: (*browser).forget}), true},
		{"email-page", compared(work{name: "`GET /profile/email`", path: "/profile/email", sqlite: 0.20, postgres: 0.12}), false},
		{"profile", compared(work{name: "`GET /profile`", path: "/profile", sqlite: 0.14, postgres: 0.07}), false},
		{"rotation", compared(rotation()), false},
		{"forward-auth", compared(forwardAuth()), false},
		{"users-me", compared(work{name: "`GET /users/me`", path: "/users/me", prepare: (*browser).grant, sqlite: 0.20}), false},
		{"introspect", compared(introspection()), false},
		{"token-refresh", compared(refreshing()), false},
		{"login", (*bench).loginPost, false},
		{"busy", (*bench).pageWhileBusy, false},
		{"memory", (*bench).memoryOfLogins, false},
		{"startup", (*bench).startUp, false},
		{"bytes", (*bench).loginPageBytes, true},
		{"list", (*bench).userList, false},
	}
}

func caseNames() []string {
	var names []string
	for _, c := range allCases() {
		names = append(names, c.name)
	}
	return names
}

// cases runs every selected case on every kind of database, each on a new one.
func (b *bench) cases(ctx context.Context) error {
	for i, name := range b.databases {
		for _, c := range allCases() {
			if len(b.only) > 0 && !slices.Contains(b.only, c.name) || c.once && i > 0 {
				continue
			}
			say("%s on %s", c.name, name)
			db, drop, err := b.newDatabase(ctx, name)
			if err != nil {
				return err
			}
			err = c.run(b, ctx, db)
			drop()
			if err != nil {
				return fmt.Errorf("%s on %s: %w", c.name, name, err)
			}
		}
	}
	return nil
}

// rotation is the account page when every request rotates its session: each sends
// the refresh token of the previous response, and no access token.
func rotation() work {
	return work{
		name: "`GET /profile`, rotating", path: "/profile", sqlite: 0.06, postgres: 0.025,
		request: func(b *browser) url.Values { delete(b.cookies, "access"); return nil },
		check: func(b *browser, before string, a answer) error {
			if after := b.cookies["refresh"]; a.StatusCode != 200 || after == before || b.cookies["access"] == "" {
				return fmt.Errorf("status %d and no new pair of tokens: the session did not rotate", a.StatusCode)
			}
			return nil
		},
	}
}

// refreshing is POST /token with the refresh token of the previous response. Every
// request is a write.
func refreshing() work {
	return work{
		name: "`POST /token`, refreshing", path: "/token", prepare: (*browser).grant,
		request: func(b *browser) url.Values {
			return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {b.cookies["refresh"]}}
		},
		check: func(b *browser, before string, a answer) error {
			if err := b.keepGrant(a); err != nil || b.cookies["refresh"] == before {
				return fmt.Errorf("no new pair of tokens: %w", err)
			}
			return nil
		},
	}
}

// introspection is the request of a service that received a token. It sends a
// personal access token of an admin, so each request looks up two tokens.
func introspection() work {
	return work{
		name: "`POST /introspect`", path: "/introspect",
		prepare: func(b *browser) error {
			err := b.grant()
			b.header.Set("Authorization", "Bearer "+serviceToken)
			return err
		},
		request: func(b *browser) url.Values { return url.Values{"token": {b.cookies["access"]}} },
		check: func(_ *browser, _ string, a answer) error {
			var told struct{ Active bool }
			if err := json.Unmarshal(a.body, &told); err != nil || a.StatusCode != 200 || !told.Active {
				return fmt.Errorf("status %d, and the token is not active", a.StatusCode)
			}
			return nil
		},
	}
}

// forwardAuth is the request that a reverse proxy makes before every request to
// a protected app.
func forwardAuth() work {
	return work{
		name: "`GET /forward-auth`", path: "/forward-auth", sqlite: 0.20,
		prepare: func(b *browser) error {
			b.header.Set("X-Forwarded-Method", "GET")
			b.header.Set("X-Forwarded-Proto", "https")
			b.header.Set("X-Forwarded-Host", "app.example.org")
			b.header.Set("X-Forwarded-Uri", "/documents/2026/november?page=2")
			b.header.Set("X-Forwarded-For", "203.0.113.7")
			return nil
		},
		env: func(b *bench) ([]string, error) {
			rules := filepath.Join(b.dir, "forward-auth.toml")
			return []string{"LATCHKEY_FORWARD_AUTH_FILE=" + rules, "LATCHKEY_TRUSTED_PROXIES=127.0.0.1"},
				os.WriteFile(rules, []byte(forwardRules), 0o600)
		},
	}
}

// forwardRules are those of one app with a few rules.
const forwardRules = `[[origin]]
url = "https://app.example.org"
[[origin.rule]]
path = "/status"
allow = ["public"]
[[origin.rule]]
path = "/admin"
allow = ["admins"]
`

// forget signs b out by deleting its cookies.
func (b *browser) forget() error {
	clear(b.cookies)
	return nil
}

// grant opens a session of the API for the person of b, whose requests carry
// its access token from then on.
func (b *browser) grant() error {
	a, err := b.do("/token", url.Values{"username": {b.name}, "password": {password}})
	if err == nil {
		err = b.keepGrant(a)
	}
	for name := range b.header { // a program sends less than a browser
		if name != "Accept-Encoding" {
			b.header.Del(name)
		}
	}
	b.header.Set("User-Agent", "python-requests/2.32.5")
	b.header.Set("Authorization", "Bearer "+b.cookies["access"])
	b.program = true
	return err
}

// keepGrant keeps the tokens of a response to POST /token, as a browser keeps
// cookies.
func (b *browser) keepGrant(a answer) error {
	var tokens struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err := json.Unmarshal(a.body, &tokens); err != nil || a.StatusCode != 200 || tokens.Access == "" || tokens.Refresh == "" {
		return fmt.Errorf("POST /token: status %d and no tokens", a.StatusCode)
	}
	b.cookies["access"], b.cookies["refresh"] = tokens.Access, tokens.Refresh
	return nil
}
