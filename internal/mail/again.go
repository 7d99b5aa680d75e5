package mail

import (
	"context"
	"fmt"
	"time"

	"latchkey/internal/apperr"
	"latchkey/models"
	"latchkey/views/letters"
)

// AgainFunc makes the message of a delivery anew and puts it into the outbox, in the
// transaction tx. It returns apperr.Conflict with a sentence when there is no reason
// for the message any more.
type AgainFunc func(ctx context.Context, tx *models.Store, d models.Delivery) error

// Again sets how the messages of a topic are made anew when an admin sends one again:
// the body of a message is erased when it is over. Call it before the portal runs.
func (m *Mail) Again(topic string, f AgainFunc) {
	if m != nil {
		m.again[topic] = f
	}
}

// CanRepeat reports whether the messages of a topic can be made anew.
func (m *Mail) CanRepeat(topic string) bool { return m.On() && m.again[topic] != nil }

// Repeat makes the message of a delivery anew.
func (m *Mail) Repeat(ctx context.Context, tx *models.Store, d models.Delivery) error {
	if !m.CanRepeat(d.Topic) {
		return apperr.New(apperr.Conflict, "This message cannot be sent again.", nil)
	}
	return m.again[d.Topic](ctx, tx, d)
}

// testUseless is so short that a test is tried only once: who sends a test wants to
// read what the server says.
const testUseless = time.Minute

// PutTest puts a test message into the outbox and returns the id of its delivery.
func (m *Mail) PutTest(ctx context.Context, tx *models.Store, to string) (string, error) {
	return m.Put(ctx, tx, Envelope{Topic: TopicTest, To: to, Useless: testUseless}, m.test())
}

func (m *Mail) testAgain(ctx context.Context, tx *models.Store, d models.Delivery) error {
	_, err := m.PutTest(ctx, tx, d.Recipient)
	return err
}

// NewTest returns a Mail that can only SendTest: it has no outbox.
func NewTest(o Options) *Mail {
	return &Mail{transport: o.Transport, from: o.From, brand: o.Brand, now: o.Now}
}

// SendTest sends a test message now, without the outbox, and returns the answer of
// the server.
func (m *Mail) SendTest(ctx context.Context, to string) (answer string, err error) {
	letter := m.test()
	forms, err := m.brand.Write(ctx, letter)
	if err != nil {
		return "", fmt.Errorf("write a test message: %w", err)
	}
	return m.transport.Send(ctx, Message{
		ID: models.NewID(), From: m.from, To: to, Date: m.now(), Subject: letter.Subject, Text: forms.Text, HTML: forms.HTML,
	})
}

func (m *Mail) test() letters.Letter {
	return letters.Letter{
		Subject: "Test message from " + m.brand.Name,
		Text: []string{
			"This message shows that mail from " + m.brand.Name + " arrives. An admin sent it to try out the settings.",
			"There is nothing to do.",
		},
		Facts: []letters.Fact{{Label: "Sent", Value: letters.Time(m.now())}, {Label: "Sender", Value: Readable(m.from)}},
	}
}
