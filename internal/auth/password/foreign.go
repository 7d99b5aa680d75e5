package password

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Bounds on the costs of hashes that other programs made. Each keeps one comparison
// within a few seconds of one core and 256 MiB. They are checked when accounts are
// imported, and those that are not for Argon2id again before a comparison begins.
const (
	maxPBKDF2 = 5_000_000 // iterations, times the blocks of the digest's size in a tag
	maxSHA512 = 1_000_000 // rounds of SHA-512 crypt
	maxScrypt = 1 << 20   // N·r, which is 128 MiB
	maxLanes  = 4         // N·r·p in units of maxScrypt

	maxImportMemory = 1 << 18 // KiB of an Argon2id hash; one that is stored already may have maxMemory
	maxImportWork   = 1 << 20 // KiB of an Argon2id hash times its passes
)

var (
	errMalformed = errors.New("it is damaged")
	errCost      = errors.New("its cost is above what is accepted")
)

// scheme is a way to hash passwords that other programs have and this one only
// verifies.
type scheme struct {
	name   string
	prefix string
	parse  func(encoded string) (comparison, error)
}

// comparison compares passwords with a stored hash.
type comparison struct {
	match  func(password string) bool
	memory int64 // bytes that match takes; 0: next to none
}

// foreignSchemes lists the schemes in the order in which they are tried.
func foreignSchemes() []scheme {
	return []scheme{
		{"bcrypt", "$2a$", matchBcrypt},
		{"bcrypt", "$2b$", matchBcrypt},
		{"bcrypt", "$2y$", matchBcrypt}, // $2x$ marks hashes of an implementation that dropped bits of the password
		{"bcrypt of SHA-256", djangoBcrypt, matchDjangoBcrypt},
		{"PBKDF2-SHA-256", "$pbkdf2-sha256$", matchPBKDF2},
		{"PBKDF2-SHA-512", "$pbkdf2-sha512$", matchPBKDF2},
		{"PBKDF2-SHA-256", "pbkdf2_sha256$", matchDjangoPBKDF2},
		{"SHA-512 crypt", sha512Prefix, matchSHA512},
		{"scrypt", "$scrypt$", matchScrypt},
		{"scrypt", "scrypt$", matchDjangoScrypt},
	}
}

// Import returns how the hash of another program is stored and the name of its
// scheme, so that [Hasher.Verify] verifies it. The error says what is wrong with a
// hash that Verify would refuse, or that takes more than the given bytes of memory (0:
// no limit), as the end of a sentence. It computes no hash.
func Import(encoded string, memory int64) (stored, name string, err error) {
	stored = strings.TrimPrefix(encoded, "{CRYPT}") // Authelia, OpenLDAP
	for _, ours := range []string{"argon2" + argonPrefix, "bcrypt$$2"} {
		if strings.HasPrefix(stored, ours) { // Django writes the name of its class in front
			_, rest, _ := strings.Cut(stored, "$")
			stored = "$" + strings.TrimPrefix(rest, "$")
		}
	}
	var c comparison
	if strings.HasPrefix(stored, argonPrefix) {
		name = "Argon2id"
		var h phc
		if h, err = parsePHC(stored); err == nil && (h.params.Memory > maxImportMemory || h.params.Memory*h.params.Time > maxImportWork) {
			err = fmt.Errorf("argon2id: %w", errCost)
		}
		c = h.comparison()
	} else {
		c, name, err = parseForeign(stored)
	}
	if err == nil && memory > 0 && c.memory > memory {
		err = fmt.Errorf("it takes %d MiB of memory, and the memory limit here leaves %d MiB for it", (c.memory+1<<20-1)>>20, memory>>20)
	}
	return stored, name, err
}

// parseForeign returns the comparison for the hash of another program, and the name
// of its scheme.
func parseForeign(encoded string) (c comparison, name string, err error) {
	if len(encoded) > maxEncoded {
		return c, "", errors.New("it is longer than any known one")
	}
	for _, s := range foreignSchemes() {
		if !strings.HasPrefix(encoded, s.prefix) {
			continue
		}
		if c, err = s.parse(encoded); err != nil {
			return c, s.name, fmt.Errorf("%s: %w", s.name, err)
		}
		return c, s.name, nil
	}
	return c, "", errors.New("its format is not known")
}

// decimal reads a plain positive decimal, with no sign and no leading zero, of at
// most the given value.
func decimal(text string, most int) (int, error) {
	if text == "" || text[0] == '0' || strings.Trim(text, "0123456789") != "" {
		return 0, errMalformed
	}
	n, err := strconv.Atoi(text)
	if err != nil || n > most { // Atoi fails only for a number that is too large
		return 0, errCost
	}
	return n, nil
}

// djangoBcrypt begins a hash of Django's BCryptSHA256PasswordHasher, which gives
// bcrypt the SHA-256 of the password in hexadecimal digits.
const djangoBcrypt = "bcrypt_sha256$"

func matchDjangoBcrypt(encoded string) (comparison, error) {
	stored, err := parseBcrypt(strings.TrimPrefix(encoded, djangoBcrypt))
	return comparison{match: func(password string) bool {
		sum := sha256.Sum256([]byte(password))
		return stored.matches(hex.EncodeToString(sum[:]))
	}}, err
}

func matchBcrypt(encoded string) (comparison, error) {
	stored, err := parseBcrypt(encoded)
	return comparison{match: stored.matches}, err
}

// isCrypt64 reports whether text has only the characters in which crypt(3) and bcrypt
// write salts and digests.
func isCrypt64(text string) bool {
	for _, c := range []byte(text) {
		if c != '.' && c != '/' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}
