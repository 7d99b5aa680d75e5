package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestVerifyBites shows a crowd of one person to servers that keep a promise each
// time but one.
func TestVerifyBites(t *testing.T) {
	const name, password, fullName = "drill-ana", "violet harbour", "Ana Silva"
	cookie := func(r *http.Request) string {
		if c, err := r.Cookie("access"); err == nil {
			return c.Value
		}
		return ""
	}
	for _, test := range []struct {
		name                      string
		live, old, fresh          bool // sessions that work: the person's, an ended one, one of a new sign-in
		accepted, shown           string
		lost, signedOut, cameBack int
	}{
		{"everything is kept", true, false, true, password, fullName, 0, 0, 0},
		{"the session is gone", false, false, true, password, fullName, 0, 1, 0},
		{"an ended session works", true, true, true, password, fullName, 0, 0, 1},
		{"the password is gone", true, false, true, "another", fullName, 1, 0, 0},
		{"the name is gone", true, false, true, password, "At first", 1, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				works := map[string]bool{"live": test.live, "old": test.old, "fresh": test.fresh}[cookie(r)]
				switch {
				case r.Method == http.MethodPost && r.FormValue("password") == test.accepted:
					http.SetCookie(w, &http.Cookie{Name: "access", Value: "fresh"})
					http.Redirect(w, r, "/profile", http.StatusSeeOther)
				case r.Method == http.MethodPost:
					w.WriteHeader(http.StatusUnprocessableEntity)
				case works:
					_, _ = w.Write([]byte(name + ", " + test.shown))
				default:
					http.Redirect(w, r, "/login", http.StatusSeeOther)
				}
			}))
			defer server.Close()
			addr := strings.TrimPrefix(server.URL, "http://")
			c := &crowd{tally: newTally(), addrs: []string{addr}, host: addr}
			with := func(value string) *browser {
				b := newBrowser(addr, addr, "10.0.0.1")
				b.cookies["access"] = value
				return b
			}
			c.people = []*person{{
				crowd: c, browser: with("live"), name: name, passwords: []string{password}, names: []string{fullName},
				signedIn: true, certain: true, ended: []*browser{with("old")},
			}}
			s := &stage{options: &options{}, result: &result{}}
			s.verify(t.Context(), c, addr, addr)
			if got := c.tally; got.lost != test.lost || got.signedOut != test.signedOut || got.cameBack != test.cameBack || got.wrong != 0 {
				t.Errorf("got %d lost, %d signed out, %d came back, want %d, %d, %d: %q",
					got.lost, got.signedOut, got.cameBack, test.lost, test.signedOut, test.cameBack, got.firstOf)
			}
			s.keptPromises(c.tally)
			if want := test.lost + test.signedOut + test.cameBack; len(s.result.faults) != want {
				t.Errorf("got the faults %q, want %d", s.result.faults, want)
			}
		})
	}
}

// TestReadyBites judges answers of /readyz around a disturbance of ten seconds.
func TestReadyBites(t *testing.T) {
	start := time.Now()
	at := func(second float64, took time.Duration, code int) sample {
		return sample{start.Add(time.Duration(second * float64(time.Second))), took, code}
	}
	quick := time.Millisecond
	truth := []sample{at(1, quick, 503), at(9, quick, 503), at(12, quick, 200)}
	for _, test := range []struct {
		name          string
		samples       []sample
		faults, short int // in a whole drill and in a short one
	}{
		{"the truth", truth, 0, 0},
		{"a slow answer", append([]sample{at(-5, 3*time.Second, 200)}, truth...), 1, 0},
		{"a very slow answer", append([]sample{at(-9, 8*time.Second, 200)}, truth...), 1, 1},
		{"503 too late", append([]sample{at(1, quick, 200), at(2.4, quick, 200)}, at(4, quick, 503), at(12, quick, 200)), 1, 0},
		{"200 while writes fail", append([]sample{at(5, quick, 200)}, truth...), 1, 0},
		{"200 for long while writes fail", append([]sample{at(8, quick, 200)}, truth...), 1, 1},
		{"200 throughout", []sample{at(1, quick, 200), at(5, quick, 200), at(8, quick, 200), at(12, quick, 200)}, 2, 2},
		{"503 for ever", append(truth[:2:2], at(12, quick, 503)), 1, 1},
		{"200 too late", append(truth[:2:2], at(25, quick, 200)), 1, 0},
	} {
		for short, want := range map[bool]int{false: test.faults, true: test.short} {
			s := &stage{options: &options{short: short}, result: &result{}}
			p := &probe{samples: test.samples}
			p.judge(s, span{from: start, to: start.Add(10 * time.Second)})
			if len(s.result.faults) != want {
				t.Errorf("%s, short %t: got the faults %q, want %d", test.name, short, s.result.faults, want)
			}
		}
	}
}

// TestOutage checks that only the time between start and stop counts.
func TestOutage(t *testing.T) {
	c := &crowd{tally: newTally()}
	c.tally.last = time.Now().Add(-time.Hour)
	c.tally.success()
	c.tally.start()
	c.tally.stop()
	c.tally.last = time.Now().Add(-time.Hour)
	c.tally.stop()
	if got := c.tally.outage; got > time.Minute {
		t.Errorf("got an outage of %s, want none", got)
	}
	for _, a := range []answer{
		{code: 200}, {code: 503, body: "Many people are signing in right now"}, {code: 503}, {code: 0}, {code: 500}, {code: 421},
	} {
		c.judge("/profile", a, 200)
	}
	if got := c.tally; got.succeeded != 2 || got.busy != 1 || got.unavailable != 1 || got.unanswered != 1 || got.wrong != 2 {
		t.Errorf("got %+v", got)
	}
}
