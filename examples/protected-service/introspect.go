package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// portalPatience bounds how long a request waits for Latchkey.
	portalPatience = 2 * time.Second
	// maxIntrospection bounds Latchkey's response in bytes.
	maxIntrospection = 64 << 10
)

// portal asks a running Latchkey about tokens.
type portal struct {
	endpoint string
	token    string // an access token with the scope introspect
	client   *http.Client
}

func newPortal(address *url.URL, token string) *portal {
	return &portal{
		endpoint: address.JoinPath("introspect").String(), token: token,
		client: &http.Client{
			Timeout: portalPatience,
			// Our token must go to no other address.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// introspection is Latchkey's response about a token (RFC 7662 §2.2).
type introspection struct {
	Active    bool   `json:"active"`
	TokenType string `json:"token_type"`
	Scope     string `json:"scope"`
	Username  string `json:"username"`
}

// may reports whether the token is usable here, and whether it has the scope. A
// refresh token is active too, but grants no access, so it is not usable.
func (i introspection) may(scope string) (usable, allowed bool) {
	usable = i.Active && i.TokenType == "Bearer"
	return usable, usable && slices.Contains(strings.Fields(i.Scope), scope)
}

// introspect asks Latchkey about a token. After an error, nothing is known about
// the token.
func (p *portal) introspect(ctx context.Context, token string) (found introspection, err error) {
	form := strings.NewReader(url.Values{"token": {token}}.Encode())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.endpoint, form)
	if err != nil {
		return introspection{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+p.token)
	response, err := p.client.Do(request)
	if err != nil {
		return introspection{}, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return introspection{}, fmt.Errorf("POST %s: %s", p.endpoint, response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxIntrospection)).Decode(&found); err != nil {
		return introspection{}, fmt.Errorf("read the response of %s: %w", p.endpoint, err)
	}
	return found, nil
}

// byIntrospection lets a request pass if Latchkey confirms its bearer token.
// Responses are not cached, so a token that ended a second ago is refused. If
// Latchkey cannot be asked, every request is refused.
func byIntrospection(p *portal, scope string, logger *slog.Logger) guard {
	return func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			token, problem := bearer(r)
			if problem != "" || token == "" {
				challenge(w, http.StatusUnauthorized, problem, "", "Not authenticated")
				return
			}
			found, err := p.introspect(r.Context(), token)
			if err != nil {
				logger.ErrorContext(r.Context(), "introspect token", "error", err)
				w.Header().Set("Retry-After", "5")
				refuse(w, http.StatusServiceUnavailable, "Access tokens cannot be checked right now. Try again in a few seconds.")
				return
			}
			switch usable, allowed := found.may(scope); {
			case !usable:
				challenge(w, http.StatusUnauthorized, "invalid_token", "", "Could not validate credentials")
			case !allowed:
				challenge(w, http.StatusForbidden, "insufficient_scope", scope, "The access token lacks the scope "+scope+".")
			default:
				logger.InfoContext(r.Context(), "let in", "user", found.Username, "path", r.URL.Path)
				next(w, r)
			}
		}
	}
}

// bearer returns the token of the Authorization header (RFC 6750 §2.1), or "" if
// there is none. problem is the error code for a header that cannot be parsed.
func bearer(r *http.Request) (token, problem string) {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return "", ""
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ""
	}
	if token == "" || strings.ContainsAny(token, " \t,") {
		return "", "invalid_token"
	}
	return token, ""
}

// challenge refuses a request as RFC 6750 §3 requires.
func challenge(w http.ResponseWriter, status int, code, scope, detail string) {
	header := `Bearer realm="protected-service"`
	if code != "" {
		header += `, error="` + code + `"`
	}
	if scope != "" {
		header += `, scope="` + scope + `"`
	}
	w.Header().Set("WWW-Authenticate", header)
	refuse(w, status, detail)
}
