package token

import (
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"
)

// maxUnknown is how many claims a token may have that this version does not
// know. A newer version may add some, and both run while replicas are replaced.
const maxUnknown = 4

// Claims are the claims of a token, which points to a session. Names, addresses
// and roles are only in the database.
type Claims struct {
	Issuer     string      `json:"iss"`
	Subject    string      `json:"sub"`
	Audience   string      `json:"aud"` // one name, never a list
	ExpiresAt  NumericDate `json:"exp"`
	NotBefore  NumericDate `json:"nbf"`
	IssuedAt   NumericDate `json:"iat"`
	ID         string      `json:"jti"`
	SessionID  string      `json:"sid"`
	Generation int64       `json:"gen"`
	Delivery   int64       `json:"dlv,omitzero"` // of a generation that was delivered again; a token without the claim has 0
	Scope      string      `json:"scope,omitzero"`
	ClientID   string      `json:"client_id,omitzero"`
}

// UnmarshalJSON reads a payload in a way that leaves no doubt about its
// meaning: it compares names exactly and refuses duplicate names, text that is
// not UTF-8, and names that differ from ours only in case.
func (c *Claims) UnmarshalJSON(payload []byte) error {
	type known Claims
	var read struct {
		known
		Unknown map[string]jsontext.Value `json:",embed"`
	}
	if err := json.Unmarshal(payload, &read); err != nil {
		return err
	}
	if len(read.Unknown) > maxUnknown {
		return errors.New("too many claims")
	}
	for name := range read.Unknown {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return errors.New("a claim's name is not in lower case")
		}
	}
	*c = Claims(read.known)
	return nil
}

// Validate checks that iat is present, and our own claims. The JWT library
// calls it, because it does not check these itself.
func (c *Claims) Validate() error {
	if c.IssuedAt == 0 {
		return errors.New("iat is missing")
	}
	if c.Subject == "" || c.ID == "" || c.SessionID == "" || c.Generation < 1 || c.Delivery < 0 {
		return errors.New("the token points to no session")
	}
	return nil
}

// NumericDate is an instant in whole seconds since 1970 (RFC 7519 §2); 0 means
// none.
type NumericDate int64

// DateOf returns an instant in the form of a token, cut to seconds.
func DateOf(t time.Time) NumericDate { return NumericDate(t.Unix()) }

// Time returns the instant.
func (d NumericDate) Time() time.Time { return time.Unix(int64(d), 0) }

func (d NumericDate) claim() (*jwt.NumericDate, error) {
	if d == 0 {
		return nil, nil //nolint:nilnil // how the JWT library says that a claim is absent
	}
	return jwt.NewNumericDate(d.Time()), nil
}

// The methods below are those that the validator of the JWT library needs.

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
	return jwt.ClaimStrings{c.Audience}, nil
}
