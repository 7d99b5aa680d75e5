package token_test

import (
	"crypto/sha512"
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/internal/token"
)

// forgery is one change that makes a genuine token refused.
type forgery struct {
	name   string
	change func(*draft)
}

// headerForgeries change the key or the header (RFC 8725 §3.1 to §3.5, §3.10, §3.11;
// RFC 7515 §4.1).
func headerForgeries(t *testing.T) []forgery {
	genuine := object{"alg": "HS256", "typ": "at+jwt", "kid": kid(key(t, secret, "latchkey/web-access/v1"))}
	head := func(changes object) func(*draft) { return func(d *draft) { d.header = with(genuine, changes) } }
	foreign := []byte("k8(Vy3)Mb6!Xs1@Df4#Gh7$Jl0%Zn2^Q")
	return []forgery{
		{"alg none", head(object{"alg": "none"})},
		{"alg None", head(object{"alg": "None"})},
		{"alg in lower case", head(object{"alg": "hs256"})},
		{"alg RS256", head(object{"alg": "RS256"})},
		{"alg missing", head(object{"alg": nil})},
		{"alg not a string", head(object{"alg": 256})},
		{"HS384", func(d *draft) { head(object{"alg": "HS384"})(d); d.hash = sha512.New384 }},
		{"HS512", func(d *draft) { head(object{"alg": "HS512"})(d); d.hash = sha512.New }},
		{"wrong key", func(d *draft) { d.key = foreign }},
		{"empty key", func(d *draft) { d.key = nil }},
		{"master secret as key", func(d *draft) { d.key = secret }},
		{"key of another master secret, its kid", func(d *draft) {
			d.key = key(t, foreign, "latchkey/web-access/v1")
			head(object{"kid": kid(d.key)})(d)
		}},
		{"typ missing", head(object{"typ": nil})},
		{"typ JWT", head(object{"typ": "JWT"})},
		{"typ in upper case", head(object{"typ": "AT+JWT"})},
		{"typ with the media type in full", head(object{"typ": "application/at+jwt"})},
		{"typ of a refresh token", head(object{"typ": "rt+jwt"})},
		{"typ not a string", head(object{"typ": []string{"at+jwt"}})},
		{"crit unknown", head(object{"crit": []string{"exp"}, "exp": 1})},
		{"crit empty", head(object{"crit": []string{}})},
		{"jku", head(object{"jku": "https://evil.example/keys"})},
		{"jwk", head(object{"jwk": object{"kty": "oct", "k": segment("key")}})},
		{"x5u", head(object{"x5u": "https://evil.example/cert"})},
		{"x5c", head(object{"x5c": []string{"MIIB"}})},
		{"cty", head(object{"cty": "JWT"})},
		{"b64 false", head(object{"b64": false})},
		{"kid unknown", head(object{"kid": "AAAAAAAAAAA"})},
		{"kid missing", head(object{"kid": nil})},
		{"kid empty", head(object{"kid": ""})},
		{"kid not a string", head(object{"kid": 7})},
		{"kid a path", head(object{"kid": "../../dev/null"})},
		{"header name twice", func(d *draft) { d.header = strings.Replace(d.header, "{", `{"typ":"at+jwt",`, 1) }},
		{"header name in another case", func(d *draft) { d.header = strings.Replace(d.header, "{", `{"ALG":"none",`, 1) }},
		{"header is a list", func(d *draft) { d.header = "[" + d.header + "]" }},
		{"header is null", func(d *draft) { d.header = "null" }},
		{"header with more behind it", func(d *draft) { d.header += "{}" }},
	}
}

