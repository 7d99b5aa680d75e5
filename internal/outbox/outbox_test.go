package outbox_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/outbox"
	"latchkey/internal/seal"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/models"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const kind = "post"

// office is an outbox on a database, with a clock and a handler that the test sets.
type office struct {
	*outbox.Outbox
	t     *testing.T
	store *models.Store
	clock *servicetest.Clock

	mu     sync.Mutex
	handle outbox.Handler
	got    []outbox.Delivery
}

func newOffice(t *testing.T, store *models.Store, clock *servicetest.Clock, key string) *office {
	t.Helper()
	sealer, err := seal.New([][]byte{[]byte(strings.Repeat(key, 32))})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, store: store, clock: clock}
	o.Outbox, err = outbox.New(outbox.Options{Store: store, Sealer: sealer, Logger: slog.New(slog.DiscardHandler), Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	o.Hurry()
	o.Handle(kind, func(ctx context.Context, d outbox.Delivery) (string, error) {
		o.mu.Lock()
		o.got = append(o.got, d)
		handle := o.handle
		o.mu.Unlock()
		return handle(ctx, d)
	})
	o.answers("250 Ok", nil)
	return o
}

func noon() *servicetest.Clock {
	return servicetest.NewClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
}

func eachOffice(t *testing.T, f func(t *testing.T, o *office)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, store *models.Store) { f(t, newOffice(t, store, noon(), "k")) })
}

// answers makes every attempt end with this answer or error.
func (o *office) answers(answer string, err error) {
	o.does(func(context.Context, outbox.Delivery) (string, error) { return answer, err })
}

func (o *office) does(handle outbox.Handler) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.handle = handle
}

// attempts returns the ids of the deliveries that the handler got.
func (o *office) attempts() (ids []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range o.got {
		ids = append(ids, d.ID)
	}
	return ids
}

const body = "open https://portal.example/reset?token=SECRET for bo@example.org"

func (o *office) put(useless time.Duration) string {
	o.t.Helper()
	id, err := o.Put(o.t.Context(), o.store, outbox.Item{Kind: kind, Topic: "reset", Recipient: "ana@example.org", Body: []byte(body), Useless: useless})
	if err != nil {
		o.t.Fatal(err)
	}
	return id
}

func (o *office) work() int {
	o.t.Helper()
	n, err := o.Work(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

// row is what the tests compare of a delivery.
type row struct {
	State    models.DeliveryState
	Attempts int
	Answer   string
	Due      time.Duration // from now; only of one that waits
	Held     bool
}

func (o *office) row(id string) row {
	o.t.Helper()
	d, err := o.store.Deliveries.ByID(o.t.Context(), kind, id)
	if err != nil {
		o.t.Fatal(err)
	}
	r := row{State: d.State, Attempts: d.Attempts, Answer: d.Answer, Held: d.HeldUntil > models.At(o.clock.Now())}
	if d.State == models.DeliveryWaiting {
		r.Due = d.DueAt.Time().Sub(o.clock.Now())
	}
	if over := !d.OverAt.IsZero(); over != (d.State != models.DeliveryWaiting) {
		o.t.Errorf("over at %v in the state %s", d.OverAt, d.State)
	}
	return r
}

func (o *office) wants(id string, want row) {
	o.t.Helper()
	if diff := cmp.Diff(want, o.row(id)); diff != "" {
		o.t.Errorf("delivery (-want +got):\n%s", diff)
	}
}

func TestSent(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		id := o.put(time.Hour)
		o.wants(id, row{State: models.DeliveryWaiting})
		if n := o.work(); n != 1 {
			t.Fatalf("worked on %d deliveries, want 1", n)
		}
		o.wants(id, row{State: models.DeliverySent, Attempts: 1, Answer: "250 Ok"})
		if got := string(o.got[0].Body); got != body {
			t.Errorf("body: got %q", got)
		}
		o.clock.Advance(48 * time.Hour)
		if n := o.work(); n != 0 {
			t.Errorf("a sent delivery is tried again: %d", n)
		}
		o.erased(kind, id)
	})
}

// erased checks that the body of a delivery is gone.
func (o *office) erased(kind, id string) {
	o.t.Helper()
	if got := o.stored(kind, id); got != "" {
		o.t.Errorf("the body is kept: %q", got)
	}
}

// stored returns the body of a delivery as the table has it.
func (o *office) stored(kind, id string) string {
	o.t.Helper()
	d, err := o.store.Deliveries.ByID(o.t.Context(), kind, id)
	if err != nil {
		o.t.Fatal(err)
	}
	return d.Body
}

// TestUndone checks that a delivery exists only if its transaction is committed.
func TestUndone(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		undo := errors.New("undo")
		err := o.store.InTx(t.Context(), func(tx *models.Store) error {
			_, err := o.Put(t.Context(), tx, outbox.Item{Kind: kind, Useless: time.Hour})
			return errors.Join(err, undo)
		})
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
		if n := o.work(); n != 0 {
			t.Errorf("got %d deliveries of a transaction that was undone", n)
		}
	})
}

// TestBackOff checks when a delivery is tried again, and that it fails with the
// latest answer when it is a day old or useless.
func TestBackOff(t *testing.T) {
	for _, test := range []struct {
		name    string
		useless time.Duration
		dues    []time.Duration
	}{
		{"a day", 7 * 24 * time.Hour, append([]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}, repeat(time.Hour, 23)...)},
		{"useless before", 30 * time.Minute, []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}},
		{"useless within a minute", time.Minute, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachOffice(t, func(t *testing.T, o *office) {
				o.answers("", errors.New("421 busy"))
				id := o.put(test.useless)
				for i, due := range test.dues {
					o.work()
					o.wants(id, row{State: models.DeliveryWaiting, Attempts: i + 1, Answer: "421 busy", Due: due})
					o.clock.Advance(due - time.Microsecond)
					if n := o.work(); n != 0 {
						t.Errorf("tried before %s", due)
					}
					o.clock.Advance(time.Microsecond)
				}
				o.answers("", errors.New("451 still busy"))
				o.work()
				o.wants(id, row{State: models.DeliveryFailed, Attempts: len(test.dues) + 1, Answer: "451 still busy"})
				o.erased(kind, id)
			})
		})
	}
}

