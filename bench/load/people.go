package main

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
)

// password is what everybody in the bench signs in with.
const password = "correct horse battery staple 7"

// signUp creates n accounts through the portal's own pages and returns their
// names and sessions.
func signUp(addr string, n int) (names []string, sessions []session, err error) {
	c, err := dial(addr)
	if err != nil {
		return nil, nil, err
	}
	defer c.close()
	for range n {
		name := "bench-" + strings.ToLower(rand.Text()[:12])
		form := url.Values{"username": {name}, "email": {name + "@example.org"}, "full_name": {"Bench Person"}, "password": {password}}
		s, err := tokens(c, post(addr, "/signup", "", form.Encode()))
		if err != nil {
			return nil, nil, fmt.Errorf("create an account: %w", err)
		}
		names, sessions = append(names, name), append(sessions, s)
	}
	return names, sessions, nil
}

// signIn signs a person in with the bench's password.
func signIn(addr, name string) (session, error) {
	c, err := dial(addr)
	if err != nil {
		return session{}, err
	}
	defer c.close()
	return tokens(c, signInRequest(addr, name))
}

func signInRequest(addr, name string) []byte {
	return post(addr, "/login", "", url.Values{"username": {name}, "password": {password}, "remember": {"on"}}.Encode())
}

// tokens sends a form that signs somebody in and returns the cookies.
func tokens(c *client, request []byte) (session, error) {
	if err := c.do(request); err != nil {
		return session{}, err
	}
	s := session{access: c.cookie("access"), refresh: c.cookie("refresh")}
	if c.status != 303 || s.access == "" || s.refresh == "" {
		return session{}, fmt.Errorf("%s: status %d and no tokens", firstLine(request), c.status)
	}
	return s, nil
}
