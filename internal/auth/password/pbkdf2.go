package password

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"strings"
)

// pbkdf2Hash is a hash of PBKDF2 (RFC 8018 §5.2) that another program made.
type pbkdf2Hash struct {
	digest     func() hash.Hash
	iterations int
	salt, tag  []byte
}

// matchPBKDF2 reads the form of passlib and Authelia:
//
//	$pbkdf2-sha512$310000$<salt>$<tag>
//
// with salt and tag in base64 without padding and with "." in place of "+".
func matchPBKDF2(encoded string) (c comparison, err error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 5 {
		return c, errMalformed
	}
	h := pbkdf2Hash{digest: sha512.New}
	if parts[1] == "pbkdf2-sha256" {
		h.digest = sha256.New
	}
	base64 := base64.RawStdEncoding.Strict()
	if h.salt, err = base64.DecodeString(strings.ReplaceAll(parts[3], ".", "+")); err != nil {
		return c, errMalformed
	}
	if h.tag, err = base64.DecodeString(strings.ReplaceAll(parts[4], ".", "+")); err != nil {
		return c, errMalformed
	}
	return h.match(parts[2])
}

// matchDjangoPBKDF2 reads the form of Django, pbkdf2_sha256$600000$<salt>$<tag>,
// whose salt is the text itself.
func matchDjangoPBKDF2(encoded string) (c comparison, err error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 4 {
		return c, errMalformed
	}
	tag, err := base64.StdEncoding.Strict().DecodeString(parts[3])
	if err != nil {
		return c, errMalformed
	}
	return pbkdf2Hash{digest: sha256.New, salt: []byte(parts[2]), tag: tag}.match(parts[1])
}

func (h pbkdf2Hash) match(iterations string) (c comparison, err error) {
	if len(h.salt) == 0 || len(h.tag) < minTag || len(h.tag) > maxSize {
		return c, errMalformed
	}
	size := h.digest().Size()
	blocks := (len(h.tag) + size - 1) / size
	if h.iterations, err = decimal(iterations, maxPBKDF2/blocks); err != nil {
		return c, err
	}
	c.match = func(password string) bool {
		tag, err := pbkdf2.Key(h.digest, password, h.salt, h.iterations, len(h.tag))
		return err == nil && subtle.ConstantTimeCompare(h.tag, tag) == 1
	}
	return c, nil
}
