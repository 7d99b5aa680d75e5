package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// listTime bounds the measuring of all list pages of one database.
const listTime = 90 * time.Second

// listKind has a target for its slowest page.
type listKind struct {
	name    string
	limit   time.Duration
	slowest time.Duration
	page    string // the slowest page
}

// listPage is a page of the list to be timed.
type listPage struct {
	kind  *listKind
	name  string
	query url.Values
	rows  int
	taken []time.Duration
}

// list requests pages of the list of users as the admin.
type list struct {
	*browser
	body []byte // of the last page
}

// userList times pages of the admin's list of users, one request after the
// other on one connection. Every round requests each page once.
func (b *bench) userList(ctx context.Context, db database) error {
	if err := b.fill(ctx, db); err != nil {
		return err
	}
	return b.withPortal(ctx, db, 0, func(portal *server, _ []*browser) error {
		l := list{browser: newBrowser(portal.addr)}
		if err := l.signIn(adminName); err != nil {
			return err
		}
		plain := &listKind{name: "list pages in every sort", limit: 60 * time.Millisecond}
		selective := &listKind{name: "selective searches", limit: 60 * time.Millisecond}
		broad := &listKind{name: "broad searches", limit: 200 * time.Millisecond}
		pages, err := l.plan(plain, selective, broad)
		if err != nil {
			return err
		}
		if err := l.measure(ctx, pages, b.samples); err != nil {
			return err
		}
		for _, p := range pages {
			median := percentile(p.taken, 50)
			b.report.add("User list", "page | database | users | rows | median | p99", p.name, db.name, b.users, p.rows, median, percentile(p.taken, 99))
			if median > p.kind.slowest {
				p.kind.slowest, p.kind.page = median, p.name
			}
		}
		for _, k := range []*listKind{plain, selective, broad} {
			check(&b.report, fmt.Sprintf("%s, %d users, %s", k.name, b.users, db.name), "median of the slowest: "+k.page, k.slowest, most, k.limit)
		}
		return nil
	})
}

// plan lists the pages. It reaches pages in the middle through the links of other
// pages, as a person does.
func (l *list) plan(plain, selective, broad *listKind) ([]*listPage, error) {
	var pages []*listPage
	add := func(kind *listKind, name, query string, more ...string) {
		q, _ := url.ParseQuery(query)
		for i := 0; i < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		pages = append(pages, &listPage{kind: kind, name: name, query: q})
	}
	for _, sort := range strings.Fields("username -username email -email created -created last_sign_in -last_sign_in") {
		middle, err := l.middle(sort)
		if err != nil {
			return nil, err
		}
		add(plain, "first by "+sort, "", "sort", sort)
		add(plain, "middle by "+sort, "", "sort", sort, "after", middle)
		add(broad, "search `j` by "+sort, "q=j", "sort", sort)
	}
	add(plain, "disabled accounts", "status=disabled")
	add(plain, "active accounts", "status=active")
	add(plain, "invited accounts", "status=invited")
	add(plain, "admins", "role=admin")
	add(selective, "search `joao.carter253022`", "q=joao.carter253022")
	add(selective, "search `joao.ca`", "q=joao.ca")
	add(selective, "search `zzqxzz`, which nobody has", "q=zzqxzz")
	add(broad, "search `Carter`, a surname", "q=Carter")
	return pages, nil
}

// middle returns a cursor to the middle of an order, among people whom a search finds
// throughout the table.
func (l *list) middle(sort string) (string, error) {
	var cursors []string
	query := url.Values{"sort": {sort}, "q": {"joao."}}
	for range 60 {
		if err := l.fetch(query); err != nil {
			return "", err
		}
		next := nextLink.FindSubmatch(l.body)
		if next == nil {
			break
		}
		after, err := url.ParseQuery(html.UnescapeString(string(next[1])))
		if err != nil {
			return "", err
		}
		cursors = append(cursors, after.Get("after"))
		query.Set("after", after.Get("after"))
	}
	if len(cursors) == 0 {
		return "", errors.New("a search for joao. finds less than two pages")
	}
	return cursors[len(cursors)/2], nil
}

// measure times every page n times.
func (l *list) measure(ctx context.Context, pages []*listPage, n int) error {
	end := time.Now().Add(listTime)
	for round := range n + 2 {
		for _, p := range pages {
			start := time.Now()
			if err := l.fetch(p.query); err != nil {
				return err
			}
			if round >= 2 { // the first rounds warm up
				p.taken = append(p.taken, time.Since(start))
			}
			p.rows = max(0, bytes.Count(l.body, []byte("<tr"))-1) // the first is the header
		}
		if ctx.Err() != nil || round >= 2 && time.Now().After(end) {
			break
		}
	}
	return ctx.Err()
}

// fetch requests a page of the list.
func (l *list) fetch(query url.Values) error {
	a, err := l.do("/admin/users?"+query.Encode(), nil)
	if err == nil && a.StatusCode != 200 {
		err = fmt.Errorf("GET /admin/users?%s: status %d", query.Encode(), a.StatusCode)
	}
	l.body = a.body
	return err
}

// nextLink matches the link to the next page.
var nextLink = regexp.MustCompile(`href="/admin/users\?([^"]*\bafter=[^"]*)"`)
