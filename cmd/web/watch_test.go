package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"latchkey/internal/servicetest"
)

// TestSkewIsTold checks the log of clocks that differ: at once, every hour while they
// do, and when they agree again.
func TestSkewIsTold(t *testing.T) {
	var log bytes.Buffer
	o := &portal{logger: slog.New(slog.NewTextHandler(&log, nil))}
	var w watched
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	minutes := func(n int, skew time.Duration, err error) {
		for range n {
			o.tellSkew(&w, skew, skew > 30*time.Second, err, now)
			now = now.Add(time.Minute)
		}
	}
	want := func(when string, differ, agree, failed int) {
		t.Helper()
		if strings.Count(log.String(), "differ: ") != differ || strings.Count(log.String(), "agree again") != agree || strings.Count(log.String(), "compare clocks") != failed {
			t.Errorf("%s: want %d lines that the clocks differ, %d that they agree and %d failures:\n%s", when, differ, agree, failed, log.String())
		}
	}
	minutes(10, time.Second, nil)
	want("in step", 0, 0, 0)
	minutes(60, time.Minute, nil)
	want("an hour of skew", 1, 0, 0)
	minutes(1, time.Minute, nil)
	want("after an hour", 2, 0, 0)
	minutes(5, 0, errors.New("down"))
	want("an outage", 2, 0, 1)
	minutes(5, time.Second, nil)
	want("set right", 2, 1, 1)
}

// TestLook checks what a look measures: live sessions and the skew, and that counting
// takes a hundredth of the time at most.
func TestLook(t *testing.T) {
	servicetest.Each(t, nil, func(p *servicetest.Portal) {
		m := newTestMetrics(p.T)
		o := &portal{store: p.Store, auth: p.Auth, metrics: m, logger: slog.New(slog.DiscardHandler)}
		p.Join("ada")
		p.SignIn("ada")
		var w watched
		now := p.Clock.Now()
		o.look(p.T.Context(), &w, now)
		s := scrapeHandler(p.T, m.Handler())
		if got := s.value("latchkey_sessions_active"); got != 2 {
			p.T.Errorf("%v sessions are live, want 2", got)
		}
		if got := s.value("latchkey_clock_last_check_timestamp_seconds"); got != float64(now.UnixMilli())/1000 {
			p.T.Errorf("the clocks were compared at %v, want %v", got, now)
		}
		if !w.nextCount.After(now) {
			p.T.Error("sessions may be counted again at once")
		}
		w.nextCount = now.Add(time.Hour)
		p.SignIn("ada")
		o.look(p.T.Context(), &w, now.Add(time.Minute))
		if got := scrapeHandler(p.T, m.Handler()).value("latchkey_sessions_active"); got != 2 {
			p.T.Errorf("counted too early: %v", got)
		}
		o.look(p.T.Context(), &w, now.Add(2*time.Hour))
		if got := scrapeHandler(p.T, m.Handler()).value("latchkey_sessions_active"); got != 3 {
			p.T.Errorf("%v sessions are live, want 3", got)
		}
	})
}
