package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"

	"latchkey/models"
)

// usersMe compares what a program asks with a live access token: the check of
// the token and the one identity query.
func (b *bench) usersMe(ctx context.Context, db database) error {
	return b.programs(ctx, db, "`GET /users/me`", 0.25, func(host string, grants []grant) (work, error) {
		ask := func(g grant) []byte { return call("GET", host, "/users/me", g.access, nil) }
		w := work{sample: ask(grants[0])}
		for _, g := range grants {
			w.visits = append(w.visits, page(ask(g)))
		}
		return w, nil
	})
}

// introspect compares what a service asks about the tokens that it is sent. It
// shows a personal access token of an admin: two tokens are looked up for each
// request.
func (b *bench) introspect(ctx context.Context, db database) error {
	if err := firstAdmin(ctx, db.url); err != nil {
		return err
	}
	return b.programs(ctx, db, "`POST /introspect`", 0, func(host string, grants []grant) (work, error) {
		service, err := personalToken(host, adminName, "introspect")
		if err != nil {
			return work{}, err
		}
		ask := func(g grant) []byte {
			return call("POST", host, "/introspect", service, url.Values{"token": {g.access}})
		}
		w := work{sample: ask(grants[0])}
		for _, g := range grants {
			w.visits = append(w.visits, active(ask(g)))
		}
		return w, nil
	})
}

// tokenRefresh compares POST /token with a refresh token: every request is a
// write, as in rotatingPage. The floor gets one of the same requests.
func (b *bench) tokenRefresh(ctx context.Context, db database) error {
	return b.programs(ctx, db, "`POST /token`, refreshing", 0, func(host string, grants []grant) (work, error) {
		w := work{sample: refreshCall(host, grants[0].refresh)}
		for _, g := range grants {
			w.visits = append(w.visits, refreshing(host, g.refresh))
		}
		return w, nil
	})
}

// programs starts the portal, opens a session of the API for each connection,
// each of a person of its own, and compares. A target is one on SQLite alone.
func (b *bench) programs(ctx context.Context, db database, name string, target float64,
	makeWork func(host string, grants []grant) (work, error),
) error {
	portal, _, err := b.startPortal(ctx, db.url)
	if err != nil {
		return err
	}
	defer portal.stop()
	names, _, err := signUp(portal.addr, b.connections)
	if err != nil {
		return err
	}
	var grants []grant
	for _, name := range names {
		g, err := passwordGrant(portal.addr, name)
		if err != nil {
			return err
		}
		grants = append(grants, g)
	}
	w, err := makeWork(portal.addr, grants)
	if err != nil {
		return err
	}
	w.name = name
	if db.name == sqliteName {
		w.target = target
	}
	return b.add(ctx, db, portal, w)
}

// active asks what a token is worth again and again. The answer must be that
// it works.
func active(request []byte) visit {
	return func(c *client) error {
		if err := c.do(request); err != nil {
			return err
		}
		if c.status != 200 || !bytes.HasPrefix(c.body, []byte(`{"active":true,`)) {
			return fmt.Errorf("%s: status %d, and the token is not active", firstLine(request), c.status)
		}
		return nil
	}
}

// refreshing asks for new tokens, each time with the refresh token of the
// answer before.
func refreshing(host, refresh string) visit {
	return func(c *client) error {
		if err := c.do(refreshCall(host, refresh)); err != nil {
			return err
		}
		next := grantOf(c)
		if c.status != 200 || next.access == "" || next.refresh == "" || next.refresh == refresh {
			return fmt.Errorf("POST /token: status %d and no new pair of tokens: the session did not rotate", c.status)
		}
		refresh = next.refresh
		return nil
	}
}

func refreshCall(host, refresh string) []byte {
	return call("POST", host, "/token", "", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
}

// program is the header that a script sends with every request; the floor gets
// the same.
const program = "User-Agent: python-requests/2.32.5\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\n"

// call returns a request of a program: with a bearer token unless it is "",
// and with a form if there is one.
func call(method, host, path, bearer string, form url.Values) []byte {
	b := []byte(method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + program)
	if bearer != "" {
		b = append(b, "Authorization: Bearer "+bearer+"\r\n"...)
	}
	body := form.Encode()
	if body != "" {
		b = append(b, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n"...)
	}
	return append(append(b, "\r\n"...), body...)
}

// grant are the tokens of a program.
type grant struct{ access, refresh string }

// passwordGrant opens a session of the API for a person, with the bench's
// password.
func passwordGrant(addr, name string) (grant, error) {
	c, err := dial(addr)
	if err != nil {
		return grant{}, err
	}
	defer c.close()
	if err := c.do(call("POST", addr, "/token", "", url.Values{"username": {name}, "password": {password}})); err != nil {
		return grant{}, err
	}
	g := grantOf(c)
	if c.status != 200 || g.access == "" || g.refresh == "" {
		return grant{}, fmt.Errorf("POST /token: status %d and no tokens", c.status)
	}
	return g, nil
}

// grantOf reads the tokens in the answer of POST /token. Nothing in them is
// ever escaped, so that a search is enough.
func grantOf(c *client) grant {
	return grant{access: textMember(c.body, "access_token"), refresh: textMember(c.body, "refresh_token")}
}

func textMember(object []byte, name string) string {
	_, rest, _ := bytes.Cut(object, []byte(`"`+name+`":"`))
	value, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(value)
}

// firstAdmin migrates an empty database and adds the admin.
func firstAdmin(ctx context.Context, databaseURL string) error {
	store, err := models.Open(ctx, models.Options{URL: databaseURL})
	if err != nil {
		return err
	}
	if err = store.Migrate(ctx); err == nil {
		err = addAdmin(ctx, store)
	}
	return errors.Join(err, store.Close())
}

var personalSecret = regexp.MustCompile(`\blk_[a-z2-7]{52}\b`)

// personalToken makes a personal access token with one scope on the page for
// it, which leads to where it is shown once.
func personalToken(addr, name, scope string) (string, error) {
	s, err := signIn(addr, name)
	if err != nil {
		return "", err
	}
	c, err := dial(addr)
	if err != nil {
		return "", err
	}
	defer c.close()
	form := url.Values{"name": {"bench"}, "scope." + scope: {"on"}, "days": {"1"}, "current_password": {password}}
	if err := c.do(post(addr, "/profile/tokens", s.cookies(), form.Encode())); err != nil {
		return "", err
	}
	if c.status != 303 {
		return "", fmt.Errorf("POST /profile/tokens: status %d, want 303", c.status)
	}
	place := string(c.place)
	if err := c.do(get(addr, place, s.cookies()+"; once="+c.cookie("once"))); err != nil {
		return "", err
	}
	secret := personalSecret.Find(c.body)
	if c.status != 200 || secret == nil {
		return "", fmt.Errorf("GET %s: status %d and no personal access token", place, c.status)
	}
	return string(secret), nil
}
