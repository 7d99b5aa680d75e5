// Package programs tests the portal with OAuth programs by other people: they get
// tokens with a password, refresh and reuse them, check whether they are valid,
// revoke them, and receive errors. A program that is not installed is skipped;
// with LATCHKEY_TEST_STRICT=1 its test fails.
//
// The directory clients has one client per program, in the program's language. It
// prints each step that succeeded. The package is a separate module, so that
// golang.org/x/oauth2 does not become a dependency of the portal.
package programs
