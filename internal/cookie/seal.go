package cookie

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// sealVersion is the prefix of a sealed value. It leaves room for other formats.
const sealVersion = "v1:"

// sealer encrypts short values with AES-256-GCM, each with a random nonce. The
// first key seals, all of them open.
type sealer []cipher.AEAD

func newSealer(keys [][]byte) (sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("cookie: a key is required")
	}
	var s sealer
	for _, key := range keys {
		if len(key) != 32 {
			return nil, fmt.Errorf("cookie: a key of %d bytes, want 32", len(key))
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("cookie: %w", err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("cookie: %w", err)
		}
		s = append(s, aead)
	}
	return s, nil
}

// seal encrypts data. Only open can read it, and only with the same purpose.
func (s sealer) seal(data []byte, purpose string) string {
	return sealVersion + base64.RawURLEncoding.EncodeToString(s[0].Seal(nil, nil, data, []byte(purpose)))
}

func (s sealer) open(value, purpose string) (data []byte, ok bool) {
	text, known := strings.CutPrefix(value, sealVersion)
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !known || err != nil {
		return nil, false
	}
	for _, aead := range s {
		if data, err := aead.Open(nil, nil, sealed, []byte(purpose)); err == nil {
			return data, true
		}
	}
	return nil, false
}
