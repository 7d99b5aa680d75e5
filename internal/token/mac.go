package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"sync"
)

// macKey computes HS256, which is HMAC-SHA-256 (RFC 7518 §3.2). It keeps what
// is derived from the key between uses and is safe for concurrent use.
type macKey struct{ pool sync.Pool }

func newMACKey(key []byte) *macKey {
	return &macKey{pool: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

func (k *macKey) sum(text []byte, into *[sha256.Size]byte) {
	mac := k.pool.Get().(hash.Hash) //nolint:errcheck // the pool makes nothing else
	mac.Reset()
	mac.Write(text)
	mac.Sum(into[:0])
	k.pool.Put(mac)
}

// verify compares a signature, as a token carries it, in constant time.
func (k *macKey) verify(text, signature string) bool {
	var got, want [sha256.Size]byte
	if base64.RawURLEncoding.EncodedLen(len(got)) != len(signature) {
		return false
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(got[:], []byte(signature)); err != nil {
		return false
	}
	k.sum([]byte(text), &want)
	return hmac.Equal(got[:], want[:])
}
