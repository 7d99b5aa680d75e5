// Package token makes and checks the portal's JWTs: which keys sign them, what
// they say and what is refused.
//
// It knows no session. Whether a genuine token is still worth something is
// decided by those who read the database: packages auth and oauth.
package token

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// How far the clocks of replicas may be apart, and a clock may be set back.
// A token from the near future is usable, because nobody but us can have made
// it; a token that expired is worth little longer than it says.
const (
	startLeeway = 60 * time.Second // for nbf and iat
	endLeeway   = 5 * time.Second  // for exp
)

// maxToken bounds what is parsed at all; ours are under 700 bytes.
const maxToken = 2048

// Class is a kind of token. Each has its own key, typ and aud, so that a token
// of one class is never taken for another (RFC 8725 §3.11, §3.12).
type Class int

// The four classes.
const (
	WebAccess Class = iota
	WebRefresh
	APIAccess
	APIRefresh
	classes
)

type classSpec struct{ label, typ, audience string }

// Classes returns all four.
func Classes() [classes]Class { return [...]Class{WebAccess, WebRefresh, APIAccess, APIRefresh} }

// Audience returns the aud claim of the class.
func (c Class) Audience() string { return c.spec().audience }

func (c Class) spec() classSpec {
	return [classes]classSpec{
		WebAccess:  {"latchkey/web-access/v1", "at+jwt", "latchkey:web"},
		WebRefresh: {"latchkey/web-refresh/v1", "rt+jwt", "latchkey:refresh"},
		APIAccess:  {"latchkey/api-access/v1", "at+jwt", "latchkey:api"},
		APIRefresh: {"latchkey/api-refresh/v1", "rt+jwt", "latchkey:api-refresh"},
	}[c]
}

// What Verify finds wrong with a token.
var (
	// ErrRefused is returned for a token that is not ours or not of the class:
	// forged, broken, spelled in another way, signed for another issuer.
	ErrRefused = errors.New("token refused")
	// ErrExpired is returned for a genuine token whose exp has passed.
	ErrExpired = errors.New("token expired")
	// ErrNotYet is returned for a genuine token whose nbf or iat lies in the
	// future: the clock of this machine is behind, or that of another was ahead.
	// Nothing is wrong with the token, and it becomes usable by itself.
	ErrNotYet = errors.New("token not valid yet")
)

// Keyring signs and verifies tokens. It is safe for concurrent use.
type Keyring struct {
	issuer string
	now    func() time.Time
	keys   [classes]classKeys
}

// classKeys are the keys of one class: the one that signs, and by their header
// all that verify.
type classKeys struct {
	header    string // of what is signed: the encoded first segment
	signing   *macKey
	byHeader  map[string]*macKey // by the header that we write
	byKeyID   map[string]*macKey // for headers that say the same in another order
	validator *jwt.Validator
}

// NewKeyring derives the keys of every class. previous may be empty; what it
// signed is still accepted.
func NewKeyring(issuer string, secret, previous []byte, now func() time.Time) (*Keyring, error) {
	ring := &Keyring{issuer: issuer, now: now}
	for class := range classes {
		keys := classKeys{
			byHeader: map[string]*macKey{}, byKeyID: map[string]*macKey{}, validator: newValidator(issuer, class, now),
		}
		for _, s := range [][]byte{previous, secret} { // the current one last: it signs
			if len(s) == 0 {
				continue
			}
			key, err := DeriveKey(s, class.spec().label)
			if err != nil {
				return nil, err
			}
			if keys.header, err = encodeHeader(class, keyID(key)); err != nil {
				return nil, err
			}
			mac := newMACKey(key)
			keys.signing, keys.byHeader[keys.header], keys.byKeyID[keyID(key)] = mac, mac, mac
		}
		if keys.signing == nil {
			return nil, errors.New("there is no master secret")
		}
		ring.keys[class] = keys
	}
	return ring, nil
}

// newValidator checks the claims: all of iss, aud, exp, nbf and iat.
func newValidator(issuer string, class Class, now func() time.Time) *jwt.Validator {
	return jwt.NewValidator(
		jwt.WithExpirationRequired(),
		jwt.WithNotBeforeRequired(),
		jwt.WithIssuedAt(),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(class.spec().audience),
		jwt.WithLeeway(startLeeway),
		jwt.WithTimeFunc(now),
	)
}

// header is all that a token's header may say.
type header struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	Type      string `json:"typ"`
}

