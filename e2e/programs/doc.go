// Package programs runs OAuth programs that other people wrote against a real
// portal: they get tokens with a password, refresh and reuse them, check whether they
// are valid, revoke them, and get errors. A program that is not installed is
// skipped; with LATCHKEY_TEST_STRICT=1 its test fails.
//
// clients holds one client per program, in the language of the program. It tells
// the test of each step that succeeded. The package is a module of its own, so
// that golang.org/x/oauth2 does not become a dependency of the portal.
package programs
