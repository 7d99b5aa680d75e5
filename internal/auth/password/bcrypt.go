package password

import (
	"golang.org/x/crypto/bcrypt"
)

const (
	bcryptSize    = 60 // bytes of a hash as text
	bcryptText    = 53 // of which salt and digest
	bcryptInput   = 72 // bytes of a password that bcrypt reads
	maxBcryptCost = 15 // about two seconds of one core
)

// bcryptHash is a hash that another program made. It is verified so that people
// who move here keep their password; new ones are never made.
type bcryptHash string

func parseBcrypt(encoded string) (bcryptHash, error) {
	cost, err := bcrypt.Cost([]byte(encoded))
	if err != nil || len(encoded) != bcryptSize || !isCrypt64(encoded[bcryptSize-bcryptText:]) {
		return "", errMalformed
	}
	if cost > maxBcryptCost {
		return "", errCost
	}
	return bcryptHash(encoded), nil
}

// matches reports whether password is the one. bcrypt ignores what follows the
// 72nd byte, so that many long passwords would share a hash: a longer one never
// matches, and takes as long as one that could.
func (h bcryptHash) matches(password string) bool {
	input, long := []byte(password), false
	if len(input) > bcryptInput {
		input, long = input[:bcryptInput], true
	}
	err := bcrypt.CompareHashAndPassword([]byte(h), input)
	return err == nil && !long
}
