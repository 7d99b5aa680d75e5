package handlers_test

import (
	"net/http"
	"testing"

	"latchkey/internal/testdb"
	"latchkey/models"
)

// TestSettingsRequest checks how the settings page describes the way on which its
// own request arrived.
func TestSettingsRequest(t *testing.T) {
	for _, test := range []struct {
		name, peer, forwarded string
		says                  []string
	}{
		{"direct", "203.0.113.7:1", "", []string{"Your address 203.0.113.7", "Arrived from 203.0.113.7, not a trusted proxy", "X-Forwarded-For Not sent"}},
		{"through a proxy", "10.0.0.1:1", "192.0.2.66, 198.51.100.1", []string{
			"Your address 198.51.100.1", "Arrived from 10.0.0.1, a trusted proxy", "X-Forwarded-For 192.0.2.66, 198.51.100.1",
		}},
		{"through a stranger", "192.168.0.1:1", "198.51.100.1", []string{
			"Your address 192.168.0.1", "Arrived from 192.168.0.1, not a trusted proxy", "The proxy in front of the portal is not trusted",
		}},
		{"a proxy that hides its client", "10.0.0.1:1", "", []string{"Your address Not known", "does not send client addresses"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, testdb.SQLite(t), behindProxy)
			boss, _ := s.signedIn("bo", models.RoleAdmin)
			boss.address = test.peer
			r := boss.request(http.MethodGet, "/admin/settings", "")
			if test.forwarded != "" {
				r.Header.Set("X-Forwarded-For", test.forwarded)
			}
			boss.do(r).status(200).says(test.says...).says("The server’s clock 22 Nov 2026, 12:00:00 UTC")
		})
	}
}
