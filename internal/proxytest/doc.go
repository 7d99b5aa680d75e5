// Package proxytest holds the tests of forward-auth behind real reverse
// proxies (nginx, Caddy, HAProxy, Apache and Traefik), configured by the files of
// examples/forward-auth, in front of a portal and an app. Some tests use an app by
// other people.
package proxytest
