package mail

import (
	"bytes"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"latchkey/internal/outbox"
)

// Message is a letter with its addresses.
type Message struct {
	ID      string // of the Message-ID, without the host; the same in every attempt
	From    string // RFC 5322: "Name <address>"
	To      string // a plain address
	Date    time.Time
	Subject string
	Text    string
	HTML    string
}

// envelope is a message as a mail server takes it.
type envelope struct {
	from, to string // addresses as RFC 5321 writes them, without brackets
	utf8     bool   // one of them needs SMTPUTF8 (RFC 6531)
	data     []byte // RFC 5322
}

// envelope writes the message. Its errors are outbox.Final.
func (m Message) envelope() (envelope, error) {
	from, err := parseAddress(m.From)
	if err != nil {
		return envelope{}, outbox.Final{Err: fmt.Errorf("the sender %q is not an email address", m.From)}
	}
	to, err := parseAddress(m.To)
	if err != nil || to.Name != "" {
		return envelope{}, outbox.Final{Err: fmt.Errorf("the recipient %q is not an email address", m.To)}
	}
	if m.ID == "" || strings.ContainsFunc(m.ID, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		return envelope{}, outbox.Final{Err: fmt.Errorf("%q cannot be part of a Message-ID", m.ID)}
	}
	// The same boundary in every attempt: a repeated message is the same to the byte.
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary("latchkey-"+m.ID))
	msg.FromMailAddress(from)
	msg.ToMailAddress(to)
	msg.Subject(oneLine(m.Subject))
	msg.SetDateWithValue(m.Date.UTC())
	msg.SetMessageIDWithValue(m.ID + "@" + domainOf(from.Address))
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	var data bytes.Buffer
	if _, err := msg.WriteTo(&data); err != nil {
		return envelope{}, outbox.Final{Err: fmt.Errorf("write the message: %w", err)}
	}
	e := envelope{from: bare(from), to: bare(to), data: data.Bytes()}
	e.utf8 = !ascii(e.from) || !ascii(e.to)
	return e, nil
}

// parseAddress parses an address with or without a name. An international domain
// comes back in the form that every mail server knows (RFC 5891).
func parseAddress(text string) (*mail.Address, error) {
	if strings.ContainsFunc(text, unicode.IsControl) {
		return nil, fmt.Errorf("%q contains control characters", text)
	}
	address, err := mail.ParseAddress(text)
	if err != nil {
		return nil, err
	}
	if local, domain := cutAddress(address.Address); !ascii(domain) {
		if domain, err = idna.Lookup.ToASCII(domain); err != nil {
			return nil, err
		}
		address.Address = local + "@" + domain
	}
	return address, nil
}

// bare returns an address as RFC 5321 writes it: with quotes around a local part that
// needs them.
func bare(a *mail.Address) string {
	return strings.Trim((&mail.Address{Address: a.Address}).String(), "<>")
}

func cutAddress(address string) (local, domain string) {
	at := strings.LastIndex(address, "@")
	return address[:max(at, 0)], address[at+1:]
}

func domainOf(address string) string {
	_, domain := cutAddress(address)
	return domain
}

func ascii(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

// oneLine replaces control characters: none can begin another header.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == ' ' }), " ")
}
