package password

import (
	"crypto/sha512"
	"crypto/subtle"
	"strings"

	"github.com/go-crypt/x/crypt"
)

const (
	sha512Prefix   = "$6$"
	sha512Tag      = 86   // characters of a digest
	sha512Salt     = 16   // most characters of a salt
	sha512Rounds   = 5000 // of a hash that names none
	sha512MinRound = 1000
)

// matchSHA512 reads a hash of SHA-512 crypt, as crypt(3) and Authelia write it:
//
//	$6$<salt>$<tag>    $6$rounds=50000$<salt>$<tag>
func matchSHA512(encoded string) (c comparison, err error) {
	parts := strings.Split(strings.TrimPrefix(encoded, sha512Prefix), "$")
	rounds := sha512Rounds
	if text, named := strings.CutPrefix(parts[0], "rounds="); named {
		if rounds, err = decimal(text, maxSHA512); err != nil {
			return c, err
		}
		parts = parts[1:]
	}
	if len(parts) != 2 || len(parts[0]) == 0 || len(parts[0]) > sha512Salt || len(parts[1]) != sha512Tag || !isCrypt64(parts[1]) ||
		rounds < sha512MinRound {
		return c, errMalformed
	}
	salt, tag := []byte(parts[0]), []byte(parts[1])
	c.match = func(password string) bool {
		return subtle.ConstantTimeCompare(tag, crypt.KeySHACrypt(sha512.New, []byte(password), salt, rounds)) == 1
	}
	return c, nil
}
