package proxytest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"latchkey/models"
)

// restarts restarts the portal repeatedly, with failures in between, while clients
// post. Every 2xx comes from the app, and no client is told to sign in.
func restarts(w *world) {
	w.person("kurt", "", models.RoleUser)
	b := w.browser()
	b.signIn("kurt", appURL+"/")
	var sent, passed, refused atomic.Int64
	var clients sync.WaitGroup
	done := make(chan struct{})
	for client := range 8 {
		clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				sent.Add(1)
				switch problem, ok := b.postMarked(fmt.Sprintf("%d-%d", client, n)); {
				case problem != "":
					w.t.Error(problem)
				case ok:
					passed.Add(1)
				default:
					refused.Add(1)
				}
			}
		})
	}
	for range 10 {
		w.portal.failing.Store(true)
		before, refusals := passed.Load(), refused.Load()
		waitFor(w.t, "a refusal", func() bool { return refused.Load() > refusals+5 })
		w.portal.failing.Store(false)
		w.portal.restart(w.t)
		waitFor(w.t, "requests that pass", func() bool { return passed.Load() > before+5 })
	}
	close(done)
	clients.Wait()
	w.t.Logf("%d sent, %d passed, %d refused", sent.Load(), passed.Load(), refused.Load())
}

// postMarked posts to the app and returns an error for an unexpected response. ok
// says whether the app sent it.
func (b *browser) postMarked(mark string) (problem string, ok bool) {
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, appURL+"/save", strings.NewReader(mark))
	if err != nil {
		return err.Error(), false
	}
	r.Header.Set("X-Request-Mark", mark)
	r.Header.Set("Sec-Fetch-Mode", "cors")
	response, err := (&http.Client{Transport: b.transport, Jar: b.jar, Timeout: patience}).Do(r)
	if err != nil {
		return err.Error(), false
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error(), false
	}
	if response.StatusCode >= 500 {
		return "", false
	}
	var s seen
	sum := sha256.Sum256([]byte(mark))
	if response.StatusCode != http.StatusOK || json.Unmarshal(text, &s) != nil || s.Sum != hex.EncodeToString(sum[:]) || s.User != "kurt" || !b.app.got(mark) {
		return fmt.Sprintf("POST %s: got %s, app served it: %v\n%s", mark, response.Status, b.app.got(mark), text), false
	}
	return "", true
}
