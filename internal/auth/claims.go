package auth

import (
	"encoding/json"
	"math"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims are what a token says: whose session it points to. Names, addresses
// and roles are in the database alone.
type Claims struct {
	Issuer     string      `json:"iss"`
	Subject    string      `json:"sub"`
	Audience   audience    `json:"aud"`
	ExpiresAt  NumericDate `json:"exp"`
	NotBefore  NumericDate `json:"nbf"`
	IssuedAt   NumericDate `json:"iat"`
	ID         string      `json:"jti"`
	SessionID  string      `json:"sid"`
	Generation int64       `json:"gen"`
	Scope      string      `json:"scope"`
	ClientID   string      `json:"client_id"`
}

// payload writes claims: in whole seconds, with one audience.
func (c *Claims) payload() ([]byte, error) {
	return json.Marshal(struct {
		Issuer     string `json:"iss"`
		Subject    string `json:"sub"`
		Audience   string `json:"aud"`
		ExpiresAt  int64  `json:"exp"`
		NotBefore  int64  `json:"nbf"`
		IssuedAt   int64  `json:"iat"`
		ID         string `json:"jti"`
		SessionID  string `json:"sid"`
		Generation int64  `json:"gen"`
		Scope      string `json:"scope,omitempty"`
		ClientID   string `json:"client_id,omitempty"`
	}{
		c.Issuer, c.Subject, c.Audience.name, int64(c.ExpiresAt), int64(c.NotBefore), int64(c.IssuedAt),
		c.ID, c.SessionID, c.Generation, c.Scope, c.ClientID,
	})
}

// maxDate is the year 9999, as far as dates are understood.
const maxDate = 253402300799

// readClaims decodes a payload whose signature holds.
func readClaims(segment string) (*Claims, error) {
	data, members := strictObject(segment)
	if members == 0 {
		return nil, errToken
	}
	var c Claims
	if json.Unmarshal(data, &c) != nil {
		return nil, errToken
	}
	for _, date := range []NumericDate{c.ExpiresAt, c.NotBefore, c.IssuedAt} {
		if date <= 0 || date > maxDate { // all three are required
			return nil, errToken
		}
	}
	if c.Subject == "" || c.ID == "" || c.SessionID == "" || c.Generation < 1 {
		return nil, errToken
	}
	return &c, nil
}

// NumericDate is an instant of a token in seconds since 1970 (RFC 7519 §2); 0
// is none. Ours are whole.
type NumericDate float64

// DateOf returns an instant as a token has it, cut to seconds.
func DateOf(t time.Time) NumericDate { return NumericDate(t.Unix()) }

// Time returns the instant.
func (d NumericDate) Time() time.Time {
	seconds, fraction := math.Modf(float64(d))
	return time.Unix(int64(seconds), int64(fraction*1e9))
}

func (d NumericDate) claim() (*jwt.NumericDate, error) {
	if d == 0 {
		return nil, nil //nolint:nilnil // how the JWT library says that a claim is absent
	}
	return jwt.NewNumericDate(d.Time()), nil
}

// audience is a token's one audience. A list of one says the same (RFC 7519
// §4.1.3); more than one is not ours.
type audience struct{ name string }

// UnmarshalJSON reads a string, or a list of one.
func (a *audience) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &a.name) == nil {
		return nil
	}
	var list []string
	if err := json.Unmarshal(data, &list); err != nil || len(list) != 1 {
		return errToken
	}
	a.name = list[0]
	return nil
}

// What the JWT library's validator asks for.

// GetExpirationTime returns exp.
func (c *Claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.ExpiresAt.claim() }

// GetIssuedAt returns iat.
func (c *Claims) GetIssuedAt() (*jwt.NumericDate, error) { return c.IssuedAt.claim() }

// GetNotBefore returns nbf.
func (c *Claims) GetNotBefore() (*jwt.NumericDate, error) { return c.NotBefore.claim() }

// GetIssuer returns iss.
func (c *Claims) GetIssuer() (string, error) { return c.Issuer, nil }

// GetSubject returns sub.
func (c *Claims) GetSubject() (string, error) { return c.Subject, nil }

// GetAudience returns aud.
func (c *Claims) GetAudience() (jwt.ClaimStrings, error) {
	return jwt.ClaimStrings{c.Audience.name}, nil
}
