package proxytest

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"latchkey/models"
)

// manyTabs checks that twenty pages and twenty scripts that send requests at the same
// time with an expired access token all succeed.
func manyTabs(w *world) {
	w.person("kim", "", models.RoleUser)
	b := w.browser()
	b.signIn("kim", appURL+"/")
	for round := range 3 {
		w.advance(6 * time.Minute)
		var group sync.WaitGroup
		results := make([]string, 40)
		for i := range results {
			mode := []string{"navigate", "cors"}[i%2]
			group.Go(func() { results[i] = b.wake(fmt.Sprintf("%s/tab-%d", appURL, i/2), mode) })
		}
		group.Wait()
		for i, got := range results {
			if got != "" {
				w.t.Errorf("round %d, request %d: %s", round, i, got)
			}
		}
	}
}

// wake requests a page of the app, follows redirects, and returns a description of
// any failure. It is safe for concurrent use on the same browser.
func (b *browser) wake(address, mode string) string {
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		return err.Error()
	}
	r.Header.Set("Accept", "text/html,*/*;q=0.8")
	r.Header.Set("Sec-Fetch-Mode", mode)
	response, err := (&http.Client{Transport: b.transport, Jar: b.jar, Timeout: patience}).Do(r)
	if err != nil {
		return err.Error()
	}
	_ = response.Body.Close()
	if at := response.Request.URL.String(); response.StatusCode != http.StatusOK || at != address {
		return fmt.Sprintf("%s ends at %s: %s", address, at, response.Status)
	}
	return ""
}
