package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/log"
	"github.com/wneessen/go-mail/smtp"

	"latchkey/internal/outbox"
)

// The time that one attempt may take, and its parts.
const (
	dialTimeout  = 30 * time.Second
	totalTimeout = 5 * time.Minute // RFC 5321 §4.5.3.2 asks for some of it; less than outbox.Lease
	quitTimeout  = 2 * time.Second
)

// SMTPOptions are the settings of a mail server.
type SMTPOptions struct {
	Host        string
	Port        int
	ImplicitTLS bool   // TLS from the first byte; otherwise STARTTLS, except on this machine
	Username    string // empty: the server takes mail without signing in
	Password    []byte
	Hello       string            // the name of this host, as it introduces itself
	Trace       func(line string) // nil, or gets the conversation line by line, without the password and the message
}

// SMTP hands messages to a mail server. It is safe for concurrent use: every message
// has its own connection.
type SMTP struct {
	o            SMTPOptions
	roots        *x509.CertPool // nil: those of the machine
	dial         func(ctx context.Context, network, address string) (net.Conn, error)
	dialTimeout  time.Duration
	totalTimeout time.Duration
}

// NewSMTP returns a transport to a mail server. It does not connect to it yet.
func NewSMTP(o SMTPOptions) *SMTP {
	o.Hello = cmp.Or(o.Hello, "localhost")
	if net.ParseIP(o.Hello) != nil { // an address literal, RFC 5321 §4.1.3
		o.Hello = literal(o.Hello)
	}
	return &SMTP{o: o, dial: (&net.Dialer{}).DialContext, dialTimeout: dialTimeout, totalTimeout: totalTimeout}
}

func literal(ip string) string {
	if strings.Contains(ip, ":") {
		return "[IPv6:" + ip + "]"
	}
	return "[" + ip + "]"
}

// address is the server as messages about it name it.
func (t *SMTP) address() string { return net.JoinHostPort(t.o.Host, strconv.Itoa(t.o.Port)) }

// Send hands a message to the server and returns its answer. An answer of 500 or
// more is outbox.Final; every other failure may pass. No error repeats the password,
// even if the server does.
func (t *SMTP) Send(ctx context.Context, m Message) (answer string, err error) {
	e, err := m.envelope()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, t.totalTimeout)
	defer cancel()
	answer, err = t.converse(ctx, e)
	if err != nil {
		return "", t.explain(err)
	}
	return t.redact(answer), nil
}

// failure is a failure of one step of the conversation.
type failure struct {
	step string
	err  error
}

func (f failure) Error() string { return f.step + ": " + f.err.Error() }
func (f failure) Unwrap() error { return f.err }

func (t *SMTP) converse(ctx context.Context, e envelope) (string, error) {
	client, conn, err := t.open(ctx)
	if err != nil {
		return "", err
	}
	defer conn.close()
	if err := t.introduce(client); err != nil {
		return "", err
	}
	answer, err := hand(client, e)
	t.traceAnswer(answer, err)
	// The answer counts, not how the conversation ends.
	_ = conn.SetDeadline(time.Now().Add(quitTimeout))
	_ = client.Quit()
	return answer, err
}

// conversation is a connection that ends with a context.
type conversation struct {
	net.Conn
	stop func() bool
}

func (c conversation) close() {
	c.stop()
	_ = c.Conn.Close()
}

// open connects and reads the server's greeting. ctx must have a deadline. The caller
// closes the conversation.
func (t *SMTP) open(ctx context.Context) (*smtp.Client, conversation, error) {
	conn, err := t.connect(ctx)
	if err != nil {
		return nil, conversation{}, failure{"connect", err}
	}
	// The deadline ends every read and write; so does the end of ctx.
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		_ = conn.Close()
		return nil, conversation{}, failure{"connect", err}
	}
	c := conversation{conn, context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })}
	client, err := smtp.NewClient(conn, t.o.Host)
	if err != nil {
		c.close()
		return nil, conversation{}, failure{"greeting", err}
	}
	if t.o.Trace != nil {
		client.SetLogger(tracer(t.trace))
		client.SetDebugLog(true)
	}
	return client, c, nil
}

func (t *SMTP) connect(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.dialTimeout)
	defer cancel()
	conn, err := t.dial(ctx, "tcp", t.address())
	if err != nil || !t.o.ImplicitTLS {
		return conn, err
	}
	secure := tls.Client(conn, t.tls())
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

func (t *SMTP) tls() *tls.Config {
	return &tls.Config{ServerName: t.o.Host, RootCAs: t.roots, MinVersion: tls.VersionTLS12}
}

// errNoTLS says that a server would get the message and the password in the clear.
var errNoTLS = errors.New("the server does not offer STARTTLS, and mail leaves this machine only encrypted")

// introduce says hello, encrypts the connection and signs in.
func (t *SMTP) introduce(client *smtp.Client) error {
	if err := client.Hello(t.o.Hello); err != nil {
		return failure{"EHLO", err}
	}
	if t.needsTLS(client) {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return failure{"STARTTLS", errNoTLS}
		}
		if err := client.StartTLS(t.tls()); err != nil {
			return failure{"STARTTLS", err}
		}
	}
	if t.o.Username == "" {
		return nil
	}
	_, offered := client.Extension("AUTH")
	method, err := t.method(strings.Fields(offered))
	if err != nil {
		return failure{"AUTH", err}
	}
	if err := client.Auth(method); err != nil {
		return failure{"AUTH", err}
	}
	return nil
}

