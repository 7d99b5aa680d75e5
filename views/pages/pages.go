// Package pages holds one template per page, its view model on top.
//
// It decides the texts and fields of a page. A view model has only data to show:
// texts, times and booleans. The handlers decide the permissions, the errors and the
// targets of forms.
package pages

import (
	"cmp"
	"strconv"
)

// newPasswordHint states every rule for passwords. The number comes from the same
// configuration as the check.
func newPasswordHint(least int) string {
	return "At least " + strconv.Itoa(least) + " characters, such as three or four random words. " +
		"You cannot use a well-known password, a simple pattern, your name or this site’s name."
}

// emailOrNone is an email address, or a text if there is none.
func emailOrNone(email string) string { return cmp.Or(email, "no email address") }

// plural writes a number with its noun: "1 device", "2 devices".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}
