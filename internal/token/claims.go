package token

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
)

// Claims are what a token says: whose session it points to. Names, addresses
// and roles are in the database alone.
type Claims struct {
	Issuer     string
	Subject    string
	Audience   string
	ExpiresAt  NumericDate
	NotBefore  NumericDate
	IssuedAt   NumericDate
	ID         string
	SessionID  string
	Generation int64
	Delivery   int64 // of a generation that was delivered anew; a token without the claim has 0
	Scope      string
	ClientID   string
}

// appendPayload writes claims: in whole seconds, with one audience.
func (c *Claims) appendPayload(b []byte) []byte {
	b = appendString(append(b, '{'), "iss", c.Issuer)
	b = appendString(append(b, ','), "sub", c.Subject)
	b = appendString(append(b, ','), "aud", c.Audience)
	b = appendInt(append(b, ','), "exp", int64(c.ExpiresAt))
	b = appendInt(append(b, ','), "nbf", int64(c.NotBefore))
	b = appendInt(append(b, ','), "iat", int64(c.IssuedAt))
	b = appendString(append(b, ','), "jti", c.ID)
	b = appendString(append(b, ','), "sid", c.SessionID)
	b = appendInt(append(b, ','), "gen", c.Generation)
	if c.Delivery != 0 {
		b = appendInt(append(b, ','), "dlv", c.Delivery)
	}
	if c.Scope != "" {
		b = appendString(append(b, ','), "scope", c.Scope)
	}
	if c.ClientID != "" {
		b = appendString(append(b, ','), "client_id", c.ClientID)
	}
	return append(b, '}')
}

func appendString(b []byte, name, value string) []byte {
	b = append(append(append(b, '"'), name...), `":`...)
	if plain([]byte(value)) && utf8.ValidString(value) {
		return append(append(append(b, '"'), value...), '"')
	}
	quoted, _ := json.Marshal(value) // a string always encodes
	return append(b, quoted...)
}

func appendInt(b []byte, name string, value int64) []byte {
	return strconv.AppendInt(append(append(append(b, '"'), name...), `":`...), value, 10)
}

// maxDate is the year 9999, as far as dates are understood.
const maxDate = 253402300799

// readClaims decodes a payload whose signature holds.
func readClaims(segment string) (*Claims, error) {
	var buffer [maxMembers]member
	members := strictObject(segment, &buffer)
	if members == nil {
		return nil, ErrRefused
	}
	var c Claims
	for _, m := range members {
		if c.read(m) != nil {
			return nil, ErrRefused
		}
	}
	for _, date := range [...]NumericDate{c.ExpiresAt, c.NotBefore, c.IssuedAt} {
		if date <= 0 || date > maxDate { // all three are required
			return nil, ErrRefused
		}
	}
	if c.Subject == "" || c.ID == "" || c.SessionID == "" || c.Generation < 1 || c.Delivery < 0 {
		return nil, ErrRefused
	}
	return &c, nil
}

// read takes one claim. By hand: encoding/json looks everything up by
// reflection, which would be half the cost of checking a token.
func (c *Claims) read(m member) error {
	switch string(m.name) {
	case "iss":
		return readString(m.value, &c.Issuer)
	case "sub":
		return readString(m.value, &c.Subject)
	case "aud":
		return readString(m.value, &c.Audience) // one name, never a list
	case "exp":
		return c.ExpiresAt.read(m.value)
	case "nbf":
		return c.NotBefore.read(m.value)
	case "iat":
		return c.IssuedAt.read(m.value)
	case "jti":
		return readString(m.value, &c.ID)
	case "sid":
		return readString(m.value, &c.SessionID)
	case "gen":
		return readInt(m.value, &c.Generation)
	case "dlv":
		return readInt(m.value, &c.Delivery)
	case "scope":
		return readString(m.value, &c.Scope)
	case "client_id":
		return readString(m.value, &c.ClientID)
	}
	if !json.Valid(m.value) {
		return ErrRefused
	}
	return nil
}

func readInt(value []byte, into *int64) error {
	if n, ok := readWhole(value); ok {
		*into = n
		return nil
	}
	return json.Unmarshal(value, into)
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

func (d *NumericDate) read(data []byte) error {
	if n, ok := readWhole(data); ok {
		*d = NumericDate(n)
		return nil
	}
	return json.Unmarshal(data, (*float64)(d))
}

func (d NumericDate) claim() (*jwt.NumericDate, error) {
	if d == 0 {
		return nil, nil //nolint:nilnil // how the JWT library says that a claim is absent
	}
	return jwt.NewNumericDate(d.Time()), nil
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
	return jwt.ClaimStrings{c.Audience}, nil
}
