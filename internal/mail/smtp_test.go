package mail_test

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"latchkey/internal/mail"
	"latchkey/internal/outbox"
)

func sample() mail.Message {
	return mail.Message{
		ID: "0123456789abcdef", From: "Käse & Co <no-reply@portal.example>", To: "ana@example.org",
		Date: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Subject: "Reset your password at Käse & Co",
		Text: "Hello Ana,\n\n.\n..two dots\nopen https://portal.example/reset?token=abc=def\n" + strings.Repeat("é", 2000) + "\n",
		HTML: "<p>Hello <b>Ana</b></p>\n",
	}
}

// client returns a transport to a server that is not this machine. Redirect says where
// it is.
func client(change func(*mail.SMTPOptions)) *mail.SMTP {
	o := mail.SMTPOptions{Host: serverName, Port: 587, Username: user, Password: []byte(password), Hello: "portal.example"}
	if change != nil {
		change(&o)
	}
	return mail.NewSMTP(o)
}

// TestDelivered checks that a message arrives as it was sent, over TLS and over
// STARTTLS.
func TestDelivered(t *testing.T) {
	for name, implicit := range map[string]bool{"TLS": true, "STARTTLS": false} {
		t.Run(name, func(t *testing.T) {
			var box inbox
			address, roots := box.serve(t, implicit, func(*gosmtp.Server) {})
			transport := client(func(o *mail.SMTPOptions) { o.ImplicitTLS = implicit })
			transport.Redirect(address, roots, time.Minute)
			m := sample()
			for range 2 {
				answer, err := transport.Send(t.Context(), m)
				if err != nil || !strings.HasPrefix(answer, "250 2.0.0 OK") {
					t.Fatalf("got %q, %v", answer, err)
				}
			}
			got := box.all()
			if len(got) != 2 || got[0] != got[1] {
				t.Fatalf("got %d messages, want the same one twice", len(got))
			}
			if !got[0].SignedIn || got[0].UTF8 || got[0].From != "no-reply@portal.example" || got[0].To != m.To {
				t.Errorf("got the envelope %+v", got[0])
			}
			checkMessage(t, got[0].Data, m)
		})
	}
}

