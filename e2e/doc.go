// Package e2e drives the built portal in Chromium the way a person does: with
// and without script, in light and dark, on a phone, and with only a keyboard.
//
// It tests pages as a whole. The tests of package handlers check what a single
// route returns and who may use it. Package e2e is a module of its own, so that
// the browser driver does not become a dependency of the portal.
//
// The portal is built once. Each test starts it on an empty database and has its
// own context, with its own cookies, in one shared browser. Package
// testdb provides the databases. go.mod repeats its dependencies: when they
// change in the portal's go.mod, run go mod tidy here too. Three variables
// change a run:
//
//   - LATCHKEY_E2E_DATABASE=postgres: each portal has a PostgreSQL database
//     instead of an SQLite file.
//   - LATCHKEY_TEST_STRICT=1: if Chromium, or PostgreSQL when it is requested, is
//     missing, tests fail instead of being skipped.
//   - LATCHKEY_E2E_SCREENSHOTS=DIR: screenshots of every page that is checked
//     for accessibility are saved there.
package e2e
