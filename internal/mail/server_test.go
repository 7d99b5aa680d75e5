package mail_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
)

const (
	serverName = "mail.example.org"
	user       = "portal"
	password   = "hunter2 & more"
)

// certificate returns a certificate for a name, and the pool that trusts it.
func certificate(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// received is a message that a server took.
type received struct {
	From, To, Data string
	UTF8, SignedIn bool
}

// inbox is a mail server of go-smtp.
type inbox struct {
	mu   sync.Mutex
	list []received
}

func (b *inbox) all() []received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.list
}

type inboxSession struct {
	b *inbox
	r received
}

func (s *inboxSession) Reset() { s.r = received{SignedIn: s.r.SignedIn} }

func (s *inboxSession) Logout() error { return nil }

func (s *inboxSession) Mail(from string, o *gosmtp.MailOptions) error {
	s.r.From, s.r.UTF8 = from, o.UTF8
	return nil
}

func (s *inboxSession) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	s.r.To = to
	return nil
}

func (s *inboxSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	s.r.Data = string(data)
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.list = append(s.b.list, s.r)
	return err
}

func (s *inboxSession) AuthMechanisms() []string { return []string{sasl.Plain, sasl.Login} }

func (s *inboxSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, name, word string) error {
		if name != user || word != password {
			return gosmtp.ErrAuthFailed
		}
		s.r.SignedIn = true
		return nil
	}), nil
}

// serve starts a server of go-smtp and returns its address. With implicit, it speaks
// TLS from the first byte.
func (b *inbox) serve(t *testing.T, implicit bool, change func(*gosmtp.Server)) (address string, roots *x509.CertPool) {
	t.Helper()
	cert, roots := certificate(t, serverName)
	server := gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) { return &inboxSession{b: b}, nil }))
	server.Domain = serverName
	server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.ErrorLog = quiet{}
	change(server)
	listener := listen(t)
	address = listener.Addr().String()
	if implicit {
		listener = tls.NewListener(listener, server.TLSConfig)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return address, roots
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

// Special replies of a script.
const (
	hangUp = "hang up"
	silent = "silent"
)

// script is a server that replies to each step as written, and otherwise as a server
// that takes everything. The steps are connect, EHLO, STARTTLS, AUTH, MAIL, RCPT,
// DATA and end.
type script map[string]string

var polite = script{
	"connect": "220 " + serverName, "EHLO": "250-" + serverName + "\r\n250-AUTH PLAIN\r\n250 8BITMIME", "HELO": "250 " + serverName,
	"STARTTLS": "502 5.5.1 no", "AUTH": "235 2.7.0 welcome", "MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok", "DATA": "354 go on",
	"end": "250 2.0.0 Ok: queued as 7", "RSET": "250 Ok", "QUIT": "221 Bye", "*": "501 5.7.0 cancelled", "NOOP": "250 Ok",
}

// serve starts the server and returns its address.
func (s script) serve(t *testing.T) string {
	t.Helper()
	listener := listen(t)
	var group sync.WaitGroup
	done := make(chan struct{})
	t.Cleanup(func() { close(done); _ = listener.Close(); group.Wait() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			group.Go(func() { s.talk(conn, done) })
		}
	}()
	return listener.Addr().String()
}

func (s script) talk(conn net.Conn, done chan struct{}) {
	defer func() { _ = conn.Close() }()
	reply := func(step string) bool {
		text, ok := s[step]
		if !ok {
			if text, ok = polite[step]; !ok {
				text = "500 5.5.2 what?"
			}
		}
		switch text {
		case hangUp:
			return false
		case silent:
			<-done
			return false
		}
		_, err := fmt.Fprintf(conn, "%s\r\n", text)
		return err == nil
	}
	if !reply("connect") {
		return
	}
	lines := bufio.NewScanner(conn)
	inData := false
	for lines.Scan() {
		line := lines.Text()
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		switch {
		case inData && line == ".":
			inData, verb = false, "end"
		case inData:
			continue
		}
		if !reply(verb) {
			return
		}
		inData = verb == "DATA" && (s[verb] == "" || strings.HasPrefix(s[verb], "354"))
	}
}
