package letters

// Reset is a letter with a reset link.
type Reset struct {
	Name  string
	Link  string
	Next  string // the page that the person wanted to open; part of Link
	First bool   // the person has never had a password
	// Secured says that the account was secured a moment ago, so that its password
	// no longer works.
	Secured bool
}

// Letter returns the letter.
func (r Reset) Letter() Letter {
	l := Letter{
		Subject: "Reset your password", Name: r.Name,
		Text:   []string{"Someone, probably you, asked for a link to reset the password of your account."},
		Button: Link{"Choose a new password", r.Link},
		After:  []string{"The link works once, within 30 minutes. If you did not ask for it, ignore this message: your password stays as it is."},
	}
	switch {
	case r.Secured:
		l.Subject = "Your account is secured: choose a new password"
		l.Text = []string{"Your account is secured. Every device is signed out, every access token is removed, and the old password no longer works."}
		l.After = []string{"The link works once, within 30 minutes. If it has expired, use “Forgot password?” on the sign-in page."}
	case r.First:
		l.Subject, l.Button.Label = "Choose your password", "Choose a password"
		l.Text = []string{"Someone, probably you, asked for a link to choose the password of your account."}
		l.After = []string{"The link works once, within 30 minutes. If you did not ask for it, ignore this message."}
	}
	return l
}

// ResetDisabled is the letter to a person who asked for a reset link while their
// account is disabled.
func ResetDisabled(name string) Letter {
	return Letter{
		Subject: "Your account is disabled", Name: name,
		Text: []string{
			"Someone, probably you, asked for a link to reset the password of your account.",
			"The account is disabled, so its password cannot be changed and nobody can sign in to it.",
		},
		After: []string{"If you think that this is a mistake, ask an admin. If you did not ask for the link, ignore this message."},
	}
}
