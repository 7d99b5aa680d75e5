package mail_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/apperr"
	"latchkey/internal/mail"
	"latchkey/internal/outbox"
	"latchkey/internal/seal"
	"latchkey/internal/servicetest"
	"latchkey/internal/testdb"
	"latchkey/models"
	"latchkey/views/letters"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// post is the mail of a portal with a transport.
type post struct {
	*mail.Mail
	t      *testing.T
	store  *models.Store
	outbox *outbox.Outbox
	clock  *servicetest.Clock
}

func newPost(t *testing.T, store *models.Store, transport mail.Transport) *post {
	t.Helper()
	sealer, err := seal.New([][]byte{[]byte(strings.Repeat("k", 32))})
	if err != nil {
		t.Fatal(err)
	}
	p := &post{t: t, store: store, clock: servicetest.NewClock(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))}
	if p.outbox, err = outbox.New(outbox.Options{Store: store, Sealer: sealer, Logger: slog.New(slog.DiscardHandler), Now: p.clock.Now}); err != nil {
		t.Fatal(err)
	}
	p.Mail, err = mail.New(mail.Options{
		Outbox: p.outbox, Transport: transport, From: "Latchkey <no-reply@portal.example>", Now: p.clock.Now,
		Brand: letters.Brand{Name: "Latchkey", URL: "https://portal.example", Accent: "#14523f", OnAccent: "#ffffff"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *post) work() {
	p.t.Helper()
	if _, err := p.outbox.Work(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// put puts a reset message into the outbox.
func (p *post) put() string {
	p.t.Helper()
	id, err := p.Put(p.t.Context(), p.store, mail.Envelope{Topic: mail.TopicReset, UserID: "u", To: "ana@example.org", Useless: time.Hour},
		letters.Letter{Subject: "Reset your password", Text: []string{"Hello."}})
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

// row returns the state of a delivery and the latest answer.
func (p *post) row(id string) string {
	p.t.Helper()
	d, err := p.store.Deliveries.ByID(p.t.Context(), mail.Kind, id)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(d.State) + ": " + d.Answer
}

// TestNothingLost lets a server fail in every way and then recover: a message that was
// refused for now arrives with the same Message-ID, one that was refused for good has
// failed with the server's words.
func TestNothingLost(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		for _, step := range []string{"connect", "AUTH", "MAIL", "RCPT", "DATA", "end"} {
			for _, test := range []struct{ reply, want string }{
				{"451 4.3.0 try later", "waiting: 451 4.3.0 try later"},
				{"550 5.7.1 never", "failed: 550 5.7.1 never"},
				{hangUp, "waiting: localhost:25 closed the connection ("},
			} {
				t.Run(step+", "+test.reply, func(t *testing.T) {
					transport := mail.NewSMTP(mail.SMTPOptions{Host: "localhost", Port: 25, Username: user, Password: []byte(password)})
					transport.Redirect(script{step: test.reply}.serve(t), nil, time.Minute)
					p := newPost(t, store, transport)
					id := p.put()
					p.work()
					if got := p.row(id); !strings.HasPrefix(got, test.want) {
						t.Errorf("got %q, want %q", got, test.want)
					}
					transport.Redirect(script{}.serve(t), nil, time.Minute)
					p.clock.Advance(time.Minute)
					p.work()
					want := "sent: 250 2.0.0 Ok: queued as 7"
					if strings.HasPrefix(test.want, "failed") {
						want = test.want
					}
					if got := p.row(id); got != want {
						t.Errorf("later: got %q, want %q", got, want)
					}
				})
			}
		}
	})
}

// TestOff checks that without a transport nothing is written, that what waits keeps
// waiting, and that a nil Mail can be asked.
func TestOff(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		on := newPost(t, store, &servicetest.Mailbox{})
		id := on.put()
		off := newPost(t, store, nil)
		if off.On() || (*mail.Mail)(nil).On() || off.CanRepeat(mail.TopicTest) || (*mail.Mail)(nil).CanRepeat(mail.TopicTest) {
			t.Error("mail is on without a transport")
		}
		if id := off.put(); id != "" {
			t.Errorf("got the delivery %q", id)
		}
		off.work()
		if got := off.row(id); got != "waiting: " {
			t.Errorf("got %q, want waiting", got)
		}
		on.work()
		if got := on.row(id); got != "sent: 250 2.0.0 Ok" {
			t.Errorf("got %q, want sent", got)
		}
	})
}

// TestTestMessage checks that a test is tried once and can be sent again.
func TestTestMessage(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		box := &servicetest.Mailbox{}
		p := newPost(t, store, box)
		box.Refuse(errors.New("421 4.3.2 try later"))
		id, err := p.PutTest(t.Context(), store, "ana@example.org")
		if err != nil {
			t.Fatal(err)
		}
		p.work()
		if got := p.row(id); got != "failed: 421 4.3.2 try later" {
			t.Errorf("got %q, want it to have failed", got)
		}
		d, err := store.Deliveries.ByID(t.Context(), mail.Kind, id)
		if err != nil {
			t.Fatal(err)
		}
		box.Refuse(nil)
		if err := p.Repeat(t.Context(), store, *d); err != nil {
			t.Fatal(err)
		}
		p.work()
		if got := box.To("ana@example.org"); len(got) != 1 || got[0].Subject != "Test message from Latchkey" {
			t.Errorf("got %+v", got)
		}
		d.Topic = mail.TopicReset // nobody registered how to make it again
		if err := p.Repeat(t.Context(), store, *d); !errors.Is(err, apperr.Conflict) {
			t.Errorf("got %v, want a conflict", err)
		}
		called := false
		p.Again(mail.TopicReset, func(context.Context, *models.Store, models.Delivery) error { called = true; return nil })
		if err := p.Repeat(t.Context(), store, *d); err != nil || !called {
			t.Errorf("got %v, called %t", err, called)
		}
	})
}

