package password

import (
	"cmp"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

const (
	argonPrefix = "$argon2id$"
	saltSize    = 16 // bytes in a new salt
	tagSize     = 32 // bytes in a new tag
)

// Bounds on the parameters of a stored hash. A hash beyond them was not made by
// an honest program and could stall the server.
const (
	maxEncoded = 256     // bytes of text
	maxMemory  = 1 << 20 // KiB
	maxTime    = 10
	maxThreads = 16
	minSalt    = 8  // bytes, RFC 9106 §3.1
	minTag     = 16 // bytes
	maxSize    = 64 // bytes of salt or of tag
)

// Params are the costs of one Argon2id hash (RFC 9106 §3.1).
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes over the memory
	Threads uint8  // lanes, each of which may use a core
}

// DefaultParams returns the minimum costs that OWASP recommends for Argon2id.
// Anything lower is for tests.
func DefaultParams() Params {
	return Params{Memory: 19456, Time: 2, Threads: 1}
}

// orDefault returns p with the default for each field that is zero.
func (p Params) orDefault() Params {
	d := DefaultParams()
	return Params{
		Memory:  cmp.Or(p.Memory, d.Memory),
		Time:    cmp.Or(p.Time, d.Time),
		Threads: cmp.Or(p.Threads, d.Threads),
	}
}

func (p Params) derive(password string, salt []byte, size int) []byte {
	return argon2.IDKey([]byte(password), salt, p.Time, p.Memory, p.Threads, uint32(size))
}

func (p Params) check() error {
	switch {
	case p.Memory > maxMemory || p.Time > maxTime || p.Threads > maxThreads:
		return errors.New("argon2id: cost is above what is accepted")
	case p.Time < 1 || p.Threads < 1 || p.Memory < 8*uint32(p.Threads):
		return errors.New("argon2id: cost is below what RFC 9106 allows")
	}
	return nil
}

// phc is an Argon2id hash as the PHC string format writes it:
//
//	$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>
//
// with salt and tag in standard base64 without padding.
type phc struct {
	params    Params
	salt, tag []byte
}

// parsePHC reads a PHC string. Each hash has one spelling: the order of the
// parameters, plain decimals and canonical base64 are required.
func parsePHC(encoded string) (phc, error) {
	malformed := errors.New("argon2id: not a PHC string")
	if len(encoded) > maxEncoded {
		return phc{}, malformed
	}
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 {
		return phc{}, malformed
	}
	var h phc
	_, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.params.Memory, &h.params.Time, &h.params.Threads)
	if err != nil {
		return phc{}, malformed
	}
	if h.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return phc{}, malformed
	}
	if h.tag, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return phc{}, malformed
	}
	// Sscanf and the decoder are lenient (signs, leading zeros, line breaks,
	// stray bits). Text that they accept but that is not canonical does not
	// come out as it went in.
	if h.String() != encoded {
		return phc{}, malformed
	}
	if len(h.salt) < minSalt || len(h.salt) > maxSize || len(h.tag) < minTag || len(h.tag) > maxSize {
		return phc{}, errors.New("argon2id: salt or tag of an unaccepted size")
	}
	return h, h.params.check()
}

// String returns the one PHC string of h.
func (h phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("%sv=%d$m=%d,t=%d,p=%d$%s$%s", argonPrefix, argon2.Version,
		h.params.Memory, h.params.Time, h.params.Threads, b64.EncodeToString(h.salt), b64.EncodeToString(h.tag))
}

func (h phc) comparison() comparison {
	return comparison{match: h.matches, memory: int64(h.params.Memory) << 10}
}

func (h phc) matches(password string) bool {
	return subtle.ConstantTimeCompare(h.tag, h.params.derive(password, h.salt, len(h.tag))) == 1
}

// outdated reports whether h has other costs, or a shorter salt or tag, than a new
// hash with p. Higher costs are no exception: an imported hash that takes more memory
// is not to be computed at every sign-in.
func (h phc) outdated(p Params) bool {
	return h.params != p || len(h.salt) < saltSize || len(h.tag) < tagSize
}