// needsTLS reports whether the connection has to be encrypted now: when it leaves this
// machine, and when a server on this machine takes a sign-in only then.
func (t *SMTP) needsTLS(client *smtp.Client) bool {
	if t.o.ImplicitTLS {
		return false
	}
	signsIn, _ := client.Extension("AUTH")
	startTLS, _ := client.Extension("STARTTLS")
	return !loopback(t.o.Host) || t.o.Username != "" && !signsIn && startTLS
}

// method chooses a way to sign in. The connection is encrypted, or does not leave
// this machine.
func (t *SMTP) method(offered []string) (smtp.Auth, error) {
	name, password := t.o.Username, string(t.o.Password)
	for _, mechanism := range offered {
		switch strings.ToUpper(mechanism) {
		case "PLAIN":
			return smtp.PlainAuth("", name, password, t.o.Host, true), nil
		case "LOGIN":
			return smtp.LoginAuth(name, password, t.o.Host, true), nil
		case "SCRAM-SHA-256":
			return smtp.ScramSHA256Auth(name, password), nil
		case "CRAM-MD5":
			return smtp.CRAMMD5Auth(name, password), nil
		}
	}
	if len(offered) == 0 {
		return nil, errors.New("the server offers no way to sign in")
	}
	return nil, fmt.Errorf("the server offers no way to sign in that Latchkey knows, only %s", strings.Join(offered, ", "))
}

// hand gives the message to the server and returns its answer.
func hand(client *smtp.Client, e envelope) (string, error) {
	if offered, _ := client.Extension("SMTPUTF8"); e.utf8 && !offered {
		return "", outbox.Final{Err: errors.New("the server cannot send to addresses with letters outside of ASCII (it does not offer SMTPUTF8)")}
	}
	client.SkipSMTPUTF8(!e.utf8)
	if err := client.Mail("<" + e.from + ">"); err != nil {
		return "", failure{"MAIL", err}
	}
	if err := client.Rcpt("<" + e.to + ">"); err != nil {
		return "", failure{"RCPT", err}
	}
	writer, err := client.Data()
	if err != nil {
		return "", failure{"DATA", err}
	}
	if _, err := writer.Write(e.data); err != nil {
		return "", failure{"message", err}
	}
	if err := writer.Close(); err != nil {
		return "", failure{"end of the message", err}
	}
	answer := "250"
	if data, ok := writer.(*smtp.DataCloser); ok {
		answer += " " + data.ServerResponse()
	}
	return answer, nil
}

// explain returns a failure in words for admins: the server's own, if it answered.
func (t *SMTP) explain(err error) error {
	if final, ok := errors.AsType[outbox.Final](err); ok {
		return final
	}
	step := "connect"
	if f, ok := errors.AsType[failure](err); ok {
		step = f.step
	}
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		said := errors.New(t.redact(fmt.Sprintf("%d %s", answer.Code, answer.Msg)))
		if answer.Code >= 500 {
			return outbox.Final{Err: said}
		}
		return said
	}
	where := t.address()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s did not answer in time (%s)", where, step)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s closed the connection (%s)", where, step)
	}
	return errors.New(t.redact(where + " (" + step + "): " + cause(err).Error()))
}

// cause leaves out the names of steps.
func cause(err error) error {
	if f, ok := errors.AsType[failure](err); ok {
		return f.err
	}
	return err
}

// loopback reports whether a connection to a host stays on this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func (t *SMTP) trace(line string) {
	if t.o.Trace != nil {
		t.o.Trace(t.redact(line))
	}
}

// traceAnswer passes on the last answer about a message, which package smtp leaves
// out of the conversation.
func (t *SMTP) traceAnswer(answer string, err error) {
	if refused, ok := errors.AsType[*textproto.Error](err); ok {
		answer = fmt.Sprintf("%d %s", refused.Code, refused.Msg)
	}
	if answer != "" {
		t.trace("< " + answer)
	}
}

// tracer passes the lines of a conversation on. Package smtp leaves out what signs in.
type tracer func(line string)

func (f tracer) line(l log.Log) {
	mark := "> "
	if l.Direction == log.DirServerToClient {
		mark = "< "
	}
	text := strings.ReplaceAll(fmt.Sprintf(l.Format, l.Messages...), "<SMTP auth data redacted>", "(signing in)")
	for line := range strings.Lines(text) {
		f(mark + strings.TrimRight(line, "\r\n"))
	}
}

// Debugf, Infof, Warnf and Errorf make it a logger of go-mail.
func (f tracer) Debugf(l log.Log) { f.line(l) }
func (f tracer) Infof(l log.Log)  { f.line(l) }
func (f tracer) Warnf(l log.Log)  { f.line(l) }
func (f tracer) Errorf(l log.Log) { f.line(l) }