// claimForgeries change the payload (RFC 7519 §4, RFC 8725 §3.7 to §3.12).
func claimForgeries(t *testing.T, now time.Time) []forgery {
	body := func(o object) func(*draft) { return func(d *draft) { d.payload = with(claims(now), o) } }
	raw := func(old, replacement string) func(*draft) {
		return func(d *draft) {
			if d.payload = strings.Replace(d.payload, old, replacement, 1); !strings.Contains(d.payload, replacement) {
				t.Fatalf("%s has no %s", d.payload, old)
			}
		}
	}
	return []forgery{
		{"claim twice", raw("{", `{"sub":"other",`)},
		{"claim twice, equal", raw("{", `{"sub":"userid",`)},
		{"claim twice, in another case", raw("{", `{"EXP":9999999999,`)},
		{"claim twice, escaped", raw("{", `{"\u0073ub":"other",`)},
		{"claim twice, by the Kelvin sign", raw("{", "{\"\u212aid\":1,")},
		{"claim in another case alone", raw(`"sid"`, `"SID"`)},
		{"exp missing", body(object{"exp": nil})},
		{"nbf missing", body(object{"nbf": nil})},
		{"iat missing", body(object{"iat": nil})},
		{"exp null", raw(`"exp":`, `"exp":null,"x":`)},
		{"exp a string", body(object{"exp": fmt.Sprint(now.Add(time.Hour).Unix())})},
		{"nbf a string", body(object{"nbf": fmt.Sprint(now.Unix())})},
		{"iat a string", body(object{"iat": fmt.Sprint(now.Unix())})},
		{"exp beyond any number", raw(`"exp":`, `"exp":1e999,"x":`)},
		{"expired beyond the leeway", body(object{"exp": now.Add(-6 * time.Second).Unix()})},
		{"exp 0", body(object{"exp": 0})},
		{"iat in the future", body(object{"iat": now.Add(61 * time.Second).Unix()})},
		{"nbf in the future", body(object{"nbf": now.Add(61 * time.Second).Unix()})},
		{"iss missing", body(object{"iss": nil})},
		{"iss wrong", body(object{"iss": "https://evil.example"})},
		{"iss in another case", body(object{"iss": "https://Portal.example"})},
		{"iss with a slash", body(object{"iss": issuer + "/"})},
		{"aud missing", body(object{"aud": nil})},
		{"aud wrong", body(object{"aud": "latchkey:refresh"})},
		{"aud in another case", body(object{"aud": "latchkey:WEB"})},
		{"aud a list of one that is ours", body(object{"aud": []string{"latchkey:web"}})}, // the same by RFC 7519 §4.1.3
		{"aud a list of two", body(object{"aud": []string{"latchkey:web", "latchkey:api"}})},
		{"aud a list of one that is not ours", body(object{"aud": []string{"latchkey:refresh"}})},
		{"aud an empty list", body(object{"aud": []string{}})},
		{"sub missing", body(object{"sub": nil})},
		{"sub empty", body(object{"sub": ""})},
		{"sid missing", body(object{"sid": nil})},
		{"sid empty", body(object{"sid": ""})},
		{"sid not a string", body(object{"sid": 1})},
		{"jti missing", body(object{"jti": nil})},
		{"gen missing", body(object{"gen": nil})},
		{"gen 0", body(object{"gen": 0})},
		{"gen negative", body(object{"gen": -1})},
		{"gen a fraction", body(object{"gen": 1.5})},
		{"gen a string", body(object{"gen": "1"})},
		{"payload not UTF-8", raw("userid", "user\xffid")},
		{"header not UTF-8", func(d *draft) { d.header = strings.Replace(d.header, "at+jwt", "at+jwt\xff", 1) }},
		{"payload is a list", func(d *draft) { d.payload = "[" + d.payload + "]" }},
		{"payload is null", func(d *draft) { d.payload = "null" }},
		{"payload is empty", func(d *draft) { d.payload = "" }},
		{"payload with more behind it", func(d *draft) { d.payload += "{}" }},
		{"payload cut short", func(d *draft) { d.payload = strings.TrimSuffix(d.payload, "}") }},
		{"payload of too many bytes", raw("{", `{"x":"`+strings.Repeat("x", 2048)+`",`)},
		{"payload of too many members", raw("{", `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,`)},
	}
}

