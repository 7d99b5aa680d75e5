package factor

import (
	"crypto/rand"
	"strings"
)

// RecoveryCodes is how many recovery codes a set has.
const RecoveryCodes = 10

// recoveryLength is the length of a code: 50 bits.
const recoveryLength = 10

// recoveryAlphabet has 32 letters and digits without those that are mistaken for one
// another (i, l, o and u; Crockford's base32).
const recoveryAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// NewRecoveryCodes returns a new set of codes, as TidyRecovery writes them.
func NewRecoveryCodes() []string {
	codes := make([]string, RecoveryCodes)
	random := make([]byte, RecoveryCodes*recoveryLength)
	rand.Read(random) // never fails
	for i := range codes {
		var code strings.Builder
		for _, b := range random[i*recoveryLength : (i+1)*recoveryLength] {
			code.WriteByte(recoveryAlphabet[b%32])
		}
		codes[i] = code.String()
	}
	return codes
}

// ShowRecovery writes a code in two groups, as people read it.
func ShowRecovery(code string) string {
	if len(code) != recoveryLength {
		return code
	}
	return code[:recoveryLength/2] + "-" + code[recoveryLength/2:]
}

// TidyRecovery returns a code as it is stored, from the way that someone typed it:
// spaces, hyphens and capitals do not matter, nor do the letters that look like a
// digit.
func TidyRecovery(typed string) string {
	return strings.NewReplacer("o", "0", "i", "1", "l", "1").Replace(strings.ToLower(Tidy(typed)))
}

// IsRecovery reports whether a tidy text has the form of a recovery code.
func IsRecovery(tidy string) bool {
	return len(tidy) == recoveryLength && strings.Trim(tidy, recoveryAlphabet) == ""
}
