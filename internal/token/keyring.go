// Package token issues and checks the portal's JWTs. It decides which keys sign
// them, which claims they have and which tokens are refused.
//
// It knows no session. Packages auth and oauth read the database and decide
// whether a genuine token still works.
package token

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"
)

// How far the clocks of replicas may be apart, and a clock may be set back. A
// token from the near future is usable, because only the portal can have issued
// it. An expired token works only a little longer.
const (
	startLeeway = 60 * time.Second // for nbf and iat
	endLeeway   = 5 * time.Second  // for exp
)

// maxToken bounds what is parsed at all; ours are under 700 bytes.
const maxToken = 2048

// Class is a kind of token. Each has its own key, typ and aud, so that a token
// of one class is never accepted as another (RFC 8725 §3.11, §3.12).
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

// The errors of Verify.
var (
	// ErrRefused is returned for a token that is not ours or not of the class:
	// forged, broken, encoded in another way or signed for another issuer.
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
	notYet atomic.Uint64
}

// classKeys are the keys of one class by their kid, and how its tokens are read.
type classKeys struct {
	signing string // the kid of the key that signs
	byID    map[string][]byte
	parser  *jwt.Parser
}

// NewKeyring derives the keys of every class. previous may be empty; tokens
// that it signed are still accepted.
func NewKeyring(issuer string, secret, previous []byte, now func() time.Time) (*Keyring, error) {
	ring := &Keyring{issuer: issuer, now: now}
	for class := range classes {
		signing, err := DeriveKey(secret, class.spec().label)
		if err != nil {
			return nil, err
		}
		keys := classKeys{
			signing: keyID(signing), byID: map[string][]byte{keyID(signing): signing},
			parser: jwt.NewParser(append(claimRules(issuer, class, now),
				jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithStrictDecoding())...),
		}
		if len(previous) > 0 {
			key, err := DeriveKey(previous, class.spec().label)
			if err != nil {
				return nil, err
			}
			keys.byID[keyID(key)] = key
		}
		ring.keys[class] = keys
	}
	return ring, nil
}

// claimRules are the checks of claims that the JWT library can do. It does not
// require iat, and has one leeway: Claims.Validate and read do the rest.
func claimRules(issuer string, class Class, now func() time.Time) []jwt.ParserOption {
	return []jwt.ParserOption{
		jwt.WithExpirationRequired(),
		jwt.WithNotBeforeRequired(),
		jwt.WithIssuedAt(),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(class.Audience()),
		jwt.WithLeeway(startLeeway),
		jwt.WithTimeFunc(now),
	}
}

// Sign returns a token of the class. It fills in iss, aud and nbf; the same
// claims give the same bytes.
func (r *Keyring) Sign(class Class, claims Claims) string {
	claims.Issuer, claims.Audience, claims.NotBefore = r.issuer, class.Audience(), claims.IssuedAt
	keys := &r.keys[class]
	unsigned := jwt.NewWithClaims(jwt.SigningMethodHS256, &claims)
	unsigned.Header["kid"], unsigned.Header["typ"] = keys.signing, class.spec().typ
	text, _ := unsigned.SignedString(keys.byID[keys.signing]) // strings and numbers encode, and HS256 takes any bytes as key
	return text
}

// Issuer returns the iss claim of every token.
func (r *Keyring) Issuer() string { return r.issuer }

// Verify returns the claims of a live token of the class. Any other token is
// refused as a whole (RFC 8725 §3.3), with ErrRefused, ErrExpired or ErrNotYet.
func (r *Keyring) Verify(class Class, text string) (*Claims, error) {
	claims, err := r.read(class, text)
	if errors.Is(err, ErrNotYet) {
		r.notYet.Add(1)
	}
	if err != nil {
		return nil, err
	}
	return claims, nil
}

// NotYet returns how many tokens Verify has refused with ErrNotYet.
func (r *Keyring) NotYet() uint64 { return r.notYet.Load() }

// VerifyExpired returns the claims of a token whose only fault is that it
// expired. Use them only to tell why the session ended: they prove nothing.
func (r *Keyring) VerifyExpired(class Class, text string) (*Claims, error) {
	claims, err := r.read(class, text)
	if !errors.Is(err, ErrExpired) {
		return nil, ErrRefused
	}
	return claims, nil
}

// VerifyUnexpired returns the claims of a token that is live, or not valid yet:
// any token that may still continue a session.
func (r *Keyring) VerifyUnexpired(class Class, text string) (*Claims, error) {
	claims, err := r.read(class, text)
	if err != nil && !errors.Is(err, ErrNotYet) {
		return nil, err
	}
	return claims, nil
}

// read returns the claims of a genuine token of the class, and ErrExpired or
// ErrNotYet beside them when now is not in its time.
func (r *Keyring) read(class Class, text string) (*Claims, error) {
	// Go's base64 skips line breaks, even in strict mode, so one token would
	// have several spellings.
	if len(text) > maxToken || strings.ContainsAny(text, "\r\n") {
		return nil, ErrRefused
	}
	now, claims := r.now(), &Claims{}
	_, err := r.keys[class].parser.ParseWithClaims(text, claims, func(t *jwt.Token) (any, error) { return r.key(class, t) })
	if err == nil {
		if now.Before(claims.ExpiresAt.Time().Add(endLeeway)) {
			return claims, nil
		}
		return claims, ErrExpired
	}
	if !errors.Is(err, jwt.ErrTokenInvalidClaims) { // the library looks at claims last, when the signature holds
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	// Only the clock may be wrong: every check must succeed at the time when
	// the token became valid.
	start := max(claims.IssuedAt, claims.NotBefore).Time()
	rules := claimRules(r.issuer, class, func() time.Time { return start })
	if err := jwt.NewValidator(rules...).Validate(claims); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if now.Before(start) {
		return claims, ErrNotYet
	}
	return claims, ErrExpired
}

// key returns the key that a token's header names. The header may have these
// three members and no others, so crit (RFC 7515 §4.1.11) and embedded keys or
// certificates (§4.1.2 to §4.1.8) are refused.
func (r *Keyring) key(class Class, t *jwt.Token) ([]byte, error) {
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
		Type      string `json:"typ"`
	}
	segment, _, _ := strings.Cut(t.Raw, ".")
	data, err := base64.RawURLEncoding.DecodeString(segment) // the parser has done it strictly
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &header, json.RejectUnknownMembers(true)); err != nil { // duplicates too
		return nil, err
	}
	key, known := r.keys[class].byID[header.KeyID]
	if !known || header.Type != class.spec().typ {
		return nil, errors.New("kid or typ is not of the class")
	}
	return key, nil
}

// RefreshID derives the jti of a refresh token from the session, its
// generation and the delivery of that generation, so that the same token can
// be minted again from the row.
func RefreshID(sessionID string, generation, delivery int64) string {
	text := binary.BigEndian.AppendUint64([]byte("refresh "+sessionID+" "), uint64(generation))
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(text, uint64(delivery)))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
