package main

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"time"
)

// listRow is how long a page of the user list takes as it is served.
type listRow struct {
	name, database string
	users, rows    int
	p50, p99       time.Duration
}

// listPage is a page of the list to be timed.
type listPage struct {
	kind  listKind
	name  string
	query url.Values
	rows  int
	taken []time.Duration
}

// listKind is a sort of page that has a target of its own.
type listKind int

const (
	plainList listKind = iota
	selectiveSearch
	broadSearch
	nameSearch
	listKinds
)

// target returns what the kind is called and how long its slowest page may
// take; 0 is no target.
func (k listKind) target() (string, time.Duration) {
	spec := [listKinds]struct {
		name  string
		limit time.Duration
	}{
		plainList:       {"list pages in every sort", 20 * time.Millisecond},
		selectiveSearch: {"selective searches", 20 * time.Millisecond},
		broadSearch:     {"broad searches", 50 * time.Millisecond},
		nameSearch:      {"a name that very many have", 0},
	}[k]
	return spec.name, spec.limit
}

const (
	// listTime bounds the measuring of all list pages of one database.
	listTime = 90 * time.Second
	// maxWalk bounds the pages on the way to one in the middle.
	maxWalk = 60
)

// userList times pages of the admin's list of users, one request after the
// other on one connection. Each page has its turn in every round.
func (b *bench) userList(ctx context.Context, empty database) error {
	db, err := b.bigDatabase(ctx, empty.name)
	if err != nil {
		return err
	}
	found, err := choose(ctx, db)
	if err != nil {
		return err
	}
	portal, _, err := b.startPortal(ctx, db.url)
	if err != nil {
		return err
	}
	defer portal.stop()
	admin, err := signIn(portal.addr, adminName)
	if err != nil {
		return err
	}
	c, err := dial(portal.addr)
	if err != nil {
		return err
	}
	defer c.close()
	l := list{client: c, host: portal.addr, cookies: admin.cookies()}
	pages, err := l.plan(found)
	if err != nil {
		return err
	}
	if err := l.measure(ctx, pages, b.samples); err != nil {
		return err
	}
	for kind := range listKinds {
		b.addList(db.name, kind, pages)
	}
	return nil
}

// addList reports the pages of one kind. The slowest decides over the target.
func (b *bench) addList(database string, kind listKind, pages []*listPage) {
	var slowest listRow
	for _, p := range pages {
		if p.kind != kind {
			continue
		}
		row := listRow{name: p.name, database: database, users: b.users, rows: p.rows, p50: percentile(p.taken, 50), p99: percentile(p.taken, 99)}
		b.report.lists = append(b.report.lists, row)
		if row.p50 > slowest.p50 {
			slowest = row
		}
	}
	if name, limit := kind.target(); limit > 0 {
		b.report.check(fmt.Sprintf("%s, %d users, %s", name, b.users, database), "median of the slowest: "+slowest.name,
			milliseconds(slowest.p50), "≤ "+milliseconds(limit), slowest.p50 <= limit)
	}
}

// list asks for pages of the list as the admin.
type list struct {
	*client
	host, cookies string
}

// plan names the pages. The ones in the middle are reached by
// links of other pages, as a person reaches them.
func (l *list) plan(found searches) ([]*listPage, error) {
	var pages []*listPage
	add := func(kind listKind, name string, query ...string) {
		pages = append(pages, &listPage{kind: kind, name: name, query: values(query...)})
	}
	for _, sort := range []string{"username", "email", "created", "last_sign_in"} {
		for _, sort := range []string{sort, "-" + sort} {
			middle, err := l.middle(sort, found.family)
			if err != nil {
				return nil, err
			}
			add(plainList, "first by "+sort, "sort", sort)
			add(plainList, "middle by "+sort, "sort", sort, "after", middle)
			add(broadSearch, "search `"+found.letter+"` by "+sort, "sort", sort, "q", found.letter)
		}
	}
	add(plainList, "disabled accounts", "status", "disabled")
	add(plainList, "admins", "role", "admin")
	add(selectiveSearch, "search `"+found.username+"`", "q", found.username)
	add(selectiveSearch, "search `"+found.family+"`", "q", found.family)
	add(selectiveSearch, "search `zzqxzz`, which nobody has", "q", "zzqxzz")
	add(nameSearch, "search `"+found.fullName+"`, a surname", "q", found.fullName)
	return pages, nil
}

// middle returns a cursor to the middle of an order: that of the people who a
// search finds all over the table.
func (l *list) middle(sort, search string) (string, error) {
	var cursors []string
	query := values("sort", sort, "q", search)
	for range maxWalk {
		if err := l.fetch(query); err != nil {
			return "", err
		}
		next := l.next()
		if next == "" {
			break
		}
		cursors = append(cursors, next)
		query.Set("after", next)
	}
	if len(cursors) == 0 {
		return "", fmt.Errorf("a search for %q finds less than two pages", search)
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
			if round >= 2 { // the first ones warm up
				p.taken = append(p.taken, time.Since(start))
			}
			p.rows = l.rows()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if round >= 2 && time.Now().After(end) {
			return nil
		}
	}
	return nil
}

// fetch asks for a page of the list.
func (l *list) fetch(query url.Values) error {
	if err := l.do(get(l.host, "/admin/users?"+query.Encode(), l.cookies)); err != nil {
		return err
	}
	if l.status != 200 || len(l.client.cookies) > 0 {
		return fmt.Errorf("GET /admin/users?%s: status %d", query.Encode(), l.status)
	}
	return nil
}

var (
	nextLink = regexp.MustCompile(`href="/admin/users\?([^"]*\bafter=[^"]*)"`)
	userLink = regexp.MustCompile(`href="/admin/users/([a-z2-7]{26})"`)
)

// next returns the cursor of the page after the last one fetched, "" if there
// is none.
func (l *list) next() string {
	match := nextLink.FindSubmatch(l.body)
	if match == nil {
		return ""
	}
	query, err := url.ParseQuery(html.UnescapeString(string(match[1])))
	if err != nil {
		return ""
	}
	return query.Get("after")
}

// rows returns how many users the page shows.
func (l *list) rows() int {
	seen := map[string]bool{}
	for _, match := range userLink.FindAllSubmatch(l.body, -1) {
		seen[string(match[1])] = true
	}
	return len(seen)
}

func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}
