package main

import (
	"net/http"
	"net/netip"
)

// byProxy lets a request pass if it comes from the proxy and has a Remote-User.
// The proxy has asked Latchkey's /forward-auth and replaced any Remote-User that
// the client sent. Requests from any other address are refused, because their
// Remote-User cannot be trusted.
func byProxy(proxy netip.Prefix) guard {
	return func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			peer, err := netip.ParseAddrPort(r.RemoteAddr)
			if err != nil || !proxy.Contains(peer.Addr().Unmap()) {
				refuse(w, http.StatusForbidden, "This service answers only its proxy.")
				return
			}
			if users := r.Header.Values("Remote-User"); len(users) != 1 || users[0] == "" {
				refuse(w, http.StatusUnauthorized, "You are not signed in.")
				return
			}
			next(w, r)
		}
	}
}
