// Package seal encrypts short values that leave the portal's memory: cookies and
// the bodies of deliveries.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// version is the prefix of a sealed value. It leaves room for other formats.
const version = "v1:"

// Sealer encrypts values with AES-256-GCM, each with a random nonce. It is safe
// for concurrent use. The zero Sealer has no key.
type Sealer []cipher.AEAD

// New returns a Sealer with keys of 32 bytes: the first seals, all of them open.
func New(keys [][]byte) (Sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("seal: a key is required")
	}
	var s Sealer
	for _, key := range keys {
		if len(key) != 32 {
			return nil, fmt.Errorf("seal: a key of %d bytes, want 32", len(key))
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("seal: %w", err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("seal: %w", err)
		}
		s = append(s, aead)
	}
	return s, nil
}

// Seal encrypts data. Only Open can read it, and only with the same purpose.
func (s Sealer) Seal(data []byte, purpose string) string {
	return version + base64.RawURLEncoding.EncodeToString(s[0].Seal(nil, nil, data, []byte(purpose)))
}

// Open returns the data of a sealed value. It reports false for anything that Seal
// did not return for this purpose with one of the keys.
func (s Sealer) Open(value, purpose string) (data []byte, ok bool) {
	data, _, ok = s.open(value, purpose)
	return data, ok
}

// OpenOld is Open for a value that is kept for long: it also reports whether the value
// was sealed with another key than the first, so that it has to be sealed again before
// that key is given up.
func (s Sealer) OpenOld(value, purpose string) (data []byte, old, ok bool) {
	data, key, ok := s.open(value, purpose)
	return data, key > 0, ok
}

// open also returns the number of the key.
func (s Sealer) open(value, purpose string) (data []byte, key int, ok bool) {
	text, known := strings.CutPrefix(value, version)
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !known || err != nil {
		return nil, 0, false
	}
	for i, aead := range s {
		if data, err := aead.Open(nil, nil, sealed, []byte(purpose)); err == nil {
			return data, i, true
		}
	}
	return nil, 0, false
}
