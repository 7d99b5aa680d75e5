package pages

import (
	"strings"
	"time"

	"github.com/a-h/templ"

	"latchkey/views/components"
)

// AppForm is the data of the page to set up an authenticator app.
type AppForm struct {
	// Replaces says that the account has another app, which the new one replaces.
	Replaces bool
	// Key is the secret of the app in base32, URL the same for a program
	// ("otpauth://totp/…").
	Key string
	URL string
	// Picture is the path of a QR code with the URL, in a white square of PictureSize
	// by PictureSize units.
	Picture     string
	PictureSize int
	// Next is where the person goes afterwards, "" for the security page.
	Next string
	// Now is the time of the portal when a code was refused; else zero.
	Now    time.Time
	Errors components.Errors
}

// link is the URL for the href of a link. templ knows only the schemes of web pages and
// mail; this one opens an authenticator app.
func (f AppForm) link() templ.SafeURL {
	if !strings.HasPrefix(f.URL, "otpauth://totp/") {
		return ""
	}
	return templ.SafeURL(f.URL)
}

// groups is the key in groups of four, as people type it.
func (f AppForm) groups() string {
	var b strings.Builder
	for i, r := range f.Key {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// AppOffView is the data of the page to turn off two-step sign-in.
type AppOffView struct {
	// Needed says that the person cannot, because their account needs the app.
	Needed bool
	// Passkeys is how many the account has.
	Passkeys int
}

// question asks before two-step sign-in is turned off.
func (v AppOffView) question() components.Confirmation {
	text := []string{
		"Your password alone will be enough to sign in. Your authenticator app and your recovery codes stop working.",
		"Your other devices are signed out. This device stays signed in.",
	}
	if v.Passkeys > 0 {
		text[0] += " Your passkeys keep working."
	}
	return components.Confirmation{
		Heading: "Turn off two-step sign-in?", Text: text, Action: "/profile/security/app/off",
		Button: "Turn off two-step sign-in", Busy: "Turning off…", Cancel: "/profile/security",
	}
}

// MakeCodes asks before new recovery codes are made.
func MakeCodes(recovery Recovery) components.Confirmation {
	left := "You have " + plural(recovery.Left, "recovery code", "recovery codes") + " left."
	if recovery.Left == 0 {
		left = "You have no recovery codes left."
	}
	return components.Confirmation{
		Heading: "Make new recovery codes?",
		Text:    []string{left + " You get 10 new ones, and the old ones stop working.", "Your devices stay signed in."},
		Action:  "/profile/security/codes", Button: "Make new codes", Busy: "Making codes…", Style: components.Primary, Cancel: "/profile/security",
	}
}

// RecoveryCodesView is the data of the page that shows new recovery codes.
type RecoveryCodesView struct {
	// Start says that two-step sign-in was turned on a moment ago.
	Start bool
	// Name is the username, for paper.
	Name  string
	Codes []string
	Made  time.Time
	// Carried are the codes for the form, sealed, and File is the URL of a file with
	// them.
	Carried string
	File    string
	// Next is where the person goes afterwards, "" for the security page.
	Next   string
	Errors components.Errors
}

// saved is the box to say that the codes are saved.
func (v RecoveryCodesView) saved() components.Check {
	check := components.Check{Name: "saved", Label: "I have saved these codes"}
	if v.Errors.For("saved") != "" {
		check.DescribedBy = "saved-error"
	}
	return check
}
