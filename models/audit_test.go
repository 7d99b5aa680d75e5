package models_test

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"latchkey/internal/apperr"
	"latchkey/internal/testdb"
	"latchkey/models"
)

// idOf returns an id that is the same in every run.
func idOf(i int) string { return strings.Repeat(string(rune('a'+i)), 26) }

// account selects the lines of one account.
func account(i int) models.AuditPerson { return models.AuditPerson{IDs: []string{idOf(i)}} }

// fill writes events, many of them at the same instant, and returns them in the
// order of the audit log: newest first, ties by id.
func fill(t *testing.T, store *models.Store, n int) []models.Event {
	t.Helper()
	actions := []string{"login", "logout", "user-disable"}
	var events []models.Event
	for i := range n {
		events = append(events, models.Event{
			At: models.At(epoch.Add(time.Duration(i/4) * time.Minute)), Action: actions[i%3],
			ActorID: idOf(i % 2), ActorName: fmt.Sprintf("name%d", i%2), SubjectID: idOf(i % 5), SubjectName: "somebody", Detail: fmt.Sprint(i), IP: "192.0.2.1",
			UserAgent: "Firefox", SessionID: "s", RequestID: "r",
		})
	}
	must(t, store.Audit.Append(t.Context(), events...))
	slices.SortFunc(events, func(a, b models.Event) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.ID, a.ID))
	})
	return events
}

// TestAuditPages pages through every filter in both directions and compares the lines
// with a plain list.
func TestAuditPages(t *testing.T) {
	from, to := epoch.Add(3*time.Minute), epoch.Add(9*time.Minute)
	tests := []struct {
		name  string
		query models.AuditQuery
		keep  func(e models.Event) bool
	}{
		{"all", models.AuditQuery{}, func(models.Event) bool { return true }},
		{"actor by id", models.AuditQuery{Actor: account(1)}, func(e models.Event) bool { return e.ActorID == idOf(1) }},
		{"actor by name", models.AuditQuery{Actor: models.AuditPerson{Name: "NAME0"}}, func(e models.Event) bool { return e.ActorName == "name0" }},
		{"subject", models.AuditQuery{Subject: account(3)}, func(e models.Event) bool { return e.SubjectID == idOf(3) }},
		{"actor by part of the name", models.AuditQuery{Actor: models.AuditPerson{Name: "ame1"}}, func(e models.Event) bool { return e.ActorName == "name1" }},
		{"one of two subjects", models.AuditQuery{Subject: models.AuditPerson{IDs: []string{idOf(3), idOf(4)}}}, func(e models.Event) bool { return e.SubjectID == idOf(3) || e.SubjectID == idOf(4) }},
		{"either", models.AuditQuery{Person: account(1)}, func(e models.Event) bool { return e.ActorID == idOf(1) || e.SubjectID == idOf(1) }},
		{
			"either, and an action",
			models.AuditQuery{Person: account(1), Actions: []string{"login"}},
			func(e models.Event) bool {
				return e.Action == "login" && (e.ActorID == idOf(1) || e.SubjectID == idOf(1))
			},
		},
		{"no name is a pattern", models.AuditQuery{Actor: models.AuditPerson{Name: "name_"}}, func(models.Event) bool { return false }},
		{"subject by name", models.AuditQuery{Subject: models.AuditPerson{Name: "somebody"}}, func(models.Event) bool { return true }},
		{"one action", models.AuditQuery{Actions: []string{"login"}}, func(e models.Event) bool { return e.Action == "login" }},
		{"two actions", models.AuditQuery{Actions: []string{"login", "logout"}}, func(e models.Event) bool { return e.Action != "user-disable" }},
		{"from", models.AuditQuery{From: from}, func(e models.Event) bool { return e.At >= models.At(from) }},
		{"to", models.AuditQuery{To: to}, func(e models.Event) bool { return e.At < models.At(to) }},
		{
			"everything at once",
			models.AuditQuery{Actor: account(1), Subject: account(3), Actions: []string{"login"}, From: from, To: to},
			func(e models.Event) bool {
				return e.ActorID == idOf(1) && e.SubjectID == idOf(3) && e.Action == "login" && e.At >= models.At(from) && e.At < models.At(to)
			},
		},
		{"nothing", models.AuditQuery{Actor: models.AuditPerson{Name: "' OR 1=1 --"}}, func(models.Event) bool { return false }},
	}
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		all := fill(t, store, 61)
		for _, test := range tests {
			want := slices.DeleteFunc(slices.Clone(all), func(e models.Event) bool { return !test.keep(e) })
			for _, limit := range []int{1, 7, 61, 100} {
				walk(t, fmt.Sprintf("%s by %d", test.name, limit), store, test.query, limit, want)
			}
		}
	})
}

