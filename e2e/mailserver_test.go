package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// The account of the portal at the mail server.
const mailUser, mailPassword = "portal@example.org", "eight brisk terns"

// mailServer is an SMTP server that takes mail only after TLS and a sign-in.
type mailServer struct {
	t   *testing.T
	url string // for LATCHKEY_SMTP_URL
	ca  string // the file with its certificate

	mu       sync.Mutex
	messages []letter
}

// letter is a message as it arrived.
type letter struct {
	from, to   string // of the envelope
	header     mail.Header
	subject    string
	text, html string
	size       int // in bytes, as it was sent
}

// startWithMail starts a portal and a mail server: with TLS from the start, or after
// STARTTLS.
func startWithMail(t *testing.T, fromStart bool, env ...string) (*portal, *mailServer) {
	t.Helper()
	s := startMailServer(t, fromStart)
	env = append([]string{
		"LATCHKEY_SMTP_URL=" + s.url, "SSL_CERT_FILE=" + s.ca, "LATCHKEY_MAIL_FROM=Example Accounts <accounts@example.org>",
	}, env...)
	return startPortal(t, env...), s
}

func startMailServer(t *testing.T, fromStart bool) *mailServer {
	t.Helper()
	certificate, ca := newCertificate(t)
	s := &mailServer{t: t, ca: ca}
	server := smtp.NewServer(s)
	server.Domain, server.EnableSMTPUTF8, server.AllowInsecureAuth = "localhost", true, false
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme := "smtp"
	if fromStart {
		scheme, listener = "smtps", tls.NewListener(listener, server.TLSConfig)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	s.url = scheme + "://" + strings.ReplaceAll(mailUser, "@", "%40") + ":" + strings.ReplaceAll(mailPassword, " ", "%20") + "@localhost:" + port
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

// newCertificate returns a certificate for localhost, and the file that a client trusts
// it by.
func newCertificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}

// NewSession begins a connection.
func (s *mailServer) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return &mailSession{server: s, conn: c}, nil
}

type mailSession struct {
	server   *mailServer
	conn     *smtp.Conn
	signedIn bool
	from, to string
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != mailUser || password != mailPassword {
			return errors.New("wrong name or password")
		}
		s.signedIn = true
		return nil
	}), nil
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	if _, secure := s.conn.TLSConnectionState(); !secure || !s.signedIn {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return nil }
func (s *mailSession) Reset()                                    {}
func (s *mailSession) Logout() error                             { return nil }

func (s *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	l, err := readLetter(data)
	if err != nil {
		return err
	}
	l.from, l.to = s.from, s.to
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.messages = append(s.server.messages, l)
	return nil
}

// readLetter reads a message with a text and an HTML part (RFC 2046 §5.1.4).
func readLetter(data []byte) (letter, error) {
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		return letter{}, err
	}
	l := letter{header: m.Header, size: len(data)}
	if l.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return letter{}, err
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return letter{}, errors.New("not multipart/alternative")
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return l, nil
		}
		if err != nil {
			return letter{}, err
		}
		var body io.Reader = part
		if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
			body = quotedprintable.NewReader(part)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			return letter{}, err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			l.html = string(text)
		} else {
			l.text = strings.ReplaceAll(string(text), "\r\n", "\n")
		}
	}
}

// all returns every message, the latest last.
func (s *mailServer) all() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// wait returns the latest message to an address whose subject begins as given.
func (s *mailServer) wait(to, subject string) letter {
	s.t.Helper()
	var found letter
	waitFor(s.t, "the message "+subject+" to "+to, func() bool {
		for _, l := range s.all() {
			if l.to == to && strings.HasPrefix(l.subject, subject) {
				found = l
			}
		}
		return found.subject != ""
	})
	return found
}

// link returns the path of the only link to a page in a message, as both forms have it.
func (s *mailServer) link(l letter, p *portal, page string) string {
	s.t.Helper()
	pattern := regexp.MustCompile(regexp.QuoteMeta(p.url+page) + `\?[^\s"<]+`)
	text, html := pattern.FindString(l.text), strings.ReplaceAll(pattern.FindString(l.html), "&amp;", "&")
	if text == "" || text != html {
		s.t.Fatalf("%q: the link to %s is %q in the text and %q in the HTML:\n%s", l.subject, page, text, html, l.text)
	}
	return strings.TrimPrefix(text, p.url)
}
