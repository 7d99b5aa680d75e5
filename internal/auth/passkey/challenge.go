package passkey

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"latchkey/internal/apperr"
)

// ChallengeFor is how long a challenge can be answered.
const ChallengeFor = 5 * time.Minute

// The parts of a challenge in bytes: random bits, the second at which it ends, and a
// MAC over both and its purpose.
const (
	nonceSize     = 32
	expirySize    = 8
	challengeSize = nonceSize + expirySize + sha256.Size
)

// Purpose is what a challenge is for. One for another purpose does not work.
type Purpose string

// SignIn is the purpose of every sign-in.
const SignIn Purpose = "sign-in"

// Adding is the purpose of adding a passkey in a session.
func Adding(sessionID, userID string) Purpose {
	return Purpose("add\n" + sessionID + "\n" + userID)
}

// Confirming is the purpose of confirming in a session who someone is.
func Confirming(sessionID, userID string) Purpose {
	return Purpose("confirm\n" + sessionID + "\n" + userID)
}

// Challenge is a challenge that was answered. It works once: its id has to be used up
// in the transaction of what it is for.
type Challenge struct {
	ID      string
	Expires time.Time
}

// newChallenge returns a challenge for a purpose. It proves itself, so nothing is
// stored until it is answered.
func (p *Party) newChallenge(purpose Purpose) []byte {
	c := make([]byte, nonceSize, challengeSize)
	_, _ = rand.Read(c)                                                            // it never fails
	c = binary.BigEndian.AppendUint64(c, uint64(p.now().Add(ChallengeFor).Unix())) //nolint:gosec // after 1970
	return append(c, mac(p.keys[0], c, purpose)...)
}

func mac(key, signed []byte, purpose Purpose) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(signed)
	m.Write([]byte(purpose))
	return m.Sum(nil)
}

// The words for challenges that do not work.
const (
	wrongChallenge = "This request does not belong to this page. Reload the page and try again."
	lateChallenge  = "That took too long. Try again."
)

// openChallenge returns the challenge of a text, as the browser returned it. It
// returns apperr.Invalid for one that newChallenge did not make for this purpose, and
// for one that is over.
func (p *Party) openChallenge(text string, purpose Purpose) (Challenge, error) {
	c, err := decode(text)
	if err != nil || len(c) != challengeSize || !p.signed(c, purpose) {
		return Challenge{}, apperr.New(apperr.Invalid, wrongChallenge, errors.New("the challenge is not ours, or for another purpose"))
	}
	expires := time.Unix(int64(binary.BigEndian.Uint64(c[nonceSize:])), 0) //nolint:gosec // signed by newChallenge
	if !p.now().Before(expires) {
		return Challenge{}, apperr.New(apperr.Invalid, lateChallenge, errors.New("the challenge is over"))
	}
	return Challenge{ID: "challenge-" + base64.RawURLEncoding.EncodeToString(c[:nonceSize]), Expires: expires}, nil
}

func (p *Party) signed(c []byte, purpose Purpose) bool {
	const end = nonceSize + expirySize
	for _, key := range p.keys {
		if hmac.Equal(c[end:], mac(key, c[:end], purpose)) {
			return true
		}
	}
	return false
}

func decode(text string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(text) }

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
