package programs

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// xoauth2 is the client for golang.org/x/oauth2. The package has neither
// introspection nor revocation.
func xoauth2(t *testing.T, p *portal) (version string, done []string) {
	t.Helper()
	username, ctx := p.person(t), t.Context()
	config := &oauth2.Config{ClientID: "reports", Scopes: []string{"me"}, Endpoint: oauth2.Endpoint{TokenURL: p.url + "/token"}}
	step := func(name string) { done = append(done, name) }

	first, err := config.PasswordCredentialsToken(ctx, username, password)
	if err != nil || first.Type() != "Bearer" || first.Extra("scope") != "me" || time.Until(first.Expiry) > 5*time.Minute {
		t.Fatalf("sign in: %+v, %v", first, err)
	}
	step(signIn)
	if status, name := p.me(t, config.Client(ctx, first)); status != http.StatusOK || name != username {
		t.Fatalf("GET /users/me: got status %d and %q", status, name)
	}
	step(use)

	old := *first
	old.Expiry = time.Now().Add(-time.Second)
	source := config.TokenSource(ctx, &old)
	second, err := source.Token()
	if err != nil || second.RefreshToken == first.RefreshToken {
		t.Fatalf("refresh: %+v, %v", second, err)
	}
	if status, _ := p.me(t, oauth2.NewClient(ctx, source)); status != http.StatusOK {
		t.Fatalf("GET /users/me with the new token: got status %d", status)
	}
	step(refresh)

	_, err = config.PasswordCredentialsToken(ctx, username, "wrong")
	wantRefused(t, "a wrong password", err)
	step(wrong)

	_, err = config.TokenSource(ctx, &old).Token()
	wantRefused(t, "a used refresh token", err)
	if status, _ := p.me(t, oauth2.NewClient(ctx, oauth2.StaticTokenSource(second))); status != http.StatusUnauthorized {
		t.Errorf("a token of the session that a copy ended: got status %d", status)
	}
	step(reuse)
	return moduleVersion(t, "golang.org/x/oauth2"), done
}

// wantRefused checks that the package understands the error of RFC 6749 §5.2.
func wantRefused(t *testing.T, what string, err error) {
	t.Helper()
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || refused.ErrorCode != "invalid_grant" || refused.ErrorDescription == "" {
		t.Fatalf("%s: %v", what, err)
	}
}

// me reads the account of a client.
func (p *portal) me(t *testing.T, client *http.Client) (status int, username string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, p.url+"/users/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var account struct{ Username string }
	if err := json.NewDecoder(response.Body).Decode(&account); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, account.Username
}
