// Package mail sends letters: it puts them in the outbox, and hands them to a mail
// server or writes them to a folder when the outbox says so.
//
// Package letters has their words, package outbox decides when they are tried. The
// packages that cause a letter decide to send it.
package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"latchkey/internal/outbox"
	"latchkey/models"
	"latchkey/views/letters"
)

// Kind is the kind of the deliveries of this package.
const Kind = "mail"

// Transport hands messages on. It returns the answer of the server. An error that
// is outbox.Final is for good.
type Transport interface {
	Send(ctx context.Context, m Message) (answer string, err error)
}

// Options are what Mail needs.
type Options struct {
	Outbox    *outbox.Outbox
	Transport Transport // nil: no mail can be sent
	From      string    // RFC 5322: "Name <address>"
	Brand     letters.Brand
	Now       func() time.Time
}

// Mail sends letters. It is safe for concurrent use.
type Mail struct {
	outbox    *outbox.Outbox
	transport Transport
	from      string
	brand     letters.Brand
	now       func() time.Time
	again     map[string]AgainFunc
}

// New returns a Mail and sets its handler in the outbox.
func New(o Options) (*Mail, error) {
	if o.Outbox == nil || o.Now == nil {
		return nil, errors.New("mail: Outbox and Now are required")
	}
	m := &Mail{outbox: o.Outbox, transport: o.Transport, from: o.From, brand: o.Brand, now: o.Now, again: map[string]AgainFunc{}}
	m.Again(TopicTest, m.testAgain)
	if m.On() {
		o.Outbox.Handle(Kind, m.deliver)
	}
	return m, nil
}

// On reports whether mail can be sent. A nil Mail sends none.
func (m *Mail) On() bool { return m != nil && m.transport != nil }

// From returns the sender as a message has it: "Name <address>", encoded.
func (m *Mail) From() string { return m.from }

// FromAddress returns the address of the sender without the name.
func (m *Mail) FromAddress() string {
	if m == nil {
		return ""
	}
	address, err := mail.ParseAddress(m.from)
	if err != nil {
		return ""
	}
	return address.Address
}

// Readable returns a sender as people read it, not as a message encodes it.
func Readable(from string) string {
	address, err := mail.ParseAddress(from)
	if err != nil || address.Name == "" {
		return strings.Trim(from, "<>")
	}
	return address.Name + " <" + address.Address + ">"
}

// URL returns the address of a page of the portal, with pairs of query parameters.
// Those without a value are left out.
func (m *Mail) URL(path string, pairs ...string) string {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	if len(query) == 0 {
		return m.brand.URL + path
	}
	return m.brand.URL + path + "?" + query.Encode()
}

// Brand returns the portal's name.
func (m *Mail) Brand() string { return m.brand.Name }

// Envelope says whom a letter goes to and what it is about.
type Envelope struct {
	Topic   string // what it is about: one of the Topic constants
	UserID  string // whose account it is about; empty: nobody's
	Ref     string // what it can be made from again; may be empty
	To      string // a plain address
	Useless time.Duration
}

// sealed is the body of a delivery.
type sealed struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
}

// Put puts a letter into the outbox in the transaction of its cause, and returns
// the id of the delivery. Without a transport it does nothing.
func (m *Mail) Put(ctx context.Context, tx *models.Store, e Envelope, letter letters.Letter) (string, error) {
	if !m.On() || e.To == "" {
		return "", nil
	}
	forms, err := m.brand.Write(ctx, letter)
	if err != nil {
		return "", fmt.Errorf("write a letter about %s: %w", e.Topic, err)
	}
	body, err := json.Marshal(sealed{Subject: letter.Subject, Text: forms.Text, HTML: forms.HTML})
	if err != nil {
		return "", fmt.Errorf("write a letter about %s: %w", e.Topic, err)
	}
	return m.outbox.Put(ctx, tx, outbox.Item{
		Kind: Kind, Topic: e.Topic, UserID: e.UserID, Ref: e.Ref, Recipient: e.To, Body: body, Useless: e.Useless,
	})
}

func (m *Mail) deliver(ctx context.Context, d outbox.Delivery) (string, error) {
	var body sealed
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return "", outbox.Final{Err: fmt.Errorf("read the message: %w", err)}
	}
	return m.transport.Send(ctx, Message{
		ID: d.ID, From: m.from, To: d.Recipient, Date: d.CreatedAt.Time(), Subject: body.Subject, Text: body.Text, HTML: body.HTML,
	})
}
