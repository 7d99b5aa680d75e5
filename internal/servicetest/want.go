package servicetest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"latchkey/internal/apperr"
	"latchkey/internal/audit"
	"latchkey/internal/auth"
	"latchkey/models"
)

// WantKind checks the class of an error; "" is no error.
func WantKind(t *testing.T, what string, err error, want apperr.Kind) {
	t.Helper()
	if got := apperr.KindOf(err); got != want || err != nil && want == "" {
		t.Errorf("%s: %v (kind %q), want kind %q", what, err, got, want)
	}
}

// WantWait checks that an error says to wait, and how long.
func WantWait(t *testing.T, what string, err error, want time.Duration) {
	t.Helper()
	if got := apperr.Details(err).RetryAfter; apperr.KindOf(err) != apperr.TooMany || got != want {
		t.Errorf("%s: %v, wait %v; want to wait %v", what, err, got, want)
	}
}

// FieldsOf returns the wrong fields in their order.
func FieldsOf(err error) []string {
	var fields apperr.Fields
	if !errors.As(err, &fields) {
		return nil
	}
	var names []string
	for _, field := range fields {
		names = append(names, field.Field)
	}
	return names
}

// leeway is how long past its exp a token still counts (docs/security.md).
const leeway = 5 * time.Second

// WantOver checks that neither token works, and the reason. An expired access
// token reveals nothing about its session.
func (p *Portal) WantOver(tokens *auth.Tokens, reason models.Reason) {
	p.T.Helper()
	for name, presented := range map[string]auth.Presented{
		"both":    {Access: tokens.Access, Refresh: tokens.Refresh},
		"access":  {Access: tokens.Access},
		"refresh": {Refresh: tokens.Refresh},
	} {
		result := p.Present(presented.Access, presented.Refresh)
		over := name != "access" || p.Clock.Now().Before(tokens.AccessExpires.Add(leeway))
		if result.Identity != nil || result.Tokens != nil || result.Over != over {
			p.T.Errorf("%s: signed in %v, tokens %v, over %v; want no one, and over %v",
				name, result.Identity != nil, result.Tokens != nil, result.Over, over)
		}
		if name != "access" && result.Ended != reason {
			p.T.Errorf("%s: ended %q, want %q", name, result.Ended, reason)
		}
	}
}

// Events counts the lines of the audit log with an event.
func (p *Portal) Events(name string) int64 {
	p.T.Helper()
	n, err := p.Store.Audit.CountSince(p.T.Context(), name, time.UnixMicro(0))
	if err != nil {
		p.T.Fatal(err)
	}
	return n
}

// WantDetail checks the details of the latest line of the audit log with an event.
func (p *Portal) WantDetail(name, want string) {
	p.T.Helper()
	page, err := p.Store.Audit.List(p.T.Context(), models.AuditQuery{Actions: []string{name}, Limit: 1})
	if err != nil || len(page.Events) != 1 || audit.Detail(page.Events[0]) != want {
		p.T.Errorf("%s: got %+v (%v), want detail %q", name, page.Events, err, want)
	}
}

// Decoded returns the header and the claims of a token.
func Decoded(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	for i, into := range []*map[string]any{&header, &claims} {
		data, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

// SID returns the session of an access token.
func (p *Portal) SID(tokens *auth.Tokens) string {
	p.T.Helper()
	_, claims := Decoded(p.T, tokens.Access)
	return claims["sid"].(string)
}
