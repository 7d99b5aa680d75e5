package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/internal/testdb"
	"latchkey/internal/token"
)

// replicas starts two servers of one portal on one PostgreSQL database.
func replicas(t *testing.T, more ...string) (environment, [2]*server) {
	t.Helper()
	e := newEnvironment(t, testdb.PostgresURL(t), more...)
	e = e.with("LATCHKEY_PUBLIC_URL=http://" + e.get("LATCHKEY_ADDR"))
	other := e.with(fmt.Sprintf("LATCHKEY_ADDR=localhost:%d", freePort(t)))
	pair := [2]*server{launch(t, e), launch(t, other)}
	for _, s := range pair {
		s.waitReady(http.StatusOK)
	}
	return e, pair
}

// TestTwoStart starts two servers at once on a database without a schema: they
// migrate it once, and both serve.
func TestTwoStart(t *testing.T) {
	e, pair := replicas(t)
	o := command(t, e, "", "migrate", "status").exits(exitDone)
	if strings.Contains(o.stdout, "pending") || strings.Count(o.stdout, "applied") < 1 {
		t.Errorf("got migrations\n%s", o.stdout)
	}
	for i, s := range pair {
		newBrowser(t, pair[0].addr).signUp(s, fmt.Sprintf("person%d", i))
		// Each prints its own link.
		if setupLink.FindString(s.out.String()) == "" {
			t.Errorf("server %d prints no setup link:\n%s", i, s.out)
		}
	}
	// All links end when there is an admin.
	command(t, e, secretWord, "admin", "create", "--username=bo", "--email=bo@example.org", "--password-stdin").exits(exitDone)
	for _, s := range pair {
		found := setupLink.FindStringSubmatch(s.out.String())
		newBrowser(t, pair[0].addr).get(s, found[1], http.StatusGone)
	}
}

// expiredAccess returns the browser's access token as if it had been issued two hours
// ago: everything except its times is right.
func (b *browser) expiredAccess(e environment) string {
	b.t.Helper()
	secret, err := hex.DecodeString(e.get("LATCHKEY_SECRET"))
	if err != nil {
		b.t.Fatal(err)
	}
	key, err := token.DeriveKey(secret, "latchkey/web-access/v1")
	if err != nil {
		b.t.Fatal(err)
	}
	claims := claimsOf(b.t, b.cookies["access"])
	past := time.Now().Add(-2 * time.Hour).Unix()
	claims["iat"], claims["nbf"], claims["exp"] = past, past, past+300
	payload, err := json.Marshal(claims)
	if err != nil {
		b.t.Fatal(err)
	}
	header, _, _ := strings.Cut(b.cookies["access"], ".")
	signed := header + "." + base64.RawURLEncoding.EncodeToString(payload)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// claimsOf reads the claims of a token.
func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no token", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// TestParallelRefresh sends requests from twenty tabs at once, fifty times, with one
// expired access token. Each time the session has one successor, and every tab is
// signed in.
func TestParallelRefresh(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		e := newEnvironment(t, testdb.SQLiteURL(t))
		s := start(t, e)
		wakeTabs(t, e, [2]*server{s, s})
	})
	t.Run("two servers on postgres", func(t *testing.T) {
		e, pair := replicas(t)
		wakeTabs(t, e, pair)
	})
}

func wakeTabs(t *testing.T, e environment, pair [2]*server) {
	t.Helper()
	b := newBrowser(t, pair[0].addr)
	b.signUp(pair[0], "ana")
	b.cookies["access"] = b.expiredAccess(e)
	for round := range 50 {
		replies := b.sendAtOnce(pair, 20)
		successors := map[string]int{}
		for i, r := range replies {
			if r == nil || r.code != http.StatusOK {
				t.Fatalf("round %d, tab %d: got %+v, want 200", round, i, r)
			}
			successors[r.cookies["refresh"]]++
		}
		if len(successors) != 1 || successors[""] > 0 || successors[b.cookies["refresh"]] > 0 {
			t.Fatalf("round %d: got %d successors of one refresh token, want 1: %v", round, len(successors), successors)
		}
		b.cookies["refresh"] = replies[0].cookies["refresh"]
	}
	b.keep(b.sendAtOnce(pair, 1)[0])
	b.get(pair[0], "/profile", 200)
	b.get(pair[1], "/profile", 200)
	o := command(t, e, "", "user", "show", "ana").exits(exitDone)
	if got := strings.Count(o.stdout, "Session "); got != 1 {
		t.Errorf("got %d sessions, want 1:\n%s", got, o.stdout)
	}
}

