// Package factor makes and checks the codes of a second step: those of an
// authenticator app (RFC 6238) and recovery codes.
//
// It knows no accounts. Package auth decides which codes are looked at, how often,
// and uses them up.
package factor

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6238: what every app understands; HMAC does not need collision resistance
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// SecretSize is the length of the secret of an app in bytes (RFC 4226 §4, R6).
const SecretSize = 20

// Step is how long a code is shown (RFC 6238 §5.2).
const Step = 30 * time.Second

const digits = 6

// The words for codes of an app that are refused, the same on every page.
const (
	WrongCode = "That code is not correct. Codes change every 30 seconds, so check for a new one."
	UsedCode  = "That code was already used. Wait for the next one."
)

// NewSecret returns the secret of a new app.
func NewSecret() []byte {
	secret := make([]byte, SecretSize)
	rand.Read(secret) // never fails
	return secret
}

// Key returns a secret as apps take it: base32 without padding.
func Key(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// URL returns the otpauth URL of a secret, which a QR code carries to the app. issuer
// is the portal's name and account the person's name in it.
func URL(secret []byte, issuer, account string) string {
	query := url.Values{
		"secret": {Key(secret)}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {fmt.Sprint(digits)}, "period": {fmt.Sprint(int(Step.Seconds()))},
	}
	// A colon separates the two, so neither may have one. Apps do not read "+" as a
	// space.
	label := url.PathEscape(strings.ReplaceAll(issuer, ":", " ")) + ":" + url.PathEscape(strings.ReplaceAll(account, ":", " "))
	return "otpauth://totp/" + label + "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
}

// StepAt returns the number of the time step at an instant.
func StepAt(at time.Time) int64 { return at.Unix() / int64(Step.Seconds()) }

// Code returns the code of a time step (RFC 4226 §5.3).
func Code(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, step) // a hash never fails
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%0*d", digits, number%1_000_000)
}

// Match returns the time step of a code, and whether it is one of the three that are
// accepted at now: a phone may be up to one step ahead or behind (RFC 6238 §5.2).
// code is as Tidy returns it.
func Match(secret []byte, code string, now time.Time) (step int64, ok bool) {
	current := StepAt(now)
	for _, candidate := range []int64{current, current - 1, current + 1} { // all three: the time does not tell which
		if subtle.ConstantTimeCompare([]byte(Code(secret, candidate)), []byte(code)) == 1 && !ok {
			step, ok = candidate, true
		}
	}
	return step, ok
}

// Tidy removes the spaces and hyphens with which codes are shown and copied.
func Tidy(typed string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '\t', '\r', '\n', '\u00a0', '\u2009', '\u202f', '\u2010', '\u2011', '\u2012', '\u2013':
			return -1
		}
		return r
	}, typed)
}

// IsCode reports whether a tidy text has the form of an app's code.
func IsCode(tidy string) bool {
	if len(tidy) != digits {
		return false
	}
	return strings.Trim(tidy, "0123456789") == ""
}