// checkMessage checks the headers and the parts of a message.
func checkMessage(t *testing.T, data string, want mail.Message) {
	t.Helper()
	parsed, err := netmail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	headers := map[string]string{}
	for name, values := range parsed.Header {
		headers[name] = strings.Join(values, " | ")
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(headers["Subject"])
	if err != nil {
		t.Fatal(err)
	}
	headers["Subject"] = subject
	kind, params, err := mime.ParseMediaType(headers["Content-Type"])
	if err != nil {
		t.Fatal(err)
	}
	delete(headers, "Content-Type")
	from, _ := netmail.ParseAddress(want.From)
	wantHeaders := map[string]string{
		"Auto-Submitted": "auto-generated", "Date": want.Date.Format(time.RFC1123Z), "From": from.String(), "To": "<" + want.To + ">",
		"Message-Id": "<" + want.ID + "@portal.example>", "Mime-Version": "1.0", "Subject": want.Subject,
	}
	if diff := cmp.Diff(wantHeaders, headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if kind != "multipart/alternative" {
		t.Errorf("type: got %s", kind)
	}
	parts := multipart.NewReader(parsed.Body, params["boundary"])
	for _, part := range []struct{ kind, text string }{{"text/plain", want.Text}, {"text/html", want.HTML}} {
		p, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		if kind := p.Header.Get("Content-Type"); kind != part.kind+"; charset=UTF-8" || p.Header.Get("Content-Transfer-Encoding") != "quoted-printable" {
			t.Errorf("part: got the header %v", p.Header)
		}
		if diff := cmp.Diff(part.text, strings.ReplaceAll(string(body), "\r\n", "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", part.kind, diff)
		}
	}
	for line := range strings.Lines(data) {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
}

// TestAddresses checks which addresses reach the server, and how.
func TestAddresses(t *testing.T) {
	var with, without inbox
	for _, test := range []struct {
		to, rcpt string
		utf8     bool
		fails    string // instead
	}{
		{to: "ana@example.org", rcpt: "ana@example.org"},
		{to: `"a b\"c"@example.org`, rcpt: `a b"c@example.org`}, // go-smtp takes the quotes off
		{to: "o'brien+x@example.org", rcpt: "o'brien+x@example.org"},
		{to: "ana@bücher.example", rcpt: "ana@xn--bcher-kva.example"},
		{to: "jörg@bücher.example", rcpt: "jörg@xn--bcher-kva.example", utf8: true},
		{to: "", fails: "not an email address"},
		{to: "Ana <ana@example.org>", fails: "not an email address"},
		{to: "ana@example.org, bo@example.org", fails: "not an email address"},
		{to: "ana@example.org\r\nRCPT TO:<bo@example.org>", fails: "not an email address"},
		{to: "ana@example.org>\r\nDATA", fails: "not an email address"},
		{to: "\"a\r\nb\"@example.org", fails: "not an email address"},
		{to: "ana@exa\nmple.org", fails: "not an email address"},
		{to: "ana@-bad-.exämple", fails: "not an email address"},
	} {
		t.Run(test.to, func(t *testing.T) {
			for _, box := range []*inbox{&with, &without} {
				box.list = nil
				address, roots := box.serve(t, false, func(s *gosmtp.Server) { s.EnableSMTPUTF8 = box == &with })
				transport := client(nil)
				transport.Redirect(address, roots, time.Minute)
				m := sample()
				m.To = test.to
				_, err := transport.Send(t.Context(), m)
				fails := test.fails
				if box == &without && test.utf8 {
					fails = "does not offer SMTPUTF8"
				}
				if fails != "" {
					wantFinal(t, err, fails)
					if len(box.all()) > 0 {
						t.Errorf("the server got %+v", box.all())
					}
					continue
				}
				if got := box.all(); err != nil || len(got) != 1 || got[0].To != test.rcpt || got[0].UTF8 != test.utf8 {
					t.Errorf("got %+v, %v", got, err)
				}
			}
		})
	}
}

func wantFinal(t *testing.T, err error, text string) {
	t.Helper()
	if _, final := errors.AsType[outbox.Final](err); !final || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v, want a final error that says %q", err, text)
	}
}

// TestHeaders checks that no field of a message begins another header.
func TestHeaders(t *testing.T) {
	const evil = "\r\nBcc: eve@example.org\r\n\r\nbody"
	for name, change := range map[string]func(*mail.Message){
		"subject":            func(m *mail.Message) { m.Subject = "Hello" + evil },
		"subject, LF":        func(m *mail.Message) { m.Subject = "Hello\nBcc: eve@example.org" },
		"subject, not ASCII": func(m *mail.Message) { m.Subject = "Käse" + evil },
		"subject, long":      func(m *mail.Message) { m.Subject = strings.Repeat("Hello ", 200) + evil },
		"text":               func(m *mail.Message) { m.Text = evil },
		"HTML":               func(m *mail.Message) { m.HTML = evil },
		"from":               func(m *mail.Message) { m.From = "Portal <a@portal.example>" + evil },
		"from, name":         func(m *mail.Message) { m.From = "\"Portal" + evil + "\" <a@portal.example>" },
		"to":                 func(m *mail.Message) { m.To += evil },
		"id":                 func(m *mail.Message) { m.ID += evil },
	} {
		t.Run(name, func(t *testing.T) {
			var box inbox
			address, roots := box.serve(t, false, func(*gosmtp.Server) {})
			transport := client(nil)
			transport.Redirect(address, roots, time.Minute)
			m := sample()
			change(&m)
			if _, err := transport.Send(t.Context(), m); err != nil {
				if got := box.all(); len(got) > 0 {
					t.Errorf("the server got %+v", got)
				}
				return
			}
			parsed, err := netmail.ReadMessage(strings.NewReader(box.all()[0].Data))
			if err != nil {
				t.Fatal(err)
			}
			if got := parsed.Header.Get("Bcc"); got != "" || len(parsed.Header) != 8 {
				t.Errorf("got the headers %v", parsed.Header)
			}
		})
	}
}

// TestRefused lets a server refuse each step, for good and for now, hang up and stay
// silent: the error has the server's own words and says whether it is for good.
func TestRefused(t *testing.T) {
	for _, step := range []string{"connect", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "end"} {
		for reply, want := range map[string]string{
			"554 5.7.1 we do not like you":                      "554 5.7.1 we do not like you",
			"550-first line\r\n550 second line":                 "550 first line\nsecond line",
			"421 4.3.2 try later":                               "421 4.3.2 try later",
			"535 5.7.8 not " + password:                         "535 5.7.8 not …",
			"535 5.7.8 AHBvcnRhbABodW50ZXIyICYgbW9yZQ== is bad": "535 5.7.8 … is bad",
			hangUp:      "closed the connection (",
			silent:      "did not answer in time (",
			"nonsense!": "short response",
		} {
			t.Run(step+", "+reply, func(t *testing.T) {
				if step == "EHLO" && reply != hangUp && reply != silent {
					checkRefused(t, script{step: reply, "HELO": reply}, reply, want)
					return
				}
				checkRefused(t, script{step: reply}, reply, want)
			})
		}
	}
}

// checkRefused sends a message to a script on this machine, where no TLS is needed.
func checkRefused(t *testing.T, s script, reply, want string) {
	t.Helper()
	total := time.Minute
	if reply == silent {
		total = 100 * time.Millisecond
	}
	address := s.serve(t)
	transport := mail.NewSMTP(mail.SMTPOptions{Host: "localhost", Port: 25, Username: user, Password: []byte(password)})
	transport.Redirect(address, nil, total)
	_, err := transport.Send(t.Context(), sample())
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("got %v, want an error that says %q", err, want)
	}
	if _, final := errors.AsType[outbox.Final](err); final != strings.HasPrefix(reply, "5") {
		t.Errorf("%v: final is %t", err, final)
	}
	if strings.Contains(err.Error(), password) {
		t.Errorf("the password is in %q", err)
	}
}

// TestNoTLS checks that neither a message nor a password leaves this machine in the
// clear, and that a certificate has to be right.
func TestNoTLS(t *testing.T) {
	_, otherRoots := certificate(t, "other.example.org")
	for _, test := range []struct {
		name  string
		serve func(t *testing.T, transport *mail.SMTP)
		want  string
	}{
		{"not offered", func(t *testing.T, transport *mail.SMTP) {
			transport.Redirect(script{}.serve(t), nil, time.Minute)
		}, "mail.example.org:587 (STARTTLS): the server does not offer STARTTLS"},
		{"refused for now", func(t *testing.T, transport *mail.SMTP) {
			transport.Redirect(script{"EHLO": "250-x\r\n250 STARTTLS", "STARTTLS": "454 4.7.0 no TLS at the moment"}.serve(t), nil, time.Minute)
		}, "454 4.7.0 no TLS at the moment"},
		{"hangs up", func(t *testing.T, transport *mail.SMTP) {
			transport.Redirect(script{"EHLO": "250-x\r\n250 STARTTLS", "STARTTLS": hangUp}.serve(t), nil, time.Minute)
		}, "closed the connection (STARTTLS)"},
		{"not TLS", func(t *testing.T, transport *mail.SMTP) {
			transport.Redirect(script{"EHLO": "250-x\r\n250 STARTTLS", "STARTTLS": "220 go on"}.serve(t), nil, time.Minute)
		}, "(STARTTLS): tls: first record does not look like a TLS handshake"},
		{"untrusted", func(t *testing.T, transport *mail.SMTP) {
			var box inbox
			address, _ := box.serve(t, false, func(*gosmtp.Server) {})
			transport.Redirect(address, otherRoots, time.Minute)
		}, "certificate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			transport := client(nil)
			test.serve(t, transport)
			_, err := transport.Send(t.Context(), sample())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that says %q", err, test.want)
			}
			if _, final := errors.AsType[outbox.Final](err); final {
				t.Errorf("%v is for good", err)
			}
		})
	}
	t.Run("another name, TLS", func(t *testing.T) {
		var box inbox
		address, roots := box.serve(t, true, func(*gosmtp.Server) {})
		transport := client(func(o *mail.SMTPOptions) { o.Host, o.ImplicitTLS = "smtp.example.org", true })
		transport.Redirect(address, roots, time.Minute)
		if _, err := transport.Send(t.Context(), sample()); err == nil || !strings.Contains(err.Error(), "not smtp.example.org") {
			t.Errorf("got %v, want an error about the name in the certificate", err)
		}
	})
}