// TestVerifyRefuses checks forgeries that golang-jwt accepts with its defaults, and
// forgeries that it refuses.
func TestVerifyRefuses(t *testing.T) {
	clock := newClock()
	now := clock.now().Truncate(time.Second)
	ring := newKeyring(t, secret, nil, clock.now)
	good := newDraft(t, now)
	for _, test := range append(headerForgeries(t), claimForgeries(t, now)...) {
		t.Run(test.name, func(t *testing.T) {
			d := good
			test.change(&d)
			if got, err := ring.Verify(token.WebAccess, d.sign()); err == nil {
				t.Errorf("accepted: %s.%s as %+v", d.header, d.payload, got)
			}
		})
	}
	if _, err := ring.Verify(token.WebAccess, good.sign()); err != nil {
		t.Errorf("the genuine token is refused: %v", err)
	}
}

// TestVerifySpelling checks tokens with a valid signature whose text differs from the
// text that was signed: a denylist of texts would not contain them.
func TestVerifySpelling(t *testing.T) {
	clock := newClock()
	ring := newKeyring(t, secret, nil, clock.now)
	good := newDraft(t, clock.now().Truncate(time.Second)).sign()
	parts := strings.Split(good, ".")
	tests := map[string]string{
		"empty":                     "",
		"one dot":                   ".",
		"two dots":                  "..",
		"no signature":              parts[0] + "." + parts[1] + ".",
		"no signature and no dot":   parts[0] + "." + parts[1],
		"five segments":             good + ".x.y",
		"a dot at the end":          good + ".",
		"a million dots":            strings.Repeat(".", 1_000_000),
		"dots behind it":            good + strings.Repeat(".", 1_000_000),
		"padding":                   good + "=",
		"padding twice":             good + "==",
		"padded header":             parts[0] + "=." + parts[1] + "." + parts[2],
		"a line feed behind it":     good + "\n",
		"a line feed inside":        good[:len(good)-4] + "\n" + good[len(good)-4:],
		"a carriage return":         good + "\r\n",
		"a line feed in the header": parts[0][:4] + "\n" + parts[0][4:] + "." + parts[1] + "." + parts[2],
		"a space before it":         " " + good,
		"a space behind it":         good + " ",
		"a letter more":             good + "A",
		"a letter less":             good[:len(good)-1],
		"the standard alphabet":     good[:len(good)-2] + "+/",
		"NUL behind it":             good + "\x00",
		"its JSON":                  `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`,
		"Bearer":                    "Bearer " + good,
	}
	// 43 letters encode 256 bits, so two bits of the last letter are unused.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, good[len(good)-1])
	for i := 1; i < 4; i++ {
		tests[fmt.Sprintf("other spelling %d", i)] = good[:len(good)-1] + string(alphabet[last&^3|(last+i)&3])
	}
	for name, spelling := range tests {
		if _, err := ring.Verify(token.WebAccess, spelling); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := ring.Verify(token.WebAccess, good); err != nil {
		t.Errorf("the genuine token is refused: %v", err)
	}
}

// TestVerifyAccepts checks that genuine tokens are accepted.
func TestVerifyAccepts(t *testing.T) {
	clock := newClock()
	now := clock.now().Truncate(time.Second)
	ring := newKeyring(t, secret, nil, clock.now)
	good := newDraft(t, now)
	at := func(name string, d time.Duration) string { return with(claims(now), object{name: now.Add(d).Unix()}) }
	tests := map[string]string{
		"as we write it": good.payload,
		"members in another order": fmt.Sprintf(
			`{"gen":1,"sid":"sessionid","jti":"tokenid","iat":%d,"nbf":%[1]d,"exp":%d,"aud":"latchkey:web","sub":"userid","iss":%q}`,
			now.Unix(), now.Add(accessTTL).Unix(), issuer),
		"a claim of a later version": with(claims(now), object{"later": object{"a": []int{1}}}),
		"spaces":                     strings.ReplaceAll(good.payload, ",", " ,\n\t"),
		"expired within leeway":      at("exp", -4*time.Second),
		"issued ahead by leeway":     at("iat", 59*time.Second),
		"valid ahead by leeway":      at("nbf", 59*time.Second),
	}
	for name, payload := range tests {
		d := good
		d.payload = payload
		got, err := ring.Verify(token.WebAccess, d.sign())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.Subject != "userid" || got.SessionID != "sessionid" || got.ID != "tokenid" || got.Generation != 1 {
			t.Errorf("%s: claims are %+v", name, got)
		}
	}
}
