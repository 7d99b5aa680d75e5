package config

import (
	"cmp"
	"net"
	"net/mail"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// Mail says how messages are sent.
type Mail struct {
	// Folder is the folder that each message is written to as a file, empty unless
	// that is how mail is sent.
	Folder string
	// Host and Port are the mail server; the host is empty if there is none.
	Host string
	Port int
	// ImplicitTLS says that the connection begins with TLS. Otherwise the client
	// asks for it with STARTTLS, and a server that does not offer it is refused
	// unless it is this machine.
	ImplicitTLS bool
	// Username and Password sign in to the server; empty: it takes mail without.
	Username string
	Password Secret
	// From is the sender, as RFC 5322 writes it.
	From string
}

// SMTP reports whether mail goes to a mail server.
func (m Mail) SMTP() bool { return m.Host != "" }

// On reports whether any mail is sent.
func (m Mail) On() bool { return m.SMTP() || m.Folder != "" }

// VerifyEmail says whether people have to prove that their address is theirs.
type VerifyEmail string

// The policies.
const (
	VerifyOff      VerifyEmail = "off"
	VerifyOn       VerifyEmail = "on"       // they are asked to
	VerifyRequired VerifyEmail = "required" // they can do nothing else before
)

// mailFolder is the name of the folder for messages that are not sent.
const mailFolder = "mail"

// mail reads how mail is sent. It needs the public URL, the brand and the
// database.
func (l *loader) mail(c *Config) Mail {
	m := l.smtpURL(c)
	m.From = l.mailFrom(c)
	return m
}

func (l *loader) smtpURL(c *Config) Mail {
	value, ok := l.secretValue(nameSMTPURL)
	if !ok {
		return Mail{}
	}
	if value == "" {
		if c.PublicURL == "" || !c.Loopback() {
			return Mail{}
		}
		folder := filepath.Join("data", mailFolder)
		if c.Database.Dialect == SQLite {
			folder = filepath.Join(filepath.Dir(c.Database.Path), mailFolder)
		}
		return Mail{Folder: folder}
	}
	if folder, isFolder := strings.CutPrefix(value, "file:"); isFolder {
		if folder == "" {
			l.problem(nameSMTPURL, "has no folder after file:; set it to file: and the path of a folder, such as file:data/mail")
		}
		return Mail{Folder: filepath.Clean(folder)}
	}
	return l.mailServer(value)
}

// mailServer reads smtp:// and smtps:// URLs. Its problems never repeat the value,
// which may hold a password.
func (l *loader) mailServer(value string) Mail {
	const form = "set it to smtps://USER:PASSWORD@HOST:465, smtp://USER:PASSWORD@HOST:587 or file:FOLDER"
	u, err := url.Parse(value)
	if err != nil {
		l.problem(nameSMTPURL, "is not a URL; percent-encode special characters in the password, and %s", form)
		return Mail{}
	}
	port, portErr := strconv.Atoi(cmp.Or(u.Port(), map[string]string{"smtps": "465", "smtp": "587"}[u.Scheme], "0"))
	switch {
	case u.Scheme != "smtp" && u.Scheme != "smtps":
		l.problem(nameSMTPURL, "does not begin with smtps://, smtp:// or file:; %s", form)
	case u.Hostname() == "":
		l.problem(nameSMTPURL, "names no host; %s", form)
	case portErr != nil || port < 1 || port > 65535:
		l.problem(nameSMTPURL, "has a port that is not a number from 1 to 65535; %s", form)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		l.problem(nameSMTPURL, "has something after the host and the port; %s", form)
	case u.User != nil && !complete(u.User):
		l.problem(nameSMTPURL, "needs both a user and a password, without control characters; leave out both if the server takes mail without; %s", form)
	default:
		m := Mail{Host: u.Hostname(), Port: port, ImplicitTLS: u.Scheme == "smtps"}
		if u.User != nil {
			password, _ := u.User.Password()
			m.Username, m.Password = u.User.Username(), NewSecret([]byte(password))
		}
		return m
	}
	return Mail{}
}

// complete reports whether a user and a password are both there and can be sent.
func complete(user *url.Userinfo) bool {
	password, _ := user.Password()
	for _, word := range []string{user.Username(), password} {
		if word == "" || strings.ContainsFunc(word, unicode.IsControl) {
			return false
		}
	}
	return true
}

// mailFrom reads the sender. The default is the brand at the public URL's host.
func (l *loader) mailFrom(c *Config) string {
	value := l.value(nameMailFrom)
	if value == "" {
		host := "localhost"
		if u, err := url.Parse(c.PublicURL); err == nil && u.Hostname() != "" {
			host = u.Hostname()
		}
		switch ip := net.ParseIP(host); {
		case ip == nil:
		case ip.To4() != nil:
			host = "[" + host + "]" // RFC 5321 §4.1.3
		default:
			host = "localhost" // net/mail reads no IPv6 literal of RFC 5321
		}
		return (&mail.Address{Name: c.Brand.Name, Address: "no-reply@" + host}).String()
	}
	address, err := mail.ParseAddress(value)
	if err != nil || strings.ContainsAny(value, "\r\n") || len(address.Address) > maxEmail {
		l.problem(nameMailFrom, "is %s; set it to an address, such as Example Accounts <no-reply@example.org>", quote(value))
		return ""
	}
	return address.String()
}

// verifyEmail reads the policy. Without a value it depends on whether mail goes to
// a server. If the server or the public URL has a problem of its own, verifyEmail
// does not report another one.
func (l *loader) verifyEmail(c *Config) VerifyEmail {
	if l.getenv(nameVerifyEmail) == "" {
		if c.Mail.SMTP() {
			return VerifyOn
		}
		return VerifyOff
	}
	policy := VerifyEmail(l.choice(nameVerifyEmail, string(VerifyOn), string(VerifyOff), string(VerifyRequired)))
	unset := l.getenv(nameSMTPURL) == "" && l.getenv(nameSMTPURL+fileSuffix) == ""
	if policy != VerifyOff && unset && !c.Mail.On() && c.PublicURL != "" {
		l.problem(nameVerifyEmail, "is %s, but no mail can be sent; set %s, or set it to off", policy, nameSMTPURL)
	}
	return policy
}