// sendAtOnce requests a page n times at the same moment, from both servers in turn and
// with the same cookies. A request without a response has no reply.
func (b *browser) sendAtOnce(pair [2]*server, n int) []*reply {
	b.t.Helper()
	replies := make([]*reply, n)
	begin := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-begin
			r, err := b.send(pair[i%2], http.MethodGet, "/profile/password", nil)
			if err != nil {
				b.t.Error(err)
			}
			replies[i] = r
		})
	}
	close(begin)
	group.Wait()
	return replies
}

// TestRefusedEverywhere checks that cookies of sessions that one process ends are
// refused by the others at the next request.
func TestRefusedEverywhere(t *testing.T) {
	e, pair := replicas(t)
	host := pair[0].addr
	for _, test := range []struct {
		name string
		end  func(t *testing.T, name string, b *browser)
	}{
		{"user disable", func(t *testing.T, name string, _ *browser) {
			command(t, e, "", "user", "disable", name).exits(exitDone).prints("Sessions ended: 1.")
		}},
		{"user sign-out", func(t *testing.T, name string, _ *browser) {
			command(t, e, "", "user", "sign-out", name).exits(exitDone)
		}},
		{"logout", func(_ *testing.T, _ string, b *browser) { b.clone().do(pair[0], http.MethodPost, "/logout", 303) }},
		{"password change", func(_ *testing.T, _ string, b *browser) {
			b.clone().do(pair[1], http.MethodPost, "/profile/password", 303, "current_password", secretWord, "new_password", "copper meadow 17 whistles")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := "by-" + strings.ReplaceAll(test.name, " ", "-")
			b := newBrowser(t, host)
			b.signUp(pair[0], name)
			b.get(pair[1], "/profile", 200)
			onlyAccess, onlyRefresh := b.clone(), b.clone()
			delete(onlyAccess.cookies, "refresh")
			delete(onlyRefresh.cookies, "access")
			test.end(t, name, b)
			for _, s := range pair {
				b.clone().get(s, "/profile", 303)
				onlyAccess.clone().get(s, "/profile", 303)
				onlyRefresh.clone().get(s, "/profile", 303)
			}
		})
	}
	t.Run("promote and demote", func(t *testing.T) {
		b := newBrowser(t, host)
		b.signUp(pair[0], "climber")
		command(t, e, "", "user", "create", "--username=second", "--email=second@example.org", "--role=admin").exits(exitDone)
		for _, s := range pair {
			b.get(s, "/admin", 403)
			command(t, e, "", "user", "promote", "climber").exits(exitDone)
			b.get(s, "/admin", 200)
			command(t, e, "", "user", "demote", "climber").exits(exitDone)
			b.get(s, "/admin", 403)
		}
	})
}

// TestDisableRaces disables an account while its tabs refresh and devices sign
// in, over two servers: afterwards all its tokens are refused.
func TestDisableRaces(t *testing.T) {
	e, pair := replicas(t, "LATCHKEY_LIMITS=off")
	b := newBrowser(t, pair[0].addr)
	b.signUp(pair[0], "ana")
	delete(b.cookies, "access")
	var group sync.WaitGroup
	var mu sync.Mutex
	given := []*browser{b.clone()}
	for i := range 20 {
		group.Go(func() {
			twin := b.clone()
			path, method, form := "/profile", http.MethodGet, map[string][]string(nil)
			if i%2 == 1 {
				twin.cookies = map[string]string{}
				path, method, form = "/login", http.MethodPost, map[string][]string{"username": {"ana"}, "password": {secretWord}}
			}
			r, err := twin.send(pair[i/2%2], method, path, form)
			if err != nil {
				t.Error(err)
				return
			}
			if r.code >= 500 && r.code != http.StatusServiceUnavailable {
				t.Errorf("%s: got status %d\n%s", path, r.code, r.body)
			}
			twin.keep(r)
			mu.Lock()
			defer mu.Unlock()
			given = append(given, twin)
		})
	}
	command(t, e, "", "user", "disable", "ana").exits(exitDone)
	group.Wait()
	for _, twin := range given {
		for _, s := range pair {
			twin.clone().get(s, "/profile", 303)
		}
	}
	command(t, e, "", "user", "show", "ana").exits(exitDone).hides("Session ")
}