func repeat(d time.Duration, n int) []time.Duration {
	list := make([]time.Duration, n)
	for i := range list {
		list[i] = d
	}
	return list
}

func TestFinal(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		o.answers("", outbox.Final{Err: errors.New("550 no such user")})
		id := o.put(time.Hour)
		o.work()
		o.wants(id, row{State: models.DeliveryFailed, Attempts: 1, Answer: "550 no such user"})
		o.erased(kind, id)
	})
}

// TestUseless checks that a delivery whose link is dead is not sent.
func TestUseless(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		never, once := o.put(time.Hour), o.put(2*time.Hour)
		o.clock.Advance(time.Hour)
		o.answers("", errors.New("421 busy"))
		o.work()
		o.wants(never, row{State: models.DeliveryFailed, Attempts: 1, Answer: "It was no longer worth sending."})
		o.wants(once, row{State: models.DeliveryWaiting, Attempts: 1, Answer: "421 busy", Due: time.Minute})
		o.clock.Advance(2 * time.Hour) // no process ran
		o.work()
		o.wants(once, row{State: models.DeliveryFailed, Attempts: 2, Answer: "It was no longer worth sending. 421 busy"})
		if got := len(o.attempts()); got != 1 {
			t.Errorf("the handler got %d deliveries, want 1", got)
		}
	})
}

// TestSealed checks that nothing of a body can be read in the database, and that
// another master secret does not open it.
func TestSealed(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		id := o.put(time.Hour)
		sealed := o.stored(kind, id)
		for _, part := range strings.FieldsFunc(body, func(r rune) bool { return strings.ContainsRune(" /:?=.@", r) }) {
			if len(part) > 3 && strings.Contains(sealed, part) {
				t.Errorf("%q can be read in %q", part, sealed)
			}
		}
		other := newOffice(t, o.store, o.clock, "x")
		other.work()
		if got := other.attempts(); got != nil {
			t.Errorf("the handler got %v", got)
		}
		o.wants(id, row{State: models.DeliveryFailed, Attempts: 1, Answer: "the message cannot be read: it was sealed with another master secret"})
	})
}

// TestUnknownKind checks that a delivery of another version waits for it, and is over
// when no process of that version came for a day.
func TestUnknownKind(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		id, err := o.Put(t.Context(), o.store, outbox.Item{Kind: "pigeon", Body: []byte(body), Useless: 3 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		state := func() models.DeliveryState {
			t.Helper()
			if _, err := o.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			d, err := o.store.Deliveries.ByID(t.Context(), "pigeon", id)
			if err != nil {
				t.Fatal(err)
			}
			return d.State
		}
		for range 27 {
			if n := o.work(); n != 0 {
				t.Fatal("worked on a kind that it does not know")
			}
			if got := state(); got != models.DeliveryWaiting {
				t.Fatalf("state: got %s, want waiting", got)
			}
			o.clock.Advance(time.Hour)
		}
		o.clock.Advance(time.Second)
		if got := state(); got != models.DeliveryFailed {
			t.Errorf("state after a day: got %s, want failed", got)
		}
		o.erased("pigeon", id)
	})
}

func TestPurge(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		sent := o.put(time.Hour)
		o.work()
		o.clock.Advance(30 * 24 * time.Hour)
		waiting := o.put(90 * 24 * time.Hour)
		if n, err := o.Purge(t.Context()); n != 0 || err != nil {
			t.Errorf("after 30 days: got %d rows (%v), want 0", n, err)
		}
		o.clock.Advance(time.Second)
		if n, err := o.Purge(t.Context()); n != 1 || err != nil {
			t.Errorf("after more: got %d rows (%v), want 1", n, err)
		}
		if _, err := o.store.Deliveries.ByID(t.Context(), kind, sent); err == nil {
			t.Error("the sent delivery is still there")
		}
		o.wants(waiting, row{State: models.DeliveryWaiting, Due: -time.Second})
	})
}

// TestAnswers checks that the answer of another machine is stored as one line, no
// matter what it contains.
func TestAnswers(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		for said, want := range map[string]string{
			"250 Ok\r\n queued\tas 7":     "250 Ok queued as 7",
			"250 \x00\x1b[31m\xff\xfe!":   "250 [31m\uFFFD!",
			strings.Repeat("é", 600):      strings.Repeat("é", 500) + "…",
			"":                            "",
			"250 done \u0085 \u2028 here": "250 done here",
		} {
			o.answers(said, nil)
			id := o.put(time.Hour)
			o.work()
			o.wants(id, row{State: models.DeliverySent, Attempts: 1, Answer: want})
			o.answers("", errors.New(said))
			id = o.put(time.Hour)
			o.work()
			o.wants(id, row{State: models.DeliveryWaiting, Attempts: 1, Answer: want, Due: time.Minute})
		}
	})
}

// TestPanic checks that a handler that panics has not delivered and ends nothing else.
func TestPanic(t *testing.T) {
	eachOffice(t, func(t *testing.T, o *office) {
		id := o.put(time.Hour)
		o.does(func(context.Context, outbox.Delivery) (string, error) { panic("unexpected") })
		o.work()
		o.wants(id, row{State: models.DeliveryWaiting, Attempts: 1, Answer: "the handler of post broke: unexpected", Due: time.Minute})
	})
}