// TestNoServer checks the words when nothing listens.
func TestNoServer(t *testing.T) {
	listener := listen(t)
	_, text, _ := net.SplitHostPort(listener.Addr().String())
	port, _ := strconv.Atoi(text)
	_ = listener.Close()
	_, err := mail.NewSMTP(mail.SMTPOptions{Host: "127.0.0.1", Port: port}).Send(t.Context(), sample())
	if err == nil || !strings.HasPrefix(err.Error(), "127.0.0.1:"+text+" (connect): ") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
}

// TestWrongPassword checks the words of a real server, and that a conversation does
// not show what signs in.
func TestWrongPassword(t *testing.T) {
	var box inbox
	address, roots := box.serve(t, false, func(*gosmtp.Server) {})
	var lines []string
	transport := client(func(o *mail.SMTPOptions) {
		o.Password, o.Trace = []byte("not it"), func(line string) { lines = append(lines, line) }
	})
	transport.Redirect(address, roots, time.Minute)
	_, err := transport.Send(t.Context(), sample())
	wantFinal(t, err, "535 5.7.8 Authentication failed")
	text := strings.Join(lines, "\n")
	for _, want := range []string{"> EHLO portal.example", "> STARTTLS", "< 535 5.7.8 Authentication failed"} {
		if !strings.Contains(text, want) {
			t.Errorf("the conversation does not have %q:\n%s", want, text)
		}
	}
	for _, hidden := range []string{"not it", "bm90IGl0", "AHBvcnRhbABub3QgaXQ"} {
		if strings.Contains(text, hidden) {
			t.Errorf("the conversation has %q:\n%s", hidden, text)
		}
	}
}

// TestTry checks that the server is tried as for a message, and gets none.
func TestTry(t *testing.T) {
	var box inbox
	address, roots := box.serve(t, false, func(*gosmtp.Server) {})
	try := func(change func(*mail.SMTPOptions)) error {
		transport := client(change)
		transport.Redirect(address, roots, time.Minute)
		return transport.Try(t.Context())
	}
	if err := try(func(*mail.SMTPOptions) {}); err != nil {
		t.Error(err)
	}
	err := try(func(o *mail.SMTPOptions) { o.Password = []byte("not it") })
	wantFinal(t, err, "535 5.7.8 Authentication failed")
	if n := len(box.all()); n != 0 {
		t.Errorf("the server got %d messages", n)
	}
}
