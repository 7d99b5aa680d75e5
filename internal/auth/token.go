package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// leeway is how far the clocks of replicas may be apart.
const leeway = 5 * time.Second

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

func (c Class) spec() classSpec {
	return [classes]classSpec{
		WebAccess:  {"latchkey/web-access/v1", "at+jwt", "latchkey:web"},
		WebRefresh: {"latchkey/web-refresh/v1", "rt+jwt", "latchkey:refresh"},
		APIAccess:  {"latchkey/api-access/v1", "at+jwt", "latchkey:api"},
		APIRefresh: {"latchkey/api-refresh/v1", "rt+jwt", "latchkey:api-refresh"},
	}[c]
}

// Claims are what a token says: whose session it points to. Names, addresses
// and roles are in the database alone.
type Claims struct {
	jwt.RegisteredClaims
	SessionID  string `json:"sid"`
	Generation int64  `json:"gen"`
	Scope      string `json:"scope,omitempty"`
	ClientID   string `json:"client_id,omitempty"`
}

// errToken says that a token is not one of ours, or not any more. Why is
// nobody's business outside.
var errToken = errors.New("token refused")

// Keyring signs and verifies tokens. It is safe for concurrent use.
type Keyring struct {
	issuer string
	now    func() time.Time
	keys   [classes]classKeys
}

type classKeys struct {
	signing signingKey
	verify  map[string][]byte // by kid: the current key and the previous one
	parser  *jwt.Parser
}

type signingKey struct {
	kid string
	key []byte
}

// NewKeyring derives the keys of every class. previous may be empty; what it
// signed is still accepted.
func NewKeyring(issuer string, secret, previous []byte, now func() time.Time) (*Keyring, error) {
	ring := &Keyring{issuer: issuer, now: now}
	for class := range classes {
		spec := class.spec()
		keys := classKeys{verify: map[string][]byte{}, parser: ring.newParser(spec, now)}
		if len(previous) > 0 {
			key, err := DeriveKey(previous, spec.label)
			if err != nil {
				return nil, fmt.Errorf("previous secret: %w", err)
			}
			keys.verify[keyID(key)] = key
		}
		key, err := DeriveKey(secret, spec.label)
		if err != nil {
			return nil, err
		}
		keys.signing = signingKey{kid: keyID(key), key: key}
		keys.verify[keys.signing.kid] = key
		ring.keys[class] = keys
	}
	return ring, nil
}

func (r *Keyring) newParser(spec classSpec, now func() time.Time) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithStrictDecoding(),
		jwt.WithExpirationRequired(),
		jwt.WithNotBeforeRequired(),
		jwt.WithIssuedAt(),
		jwt.WithIssuer(r.issuer),
		jwt.WithAudience(spec.audience),
		jwt.WithLeeway(leeway),
		jwt.WithTimeFunc(now),
	)
}

// Sign returns a token of the class. It fills in iss, aud and nbf; the same
// claims give the same bytes.
func (r *Keyring) Sign(class Class, claims Claims) (string, error) {
	claims.Issuer = r.issuer
	claims.Audience = jwt.ClaimStrings{class.spec().audience}
	claims.NotBefore = claims.IssuedAt
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, singleAudience{claims})
	token.Header["typ"] = class.spec().typ
	token.Header["kid"] = r.keys[class].signing.kid
	signed, err := token.SignedString(r.keys[class].signing.key)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed, nil
}

// singleAudience writes aud as a string instead of a list of one.
type singleAudience struct{ Claims }

func (c singleAudience) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Issuer     string           `json:"iss"`
		Subject    string           `json:"sub"`
		Audience   string           `json:"aud"`
		ExpiresAt  *jwt.NumericDate `json:"exp"`
		NotBefore  *jwt.NumericDate `json:"nbf"`
		IssuedAt   *jwt.NumericDate `json:"iat"`
		ID         string           `json:"jti"`
		SessionID  string           `json:"sid"`
		Generation int64            `json:"gen"`
		Scope      string           `json:"scope,omitempty"`
		ClientID   string           `json:"client_id,omitempty"`
	}{
		c.Issuer, c.Subject, c.Audience[0], c.ExpiresAt, c.NotBefore, c.IssuedAt, c.ID,
		c.SessionID, c.Generation, c.Scope, c.ClientID,
	})
}

// Verify returns the claims of a live token of the class; anything else is
// refused as a whole (RFC 8725 §3.3).
func (r *Keyring) Verify(class Class, token string) (*Claims, error) {
	return r.verify(class, token, r.keys[class].parser)
}

// VerifyExpired returns the claims of a token whose only fault is that it
// expired. They say which session to explain, and prove nothing else.
func (r *Keyring) VerifyExpired(class Class, token string) (*Claims, error) {
	claims, err := r.verify(class, token, r.keys[class].parser)
	if !errors.Is(err, jwt.ErrTokenExpired) || claims == nil || claims.ExpiresAt == nil {
		return nil, errToken
	}
	// Everything else must have held at the end of its life.
	end := claims.ExpiresAt.Time
	return r.verify(class, token, r.newParser(class.spec(), func() time.Time { return end }))
}

func (r *Keyring) verify(class Class, token string, parser *jwt.Parser) (*Claims, error) {
	if len(token) > maxToken || !strictForm(token) {
		return nil, errToken
	}
	var claims Claims
	_, err := parser.ParseWithClaims(token, &claims, func(t *jwt.Token) (any, error) {
		// What the library lets pass: another typ, any crit (RFC 7515 §4.1.11),
		// a key carried along (§4.1.2–§4.1.8).
		kid, _ := t.Header["kid"].(string)
		key, known := r.keys[class].verify[kid]
		if !known || len(t.Header) != 3 || t.Header["typ"] != class.spec().typ {
			return nil, errToken
		}
		return key, nil
	})
	if err != nil {
		return &claims, fmt.Errorf("%w: %w", errToken, err)
	}
	if claims.IssuedAt == nil || claims.Subject == "" || claims.ID == "" || claims.SessionID == "" || claims.Generation < 1 {
		return nil, errToken
	}
	return &claims, nil
}

// refreshID derives the jti of a session's refresh token of one generation, so
// that the same token can be minted again from the row.
func refreshID(sid string, generation int64) string {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("refresh "+sid+" "), uint64(generation)))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
