package bench

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"latchkey/internal/auth"
)

// BenchmarkAPI is what a client of the API asks for most, without the network.
func BenchmarkAPI(b *testing.B) {
	eachPortal(b, func(b *testing.B, p *portal) {
		tokens, err := p.auth.PasswordGrant(b.Context(), auth.PasswordGrant{Username: "ada", Password: secretWord}, auth.Client{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run("users-me", func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, publicURL+"/users/me", nil)
			r.Header.Set("User-Agent", userAgent)
			r.Header.Set("Authorization", "Bearer "+tokens.Access)
			b.ReportAllocs()
			defer reportCPU(b)()
			for b.Loop() {
				w := &sink{header: http.Header{}}
				if p.pages.ServeHTTP(w, r); w.status != http.StatusOK {
					b.Fatalf("status %d", w.status)
				}
			}
		})
	})
}
