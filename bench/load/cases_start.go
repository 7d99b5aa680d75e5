package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

const starts = 10

// startRow is how long the portal takes from exec to its first 200 of /readyz.
type startRow struct {
	database         string
	median, min, max time.Duration
}

// startUp starts the portal again and again on an existing database.
func (b *bench) startUp(ctx context.Context, db database) error {
	if _, err := b.fill(ctx, db); err != nil {
		return err
	}
	var taken []time.Duration
	for range starts {
		portal, took, err := b.startPortal(ctx, db.url)
		if err != nil {
			return err
		}
		portal.stop()
		taken = append(taken, took)
	}
	row := startRow{db.name, percentile(taken, 50), slices.Min(taken), slices.Max(taken)}
	b.report.starts = append(b.report.starts, row)
	if db.name == sqliteName {
		b.report.check("start on an existing SQLite file", "ready after exec, median of 10", milliseconds(row.median), "≤ 200 ms", row.median <= 200*time.Millisecond)
	}
	return nil
}

// sizeRow is one answer that the login page needs.
type sizeRow struct {
	path         string
	header, body int
}

// asset matches what the page makes a browser fetch.
var asset = regexp.MustCompile(`(?:href|src)="(/(?:static/|favicon)[^"]+)"`)

// loginPageBytes fetches the login page and all that it links, as a browser
// without a cache would, and counts every byte that the server sends.
func (b *bench) loginPageBytes(ctx context.Context, db database) error {
	portal, _, err := b.startPortal(ctx, db.url)
	if err != nil {
		return err
	}
	defer portal.stop()
	c, err := dial(portal.addr)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.do(get(portal.addr, "/login", "")); err != nil {
		return err
	}
	paths := []string{"/login"}
	for _, match := range asset.FindAllSubmatch(c.body, -1) {
		path := strings.ReplaceAll(string(match[1]), "&amp;", "&")
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	total := 0
	for _, path := range paths {
		if err := c.do(get(portal.addr, path, "")); err != nil {
			return err
		}
		if c.status != 200 {
			return fmt.Errorf("GET %s: status %d", path, c.status)
		}
		b.report.sizes = append(b.report.sizes, sizeRow{path, c.header, len(c.body)})
		total += c.header + len(c.body)
	}
	b.report.check("login page with all assets", "bytes over the wire, headers included", fmt.Sprintf("%.1f KB", float64(total)/1000), "≤ 15 KB", total <= 15_000)
	return nil
}
