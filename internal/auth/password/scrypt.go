package password

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// scryptHash is a hash of scrypt (RFC 7914) that another program made.
type scryptHash struct {
	n, r, p   int
	salt, tag []byte
}

// matchScrypt reads the form of passlib and Authelia:
//
//	$scrypt$ln=16,r=8,p=1$<salt>$<tag>
//
// with salt and tag in standard base64 without padding. N is 2 to the power of ln.
func matchScrypt(encoded string) (c comparison, err error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 5 {
		return c, errMalformed
	}
	var ln, r, p int
	if _, err := fmt.Sscanf(parts[2], "ln=%d,r=%d,p=%d", &ln, &r, &p); err != nil || parts[2] != fmt.Sprintf("ln=%d,r=%d,p=%d", ln, r, p) {
		return c, errMalformed
	}
	base64 := base64.RawStdEncoding.Strict()
	salt, err := base64.DecodeString(parts[3])
	if err != nil {
		return c, errMalformed
	}
	tag, err := base64.DecodeString(parts[4])
	if err != nil {
		return c, errMalformed
	}
	if ln < 1 {
		return c, errMalformed
	}
	return scryptHash{n: 1 << min(ln, 40), r: r, p: p, salt: salt, tag: tag}.match()
}

// matchDjangoScrypt reads the form of Django, scrypt$<N>$<salt>$<r>$<p>$<tag>, whose
// salt is the text itself.
func matchDjangoScrypt(encoded string) (c comparison, err error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 {
		return c, errMalformed
	}
	tag, err := base64.StdEncoding.Strict().DecodeString(parts[5])
	if err != nil {
		return c, errMalformed
	}
	h := scryptHash{salt: []byte(parts[2]), tag: tag}
	for _, cost := range []struct {
		text string
		into *int
	}{{parts[1], &h.n}, {parts[3], &h.r}, {parts[4], &h.p}} {
		if *cost.into, err = decimal(cost.text, 1<<40); err != nil {
			return c, err
		}
	}
	return h.match()
}

func (h scryptHash) match() (c comparison, err error) {
	if h.n < 2 || h.n&(h.n-1) != 0 || h.r < 1 || h.p < 1 || len(h.salt) == 0 || len(h.tag) < minTag || len(h.tag) > maxSize {
		return c, errMalformed
	}
	// Divisions, because a product could overflow.
	if h.n > maxScrypt || h.r > maxScrypt/h.n || h.p > maxLanes*maxScrypt/(h.n*h.r) {
		return c, errCost
	}
	c.memory = 128 * int64(h.n) * int64(h.r)
	c.match = func(password string) bool {
		tag, err := scrypt.Key([]byte(password), h.salt, h.n, h.r, h.p, len(h.tag))
		return err == nil && subtle.ConstantTimeCompare(h.tag, tag) == 1
	}
	return c, nil
}
