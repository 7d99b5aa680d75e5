package token

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// minSecret is the minimum length of a master secret in bytes: HMAC-SHA-256
// needs a key as long as its output (RFC 7518 §3.2).
const minSecret = 32

// DeriveKey returns the 32-byte key for one use, named by its label, of the
// master secret: HKDF-SHA-256 without salt (RFC 5869).
func DeriveKey(secret []byte, label string) ([]byte, error) {
	if len(secret) < minSecret {
		return nil, errors.New("the master secret is shorter than 32 bytes")
	}
	key, err := hkdf.Key(sha256.New, secret, nil, label, 32)
	if err != nil {
		return nil, fmt.Errorf("derive key %s: %w", label, err)
	}
	return key, nil
}

// keyID names a key in the kid header: the first 8 bytes of its SHA-256.
func keyID(key []byte) string {
	sum := sha256.Sum256(key)
	return base64.RawURLEncoding.EncodeToString(sum[:8])
}
