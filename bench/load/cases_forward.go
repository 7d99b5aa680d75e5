package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// forwardAuth compares what a reverse proxy asks before every request of a
// protected app, by a person with a live access token.
func (b *bench) forwardAuth(ctx context.Context, db database) error {
	rules := filepath.Join(b.dir, "forward-auth.toml")
	if err := os.WriteFile(rules, []byte(forwardRules), 0o600); err != nil {
		return err
	}
	env := []string{"LATCHKEY_FORWARD_AUTH_FILE=" + rules, "LATCHKEY_TRUSTED_PROXIES=127.0.0.1"}
	return b.pages(ctx, db, "`GET /forward-auth`", 0.28, 0, func(host string, sessions []session) work {
		ask := func(s session) []byte {
			return []byte(strings.TrimSuffix(string(get(host, "/forward-auth", s.cookies())), "\r\n") + forwarded + "\r\n")
		}
		w := work{sample: ask(sessions[0])}
		for _, s := range sessions {
			w.visits = append(w.visits, page(ask(s)))
		}
		return w
	}, env...)
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

// forwarded is what a proxy says of the original request.
const forwarded = "X-Forwarded-Method: GET\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: app.example.org\r\n" +
	"X-Forwarded-Uri: /documents/2026/november?page=2\r\nX-Forwarded-For: 203.0.113.7\r\n"
