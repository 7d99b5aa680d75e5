package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"latchkey/internal/mail"
	"latchkey/internal/testdb"
	"latchkey/models"
	"latchkey/views/letters"
)

// receipt is a message that a mail server took.
type receipt struct {
	server    string // the address of the server
	messageID string
	at        time.Time // when it had the whole message; its answer followed
}

// postOffice is a mail server on several ports. It takes its time for each message.
type postOffice struct {
	delay time.Duration

	mu    sync.Mutex
	taken map[string][]receipt // by recipient
	count int
}

// open listens on another port and returns its address.
func (p *postOffice) open(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	server := gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) { return &clerk{office: p, server: address}, nil }))
	server.AllowInsecureAuth = true
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return address
}

func (p *postOffice) total() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

// clerk is a session of a postOffice.
type clerk struct {
	office     *postOffice
	server, to string
}

func (c *clerk) Reset()                                 {}
func (c *clerk) Logout() error                          { return nil }
func (c *clerk) Mail(string, *gosmtp.MailOptions) error { return nil }
func (c *clerk) AuthMechanisms() []string               { return []string{sasl.Plain} }
func (c *clerk) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	if c.to = to; strings.HasPrefix(to, "nobody") {
		return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "No such user"}
	}
	return nil
}

func (c *clerk) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, name, word string) error {
		if name != "portal" || word != "hunter2" {
			return gosmtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func (c *clerk) Data(r io.Reader) error {
	message, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, message.Body); err != nil {
		return err
	}
	at := time.Now()
	<-time.After(c.office.delay) // as a real server does
	c.office.mu.Lock()
	defer c.office.mu.Unlock()
	if c.office.taken == nil {
		c.office.taken = map[string][]receipt{}
	}
	c.office.taken[c.to] = append(c.office.taken[c.to], receipt{c.server, message.Header.Get("Message-Id"), at})
	c.office.count++
	return nil
}

// within waits until a condition holds.
func within(t *testing.T, what string, holds func() bool) {
	t.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// TestKilledWorkers has two processes deliver 500 messages and kills them ten times:
// every message arrives, and arrives twice only if the first receipt came from a
// process that was killed right after it. Each has one Message-ID.
func TestKilledWorkers(t *testing.T) {
	const messages, kills, perProcess = 500, 10, 8
	const onTheWay = time.Second // what a process sent before it was killed may still arrive
	office := &postOffice{delay: 80 * time.Millisecond}
	e := newEnvironment(t, testdb.PostgresURL(t), withLease+"=3s")
	e = e.with("LATCHKEY_PUBLIC_URL=http://" + e.get("LATCHKEY_ADDR"))
	o := writeMessages(t, e, messages)

	// Every process has its own mail server, so that a receipt tells whose it is.
	killed := map[string]time.Time{}
	worker := func() (*server, string) {
		address := office.open(t)
		return launch(t, e.with(fmt.Sprintf("LATCHKEY_ADDR=localhost:%d", freePort(t)), "LATCHKEY_SMTP_URL=smtp://"+address)), address
	}
	var pair [2]*server
	var addresses [2]string
	for i := range pair {
		pair[i], addresses[i] = worker()
	}
	for i := range kills {
		within(t, "messages", func() bool { return office.total() >= (i+1)*messages/(kills+2) })
		if err := pair[i%2].cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-pair[i%2].done
		killed[addresses[i%2]] = time.Now()
		pair[i%2], addresses[i%2] = worker()
	}
	within(t, "the last message", func() bool {
		counts, err := o.store.Deliveries.Count(t.Context(), mail.Kind)
		if err != nil {
			t.Fatal(err)
		}
		return counts[models.DeliverySent] == messages
	})
	office.mu.Lock()
	defer office.mu.Unlock()
	if len(office.taken) != messages {
		t.Errorf("%d messages arrived, want %d", len(office.taken), messages)
	}
	twice := map[string]int{}
	for to, list := range office.taken {
		for i, r := range list[:len(list)-1] {
			end, wasKilled := killed[r.server]
			if twice[r.server]++; !wasKilled || end.Add(onTheWay).Before(r.at) || list[i+1].at.Before(end) {
				t.Errorf("%s was sent again, though its process was not killed after it: %+v", to, list)
			}
			if r.messageID != list[i+1].messageID {
				t.Errorf("%s has two Message-IDs: %+v", to, list)
			}
		}
	}
	for server, n := range twice {
		if n > perProcess {
			t.Errorf("%d messages of the process at %s arrived twice, want at most %d", n, server, perProcess)
		}
	}
	t.Logf("%d messages, %d receipts", messages, office.count)
}

// writeMessages migrates the database and writes messages into the outbox.
func writeMessages(t *testing.T, e environment, n int) *portal {
	t.Helper()
	p := process{environ: e.with("LATCHKEY_SMTP_URL=smtp://localhost:1"), stdout: io.Discard, stderr: io.Discard}
	o, err := p.open(t.Context(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.store.Close() })
	err = o.store.InTx(t.Context(), func(tx *models.Store) error {
		for i := range n {
			if _, err := o.mail.Put(t.Context(), tx, mail.Envelope{Topic: mail.TopicNotice, To: fmt.Sprintf("person%d@example.org", i), Useless: time.Hour},
				letters.Letter{Subject: "Message " + strconv.Itoa(i), Text: []string{"Hello."}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestWrongMailServer checks that a mail server that is not there delays neither the
// start nor a page nor the end, and that an admin reads why mail does not arrive.
func TestWrongMailServer(t *testing.T) {
	e := newEnvironment(t, testdb.SQLiteURL(t), "LATCHKEY_SMTP_URL=smtp://localhost:1")
	s := start(t, e) // in no time
	b := newBrowser(t, s.addr)
	command(t, e, secretWord, "admin", "create", "--username=boss", "--email=boss@example.org", "--password-stdin").exits(exitDone)
	b.signIn(s, "boss")
	page := b.do(s, http.MethodPost, "/admin/mail/test", 303, "to", "ana@example.org").location
	within(t, "the failure", func() bool { return strings.Contains(b.get(s, page, 200).body, "connection refused") })
	if !strings.Contains(b.get(s, "/admin", 200).body, "Mail is not being delivered since") {
		t.Error("the overview does not say that mail is not delivered")
	}
	if code := s.stop(); code != exitDone {
		t.Errorf("exit code %d", code)
	}
}

func TestMailCommand(t *testing.T) {
	office := &postOffice{}
	address := office.open(t)
	e := environment{"LATCHKEY_PUBLIC_URL=https://id.example.org", "LATCHKEY_SMTP_URL=smtp://portal:hunter2@" + address}
	o := command(t, e, "", "mail", "test", "ana@example.org").exits(exitDone).
		prints("> EHLO id.example.org\n", "> RCPT TO:<ana@example.org>\n", "The mail server took the message: 250 2.0.0 OK")
	refused := command(t, e, "", "mail", "test", "nobody@example.org").exits(exitFailed).oneLine().
		complains("latchkey: 550 5.1.1 No such user\n").prints("< 550 5.1.1 No such user\n")
	wrong := command(t, e.with("LATCHKEY_SMTP_URL=smtp://portal:hunter3@"+address), "", "mail", "test", "ana@example.org").exits(exitFailed).oneLine().
		complains("latchkey: 535 5.7.8 Authentication failed\n")
	for _, secret := range []string{"hunter", "aHVudGVy", "AHBvcnRhbABodW50ZXI"} {
		for _, text := range []string{o.stdout, refused.stdout, wrong.stdout, wrong.stderr} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in:\n%s", secret, text)
			}
		}
	}
	dir := filepath.Join(t.TempDir(), "mail")
	command(t, e.with("LATCHKEY_SMTP_URL=file:"+dir), "", "mail", "test", "ana@example.org").exits(exitDone).prints("Written to " + dir)
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("got %d files (%v), want 1", len(files), err)
	}
	command(t, e.with("LATCHKEY_SMTP_URL="), "", "mail", "test", "ana@example.org").exits(exitFailed).oneLine().complains("set LATCHKEY_SMTP_URL")
	command(t, e, "", "mail", "test", "ana").exits(exitUsage).oneLine().complains(`"ana" is not an email address`)
	command(t, e, "", "mail", "test", "ana@example.org\r\nx").exits(exitUsage).complains("is not an email address")
}
