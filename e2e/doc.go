// Package e2e drives the built portal in Chromium, the way a person does: with
// and without script, in light and dark, on a phone, by keyboard alone.
//
// It decides whether the pages work as a whole. What one route answers, and
// who may use it, is decided by the tests of package handlers. It is a module
// of its own so that the browser's driver never enters the portal's.
//
// The tests build the portal once, start it anew on an empty database for each
// test, and share one browser; every test has a browser context, and so a
// cookie store, of its own. The databases are those of package testdb, whose
// dependencies go.mod repeats: after they change in the portal's, go mod tidy
// is due here too. Three variables change a run:
//
//   - LATCHKEY_E2E_DATABASE=postgres: each portal has a PostgreSQL database
//     instead of an SQLite file.
//   - LATCHKEY_TEST_STRICT=1: no Chromium, or no PostgreSQL where it is asked
//     for, is a failure instead of a skip.
//   - LATCHKEY_E2E_SCREENSHOTS=DIR: pictures of every page that is checked for
//     accessibility are left there.
package e2e
