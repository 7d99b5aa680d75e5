package main

import (
	"net/http"
	"net/netip"
)

// byProxy lets those pass for whom the proxy vouches in Remote-User: it asked
// Latchkey's /forward-auth, and took away whatever the visitor had sent under
// that name. From any other address the header is worth nothing, and neither
// is the request.
func byProxy(proxy netip.Prefix) guard {
	return func(next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			peer, err := netip.ParseAddrPort(r.RemoteAddr)
			if err != nil || !proxy.Contains(peer.Addr().Unmap()) {
				refuse(w, http.StatusForbidden, "This service answers its proxy alone.")
				return
			}
			if users := r.Header.Values("Remote-User"); len(users) != 1 || users[0] == "" {
				refuse(w, http.StatusUnauthorized, "Nobody is signed in.")
				return
			}
			next(w, r)
		}
	}
}
