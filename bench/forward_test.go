package bench

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkForwardAuth measures the question of a reverse proxy about a request for
// a protected app.
func BenchmarkForwardAuth(b *testing.B) {
	eachPortal(b, func(b *testing.B, p *portal) {
		r := httptest.NewRequest(http.MethodGet, publicURL+"/forward-auth", nil)
		r.RemoteAddr = "127.0.0.1:4711"
		for name, value := range map[string]string{
			"User-Agent": userAgent, "Cookie": "access=" + p.tokens.Access + "; refresh=" + p.tokens.Refresh,
			"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https",
			"X-Forwarded-Host": "app.example.org", "X-Forwarded-Uri": "/documents/2026/november?page=2",
		} {
			r.Header.Set(name, value)
		}
		b.ReportAllocs()
		defer reportCPU(b)()
		for b.Loop() {
			w := &sink{header: http.Header{}}
			p.pages.ServeHTTP(w, r)
			if w.status != http.StatusOK || w.header.Get("Remote-User") != "ada" {
				b.Fatalf("status %d, headers %v", w.status, w.header)
			}
		}
	})
}
