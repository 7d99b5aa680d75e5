// Package proxytest holds the tests of forward-auth behind real reverse
// proxies: nginx and Caddy, configured by the very files of
// examples/forward-auth, in front of a portal and of the example app.
package proxytest
