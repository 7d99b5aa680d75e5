package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// answerTimeout bounds one exchange. A server that takes longer is broken.
const answerTimeout = 30 * time.Second

// errChunked says that an answer has no length (RFC 9112 §7.1).
var errChunked = errors.New("the answer is chunked, which this client does not read")

// client is one keep-alive connection that sends prepared bytes. It costs a
// fraction of what net/http's client does: the driver and the server share the
// cores.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	answer
}

// answer is what came back. Its slices hold until the next exchange.
type answer struct {
	status  int
	cookies [][]byte // the values of Set-Cookie
	place   []byte   // the value of Location
	body    []byte
	header  int // bytes of the status line and the header
}

func dial(addr string) (*client, error) {
	conn, err := net.DialTimeout("tcp", addr, answerTimeout)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

func (c *client) close() { _ = c.conn.Close() }

// do sends a request and reads the answer.
func (c *client) do(request []byte) error {
	if err := c.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	length, err := c.readHeader()
	if err != nil {
		return fmt.Errorf("read the answer's header: %w", err)
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	for n := 0; n < length; {
		m, err := c.in.Read(c.body[n:])
		if n += m; err != nil {
			return fmt.Errorf("read the answer's body: %w", err)
		}
	}
	return nil
}

// readHeader reads up to the empty line and returns the length of the body.
func (c *client) readHeader() (length int, err error) {
	line, err := c.line()
	if err != nil {
		return 0, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, fmt.Errorf("not an HTTP/1.1 status line: %q", line)
	}
	if c.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	c.header, c.cookies, c.place = len(line)+2, c.cookies[:0], c.place[:0]
	for {
		if line, err = c.line(); err != nil || len(line) == 0 {
			c.header += 2
			return length, err
		}
		c.header += len(line) + 2
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch string(name) {
		case "Content-Length":
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		case "Set-Cookie":
			c.cookies = append(c.cookies, bytes.Clone(value))
		case "Location":
			c.place = append(c.place, value...)
		case "Transfer-Encoding":
			return 0, errChunked
		}
	}
}

func (c *client) line() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	return bytes.TrimSuffix(line, []byte("\r\n")), err
}

// cookie returns the value that the answer sets a cookie to, "" if it does not.
func (a *answer) cookie(name string) string {
	for _, line := range a.cookies {
		if rest, ok := bytes.CutPrefix(line, []byte(name+"=")); ok {
			value, _, _ := bytes.Cut(rest, []byte(";"))
			return string(value)
		}
	}
	return ""
}

// browser is the header that a browser sends with every request; the floor
// gets the same.
const browser = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
	"Accept-Language: en-US,en;q=0.5\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\n" +
	"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\n"

// get returns a GET of path. cookies is the value of the Cookie header; ""
// sends none.
func get(host, path, cookies string) []byte {
	return appendGet(nil, host, path, cookies)
}

func appendGet(b []byte, host, path, cookies string) []byte {
	b = append(b, "GET "+path+" HTTP/1.1\r\nHost: "+host+"\r\n"+browser...)
	if cookies != "" {
		b = append(b, "Cookie: "+cookies+"\r\n"...)
	}
	return append(b, "\r\n"...)
}

// post returns a POST of a form.
func post(host, path, cookies, form string) []byte {
	b := []byte("POST " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + browser +
		"Origin: http://" + host + "\r\nContent-Type: application/x-www-form-urlencoded\r\n" +
		"Content-Length: " + strconv.Itoa(len(form)) + "\r\n")
	if cookies != "" {
		b = append(b, "Cookie: "+cookies+"\r\n"...)
	}
	return append(append(b, "\r\n"...), form...)
}
