package servicetest

import (
	"cmp"
	"context"
	"log/slog"
	"regexp"
	"slices"
	"sync"
	"testing"

	"latchkey/internal/mail"
	"latchkey/internal/outbox"
	"latchkey/internal/seal"
	"latchkey/internal/token"
	"latchkey/views/letters"
)

// Mailbox takes the mail of a portal. It is safe for concurrent use.
type Mailbox struct {
	mu       sync.Mutex
	messages []mail.Message
	refuse   error
}

// Send keeps a message, or refuses it as Refuse says.
func (b *Mailbox) Send(_ context.Context, m mail.Message) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return "", b.refuse
	}
	b.messages = append(b.messages, m)
	return "250 2.0.0 Ok", nil
}

// Refuse makes Send return err; nil makes it take messages again.
func (b *Mailbox) Refuse(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refuse = err
}

// To returns the messages to an address, the latest last.
func (b *Mailbox) To(address string) (list []mail.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.messages {
		if m.To == address {
			list = append(list, m)
		}
	}
	return list
}

// All returns every message, the latest last.
func (b *Mailbox) All() []mail.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.messages)
}

// LinkIn returns the token of the link to a page in a message, or "".
func LinkIn(m mail.Message, path string) string {
	found := regexp.MustCompile(regexp.QuoteMeta(path) + `\?(?:[\w.-]+=[^&\s]*&)*token=([\w-]+)`).FindStringSubmatch(m.Text)
	if found == nil {
		return ""
	}
	return found[1]
}

// post builds the outbox and the mail.
func (s *Services) post(t testing.TB, o Options) {
	t.Helper()
	key, err := token.DeriveKey(o.Secret, "latchkey/outbox/v1")
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := seal.New([][]byte{key})
	if err != nil {
		t.Fatal(err)
	}
	s.Mailbox = &Mailbox{}
	s.Outbox, err = outbox.New(outbox.Options{Store: o.Store, Sealer: sealer, Logger: slog.New(slog.DiscardHandler), Now: o.Now})
	if err != nil {
		t.Fatal(err)
	}
	var transport mail.Transport
	if o.Mail {
		transport = s.Mailbox
	}
	s.Mail, err = mail.New(mail.Options{
		Now: o.Now, Outbox: s.Outbox, Transport: transport, From: "Latchkey <no-reply@portal.example>",
		Brand: letters.Brand{Name: "Latchkey", URL: cmp.Or(o.PublicURL, "https://portal.example"), Accent: "#14523f", OnAccent: "#ffffff"},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Deliver works on the outbox until nothing is due.
func (s *Services) Deliver(t testing.TB) {
	t.Helper()
	for {
		n, err := s.Outbox.Work(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}