// walk pages to the end and back to the start.
func walk(t *testing.T, name string, store *models.Store, query models.AuditQuery, limit int, want []models.Event) {
	t.Helper()
	query.Limit = limit
	list := func() models.AuditPage {
		t.Helper()
		page, err := store.Audit.List(t.Context(), query)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return page
	}
	page := list()
	if page.Prev != "" {
		t.Errorf("%s: the first page has a previous page", name)
	}
	var forward []models.Event
	var pages [][]models.Event
	for {
		forward, pages = append(forward, page.Events...), append(pages, page.Events)
		if page.Next == "" || len(pages) > 100 {
			break
		}
		query.After = page.Next
		page = list()
	}
	if diff := gocmp.Diff(want, forward); diff != "" && len(want)+len(forward) > 0 {
		t.Fatalf("%s: forward (-want +got):\n%s", name, diff)
	}
	for i := len(pages) - 2; i >= 0; i-- {
		if page.Prev == "" {
			t.Fatalf("%s: page %d has none before it", name, i+2)
		}
		query.After, query.Before = "", page.Prev
		page = list()
		if diff := gocmp.Diff(pages[i], page.Events); diff != "" {
			t.Fatalf("%s: back on page %d (-want +got):\n%s", name, i+1, diff)
		}
		if page.Next == "" {
			t.Fatalf("%s: back on page %d there is none after it", name, i+1)
		}
	}
	if page.Prev != "" {
		t.Errorf("%s: back on the first page there is one before it", name)
	}
}

func TestAuditCursor(t *testing.T) {
	encode := base64.RawURLEncoding.EncodeToString
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		fill(t, store, 3)
		for _, cursor := range []string{
			"x", "%%%", encode([]byte("1")), encode([]byte("1 x")), encode([]byte("x " + models.NewID())),
			encode([]byte("1 ' OR 1=1 --")), encode([]byte("99999999999999999999 " + models.NewID())), encode([]byte("1 \xff\x00")),
		} {
			for _, query := range []models.AuditQuery{{After: cursor, Limit: 5}, {Before: cursor, Limit: 5}} {
				_, err := store.Audit.List(t.Context(), query)
				wantKind(t, fmt.Sprintf("cursor %q", cursor), err, apperr.Malformed)
			}
		}
		foreign := encode([]byte("1 " + models.NewID())) // older than everything
		if page, err := store.Audit.List(t.Context(), models.AuditQuery{After: foreign, Limit: 5}); err != nil || len(page.Events) != 0 {
			t.Errorf("behind the end: %d events (%v)", len(page.Events), err)
		}
	})
}

func TestAuditCounts(t *testing.T) {
	const day = 24 * time.Hour
	first := time.Date(2026, 2, 27, 0, 0, 0, 0, time.UTC)
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		for _, e := range []struct {
			after  time.Duration
			action string
		}{
			{-time.Microsecond, "login"},
			{0, "login"},
			{day - time.Microsecond, "sign-up"},
			{day, "login"},
			{day, "logout"},
			{2*day + time.Hour, "login"},
			{2*day + 2*time.Hour, "login"},
			{4 * day, "login"},
		} {
			must(t, store.Audit.Append(ctx, models.Event{At: models.At(first.Add(e.after)), Action: e.action}))
		}
		got, err := store.Audit.PerDay(ctx, first, 4, "login", "sign-up")
		if diff := gocmp.Diff(map[string][]int64{"login": {1, 1, 2, 0}, "sign-up": {1, 0, 0, 0}}, got); diff != "" || err != nil {
			t.Errorf("per day (%v, -want +got):\n%s", err, diff)
		}
		if got, err := store.Audit.PerDay(ctx, first, 2, "nothing"); err != nil || fmt.Sprint(got) != "map[nothing:[0 0]]" {
			t.Errorf("days without events: %v (%v)", got, err)
		}
		if n, err := store.Audit.CountSince(ctx, "login", first.Add(day)); n != 4 || err != nil {
			t.Errorf("%d sign-ins since the second day (%v), want 4", n, err)
		}
		if n, err := store.Audit.PurgeAction(ctx, "login", first.Add(day), 10); n != 2 || err != nil {
			t.Errorf("purged %d sign-ins (%v), want 2", n, err)
		}
		for _, want := range []int64{2, 2, 1, 0} {
			if n, err := store.Audit.Purge(ctx, first.Add(4*day), 2); n != want || err != nil {
				t.Errorf("purged %d (%v), want %d", n, err, want)
			}
		}
	})
}

func TestAbout(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		ctx := t.Context()
		must(t, store.Audit.Append(ctx,
			models.Event{At: 1, Action: "a", ActorID: "ada", SubjectID: "bob"},
			models.Event{At: 2, Action: "b", ActorID: "bob", SubjectID: "ada"},
			models.Event{At: 3, Action: "c", ActorID: "ada", SubjectID: "ada"},
			models.Event{At: 4, Action: "d", ActorID: "bob", SubjectID: "bob"},
		))
		for limit, want := range map[int]string{10: "[c b a]", 2: "[c b]"} {
			events, err := store.Audit.About(ctx, "ada", limit)
			must(t, err)
			var got []string
			for _, e := range events {
				got = append(got, e.Action)
			}
			if fmt.Sprint(got) != want {
				t.Errorf("about ada, %d: %v, want %s", limit, got, want)
			}
		}
	})
}
