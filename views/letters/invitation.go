package letters

import "time"

// Invitation invites someone to create an account. url is the link, until when it
// works.
func Invitation(brand, url string, until time.Time) Letter {
	return Letter{
		Subject: "You are invited to " + brand,
		Text: []string{
			"You are invited to create an account at " + brand + ". Open the page below and choose a username and a password.",
		},
		Button: Link{Label: "Create your account", URL: url},
		After: []string{
			"The link works once, until " + Time(until) + ".",
			"If you did not expect this, ignore this message. No account is created until you choose a password.",
		},
	}
}
