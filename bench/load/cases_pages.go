package main

import (
	"context"
	"fmt"
	"slices"
)

// loginPage compares the page that everybody may see.
func (b *bench) loginPage(ctx context.Context, db database) error {
	return b.pages(ctx, db, "`GET /login`", 0, 0, func(host string, _ []session) work {
		request := get(host, "/login", "")
		return work{sample: request, visits: slices.Repeat([]visit{page(request)}, b.connections)}
	})
}

// passwordPage compares a signed-in page that needs the identity query alone.
func (b *bench) passwordPage(ctx context.Context, db database) error {
	return b.pages(ctx, db, "`GET /profile/password`", 0.25, 0.14, live("/profile/password"))
}

// profilePage compares the account's home, whose identity query reads the page as well.
func (b *bench) profilePage(ctx context.Context, db database) error {
	return b.pages(ctx, db, "`GET /profile`", 0.18, 0.10, live("/profile"))
}

// rotatingPage compares the same page when every request rotates its session.
func (b *bench) rotatingPage(ctx context.Context, db database) error {
	return b.pages(ctx, db, "`GET /profile`, rotating", 0.07, 0.03, func(host string, sessions []session) work {
		w := work{sample: get(host, "/profile", sessions[0].cookies())}
		for _, s := range sessions {
			w.visits = append(w.visits, rotating(host, "/profile", s.refresh))
		}
		return w
	})
}

// live visits a page with an access token that lives.
func live(path string) func(string, []session) work {
	return func(host string, sessions []session) work {
		w := work{sample: get(host, path, sessions[0].cookies())}
		for _, s := range sessions {
			w.visits = append(w.visits, page(get(host, path, s.cookies())))
		}
		return w
	}
}

// pages starts the portal, with env beside its usual settings, signs somebody up for each connection and compares.
func (b *bench) pages(ctx context.Context, db database, name string, sqliteTarget, postgresTarget float64,
	makeWork func(host string, sessions []session) work, env ...string,
) error {
	portal, _, err := b.startPortal(ctx, db.url, env...)
	if err != nil {
		return err
	}
	defer portal.stop()
	_, sessions, err := signUp(portal.addr, b.connections)
	if err != nil {
		return err
	}
	w := makeWork(portal.addr, sessions)
	w.name, w.target = name, sqliteTarget
	if db.name == postgresName {
		w.target = postgresTarget
	}
	if err := settle(portal.addr, w.sample, sessions); err != nil {
		return err
	}
	return b.add(ctx, db, portal, w)
}

// add compares, and reports what came out.
func (b *bench) add(ctx context.Context, db database, portal *server, w work) error {
	result, err := b.compare(ctx, db, portal, w)
	if err != nil {
		return err
	}
	used, err := portal.memory()
	if err != nil {
		return err
	}
	b.report.pages = append(b.report.pages, result)
	b.report.memory = append(b.report.memory, memoryRow{w.name + ", " + fmt.Sprint(b.connections) + " connections", db.name, used.resident, used.peak})
	if result.Target > 0 {
		b.report.check(w.name+" on "+db.name, "share of the floor", percent(result.Share), "≥ "+percent(result.Target), result.Share >= result.Target)
	}
	return nil
}

// settle visits once with every session: the first answer after signing up has
// a message, and the first use of a token writes.
func settle(addr string, sample []byte, sessions []session) error {
	c, err := dial(addr)
	if err != nil {
		return err
	}
	defer c.close()
	for _, s := range sessions {
		if err := c.do(get(addr, "/profile", s.cookies())); err != nil {
			return err
		}
		if c.status != 200 {
			return fmt.Errorf("GET /profile: status %d before measuring", c.status)
		}
	}
	return c.do(sample)
}