func encodeHeader(class Class, kid string) (string, error) {
	data, err := json.Marshal(header{jwt.SigningMethodHS256.Alg(), kid, class.spec().typ})
	return base64.RawURLEncoding.EncodeToString(data), err
}

// Sign returns a token of the class. It fills in iss, aud and nbf; the same
// claims give the same bytes.
func (r *Keyring) Sign(class Class, claims Claims) string {
	claims.Issuer, claims.Audience = r.issuer, class.spec().audience
	claims.NotBefore = claims.IssuedAt
	var buffer [512]byte
	payload := claims.appendPayload(buffer[:0])
	keys := &r.keys[class]
	token := make([]byte, 0, maxToken/2)
	token = append(append(token, keys.header...), '.')
	token = base64.RawURLEncoding.AppendEncode(token, payload)
	var signature [sha256.Size]byte
	keys.signing.sum(token, &signature)
	return string(base64.RawURLEncoding.AppendEncode(append(token, '.'), signature[:]))
}

// Issuer returns the iss claim of every token.
func (r *Keyring) Issuer() string { return r.issuer }

// Verify returns the claims of a live token of the class. Any other token is
// refused as a whole (RFC 8725 §3.3), with ErrRefused, ErrExpired or ErrNotYet.
func (r *Keyring) Verify(class Class, text string) (*Claims, error) {
	claims, err := r.read(class, text)
	if err != nil {
		return nil, err
	}
	return claims, nil
}

// VerifyExpired returns the claims of a token whose only fault is that it
// expired. They say which session to explain, and prove nothing else.
func (r *Keyring) VerifyExpired(class Class, text string) (*Claims, error) {
	claims, err := r.read(class, text)
	if !errors.Is(err, ErrExpired) {
		return nil, ErrRefused
	}
	return claims, nil
}

// read returns the claims of a genuine token of the class, and ErrExpired or
// ErrNotYet beside them when now is not in its time.
func (r *Keyring) read(class Class, text string) (*Claims, error) {
	claims, err := r.open(class, text)
	if err != nil {
		return nil, err
	}
	now := r.now()
	if err := r.keys[class].validator.Validate(claims); err == nil {
		if now.Before(claims.ExpiresAt.Time().Add(endLeeway)) {
			return claims, nil
		}
		return claims, ErrExpired
	}
	// Only the clock may be at fault: all must have held when its time began.
	start := max(claims.IssuedAt, claims.NotBefore).Time()
	if err := newValidator(r.issuer, class, func() time.Time { return start }).Validate(claims); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if now.Before(start) {
		return claims, ErrNotYet
	}
	return claims, ErrExpired
}

// open checks a token's form and its signature, then reads its claims. Nothing
// is believed before the signature holds.
func (r *Keyring) open(class Class, text string) (*Claims, error) {
	head, rest, found := strings.Cut(text, ".")
	payload, signature, foundToo := strings.Cut(rest, ".")
	// Go's base64 passes over line breaks: the same token in other words.
	if len(text) > maxToken || !found || !foundToo || strings.ContainsAny(text, "\r\n") {
		return nil, ErrRefused
	}
	key, known := r.keys[class].byHeader[head]
	if !known {
		if key, known = r.readHeader(class, head); !known {
			return nil, ErrRefused
		}
	}
	signed := text[:len(head)+1+len(payload)]
	if !key.verify(signed, signature) {
		return nil, ErrRefused
	}
	return readClaims(payload)
}

// readHeader finds the key for a header that is not written as ours are: it
// must say the same three things and nothing else. So any crit is refused (RFC
// 7515 §4.1.11), and any key or certificate that is carried along (§4.1.2 to
// §4.1.8).
func (r *Keyring) readHeader(class Class, segment string) (*macKey, bool) {
	var buffer [maxMembers]member
	members := strictObject(segment, &buffer)
	if len(members) != 3 {
		return nil, false
	}
	var algorithm, kid, typ string
	for _, m := range members {
		into := map[string]*string{"alg": &algorithm, "kid": &kid, "typ": &typ}[string(m.name)]
		if into == nil || readString(m.value, into) != nil {
			return nil, false
		}
	}
	key, known := r.keys[class].byKeyID[kid]
	return key, known && algorithm == jwt.SigningMethodHS256.Alg() && typ == class.spec().typ
}

// RefreshID derives the jti of a refresh token from the session, its
// generation and the delivery of that generation, so that the same token can
// be minted again from the row.
func RefreshID(sessionID string, generation, delivery int64) string {
	text := binary.BigEndian.AppendUint64([]byte("refresh "+sessionID+" "), uint64(generation))
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(text, uint64(delivery)))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
