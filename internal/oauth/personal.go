package oauth

import (
	"crypto/rand"
	"strings"
)

// PersonalPrefix starts every personal access token, so that scanners find
// tokens that were published by mistake.
const PersonalPrefix = "lk_"

// A personal access token is the prefix and two random texts of 26 letters and
// digits, 130 bits each: lk_[a-z2-7]{52}.
const personalLength = len(PersonalPrefix) + 2*26

// NewPersonalSecret returns the text of a new personal access token.
func NewPersonalSecret() string { return PersonalPrefix + strings.ToLower(rand.Text()+rand.Text()) }

// IsPersonalSecret reports whether text has the form of a personal access token.
func IsPersonalSecret(text string) bool {
	return len(text) == personalLength && strings.HasPrefix(text, PersonalPrefix)
}
