package main

import (
	"context"
	"fmt"
	"html"
	"net/http/httputil"
	"regexp"
	"slices"
	"time"
)

const starts = 10

// startUp starts the portal again and again on an existing database.
func (b *bench) startUp(ctx context.Context, db database) error {
	var taken []time.Duration
	for range 1 + starts {
		portal, took, err := b.startPortal(ctx, db)
		if err != nil {
			return err
		}
		portal.stop()
		taken = append(taken, took)
	}
	taken = taken[1:] // the first start created the database
	median := percentile(taken, 50)
	b.report.add("Start", "database | median | min | max", db.name, median, slices.Min(taken), slices.Max(taken))
	if db.name == sqliteName {
		check(&b.report, "start on an existing SQLite file", "ready after exec, median of 10", median, most, 200*time.Millisecond)
	}
	return nil
}

// asset matches the files that the page makes a browser fetch.
var asset = regexp.MustCompile(`(?:href|src)="(/(?:static/|favicon)[^"]+)"`)

// loginPageBytes fetches the login page and all files that it links to, as a browser
// without a cache does, and counts every byte that the server sends.
func (b *bench) loginPageBytes(ctx context.Context, db database) error {
	return b.withPortal(ctx, db, 0, func(portal *server, _ []*browser) error {
		visitor := newBrowser(portal.addr)
		paths, total := []string{"/login"}, 0
		for i := 0; i < len(paths); i++ {
			a, err := visitor.do(paths[i], nil)
			if err != nil || a.StatusCode != 200 {
				return fmt.Errorf("GET %s: %+v, %w", paths[i], a, err)
			}
			for _, match := range asset.FindAllSubmatch(a.body, -1) {
				if path := html.UnescapeString(string(match[1])); i == 0 && !slices.Contains(paths, path) {
					paths = append(paths, path)
				}
			}
			header, err := httputil.DumpResponse(a.Response, false)
			if err != nil {
				return err
			}
			b.report.add("Bytes of the login page", "path | header | body", "`"+paths[i]+"`", len(header), len(a.body))
			total += len(header) + len(a.body)
		}
		check(&b.report, "login page with all assets", "bytes over the wire, headers included", total, most, 15_000)
		return nil
	})
}
