package proxytest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"latchkey/models"
)

// bigUploads checks that files of every size arrive complete, even if the client does
// not know the size in advance. A signed-out client's upload never arrives.
func bigUploads(w *world) {
	w.person("lea", "", models.RoleUser)
	b := w.browser()
	b.signIn("lea", appURL+"/")
	for _, megabytes := range []int{2, 50} {
		content := bytes.Repeat([]byte("0123456789abcdef"), megabytes<<16)
		sum := sha256.Sum256(content)
		for _, sized := range []bool{true, false} {
			var body io.Reader = bytes.NewReader(content)
			if !sized {
				body = io.MultiReader(body) // hides the size
			}
			r := b.request(http.MethodPost, appURL+"/files", body)
			response, err := b.client.Do(r)
			if err != nil {
				w.t.Errorf("%d MB, size known %v: %v", megabytes, sized, err)
				continue
			}
			var got seen
			err = json.NewDecoder(response.Body).Decode(&got)
			_ = response.Body.Close()
			if response.StatusCode != http.StatusOK || err != nil || got.User != "lea" || got.Sum != hex.EncodeToString(sum[:]) {
				w.t.Errorf("%d MB, size known %v: got %s, %v; the app has %d bytes from %q", megabytes, sized, response.Status, err, got.Size, got.User)
			}
		}
	}
	mark := "an upload while signed out"
	r := w.browser().request(http.MethodPost, appURL+"/files", bytes.NewReader(make([]byte, 2<<20)))
	r.Header.Set("X-Request-Mark", mark)
	if response, err := b.transport.RoundTrip(r); err == nil { // a proxy may close the connection instead
		_ = response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			w.t.Errorf("an upload while signed out: got %s", response.Status)
		}
	}
	if w.app.got(mark) {
		w.t.Error("an upload while signed out reaches the app")
	}
}

// request returns a request from a script of the app.
func (b *browser) request(method, address string, body io.Reader) *http.Request {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Mode", "cors")
	r.Header.Set("Accept", "*/*")
	return r
}

// eventStream checks that server-sent events reach the client one at a time.
func eventStream(w *world) {
	w.person("mia", "", models.RoleUser)
	b := w.browser()
	b.signIn("mia", appURL+"/")
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	r := b.request(http.MethodGet, appURL+"/events?"+w.t.Name(), nil).WithContext(ctx)
	r.Header.Set("Accept", "text/event-stream")
	response, err := b.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	next := func() string {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return data
			}
		}
		return fmt.Sprintf("the end: %v", lines.Err())
	}
	if got := next(); got != "mia" {
		w.t.Fatalf("the first event is %q", got)
	}
	close(w.app.waiting(w.t.Name()))
	if got := next(); got != "second" {
		w.t.Errorf("the second event is %q", got)
	}
	w.browser().send(http.MethodGet, appURL+"/events", "", "Accept", "text/event-stream", "Sec-Fetch-Mode", "cors").status(http.StatusUnauthorized)
}

// webSocket checks that a WebSocket opens for the signed-in person, whatever identity
// headers the client sends, carries bytes in both directions, and does not open
// while signed out.
func webSocket(w *world) {
	w.person("nik", "", models.RoleUser)
	b := w.browser()
	b.signIn("nik", appURL+"/")
	open := func(b *browser) *http.Response {
		r := b.request(http.MethodGet, appURL+"/ws", nil)
		for name, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
			"Origin": appURL, "Sec-Fetch-Mode": "websocket", "Remote-User": "root-of-all",
		} {
			r.Header.Set(name, value)
		}
		for _, c := range b.jar.Cookies(mustURL(appURL + "/")) {
			r.AddCookie(c)
		}
		response, err := b.transport.RoundTrip(r)
		if err != nil {
			w.t.Fatal(err)
		}
		return response
	}
	refused := open(w.browser())
	_ = refused.Body.Close()
	if refused.StatusCode != http.StatusUnauthorized {
		w.t.Errorf("while signed out: got %s", refused.Status)
	}
	response := open(b)
	defer func() { _ = response.Body.Close() }()
	socket, ok := response.Body.(io.ReadWriter)
	if response.StatusCode != http.StatusSwitchingProtocols || !ok || response.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		w.t.Fatalf("got %s, %v", response.Status, response.Header)
	}
	lines := bufio.NewReader(socket)
	if user, err := lines.ReadString('\n'); user != "nik\n" {
		w.t.Fatalf("the socket belongs to %q, %v", user, err)
	}
	for n := range 3 {
		sent := fmt.Sprintf("message %d\n", n)
		if _, err := io.WriteString(socket, sent); err != nil {
			w.t.Fatal(err)
		}
		if got, err := lines.ReadString('\n'); got != sent {
			w.t.Fatalf("sent %q, got %q, %v", sent, got, err)
		}
	}
}