// TestFolder checks the file of a message, its mode and the log that says where it
// is.
func TestFolder(t *testing.T) {
	var logs strings.Builder
	dir := filepath.Join(t.TempDir(), "data", "mail")
	folder := mail.NewFolder(dir, slog.New(slog.NewTextHandler(&logs, nil)))
	m := sample()
	answer, err := folder.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "20261122-120000-0123456789abcdef.eml")
	if answer != "Written to "+path || !strings.Contains(logs.String(), "path="+path) {
		t.Errorf("got %q and the log %q, want the path %s", answer, logs.String(), path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	checkMessage(t, string(data), m)
	modes := map[string]fs.FileMode{}
	for _, name := range []string{dir, path} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		modes[filepath.Base(name)] = info.Mode().Perm()
	}
	if diff := cmp.Diff(map[string]fs.FileMode{"mail": 0o700, filepath.Base(path): 0o600}, modes); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
	if _, err := folder.Send(t.Context(), m); err != nil { // a repeated attempt
		t.Error(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("got %d files (%v), want 1", len(files), err)
	}
	m.ID = "../../x"
	if _, err := folder.Send(t.Context(), m); err == nil {
		t.Error("a path was taken as an id")
	}
	if _, err := mail.NewFolder(path, slog.New(slog.DiscardHandler)).Send(t.Context(), sample()); err == nil {
		t.Error("a file was taken as a folder")
	}
}

func TestReadable(t *testing.T) {
	for from, want := range map[string]string{
		`"Latchkey" <no-reply@localhost>`: "Latchkey <no-reply@localhost>", "<a@example.org>": "a@example.org",
		"=?utf-8?q?K=C3=A4se?= <no-reply@[127.0.0.1]>": "Käse <no-reply@[127.0.0.1]>",
	} {
		if got := mail.Readable(from); got != want {
			t.Errorf("%s: got %q, want %q", from, got, want)
		}
	}
}

// TestTopics checks that every topic has words, and that an unknown one is shown.
func TestTopics(t *testing.T) {
	seen := map[string]bool{}
	for _, topic := range mail.Topics() {
		if topic.Label == "" || seen[topic.Value] || seen[topic.Label] || mail.Label(topic.Value) != topic.Label {
			t.Errorf("topic %+v", topic)
		}
		seen[topic.Value], seen[topic.Label] = true, true
	}
	if got := mail.Label("of another version"); got != "of another version" {
		t.Errorf("got %q", got)
	}
}
