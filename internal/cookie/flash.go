package cookie

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Flash is what a redirect tells the next page: the key of a message and its
// arguments, never text of its own.
type Flash struct {
	Key  string   `json:"k"`
	Args []string `json:"a,omitempty"`
}

// maxFlashArg bounds one argument in bytes, so that the cookie is stored.
const maxFlashArg = 300

type sealedFlash struct {
	Flash
	Expires int64 `json:"e"` // seconds since 1970
}

// SetFlash carries a message to the next page.
func (j *Jar) SetFlash(h http.Header, message Flash) {
	message.Args = slices.Clone(message.Args)
	for i, arg := range message.Args {
		if len(arg) > maxFlashArg {
			message.Args[i] = strings.ToValidUTF8(arg[:maxFlashArg], "")
		}
	}
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false) // it would make a long argument too long for a cookie
	if encoder.Encode(sealedFlash{Flash: message, Expires: j.now().Add(flashLife).Unix()}) != nil {
		return // strings always encode
	}
	j.set(h, flash, j.flash.seal(data.Bytes()), flashLife)
}

// TakeFlash returns the message that a redirect carried here and clears it, so
// that it is shown once. It returns the zero Flash when there is none, or none
// of ours.
func (j *Jar) TakeFlash(h http.Header, r *http.Request) Flash {
	value, present := j.read(r, flash)
	if !present {
		return Flash{}
	}
	j.expire(h, flash)
	var message sealedFlash
	data, ok := j.flash.open(value)
	if !ok || json.Unmarshal(data, &message) != nil || j.now().Unix() > message.Expires {
		return Flash{}
	}
	return message.Flash
}

// LeaveFlash takes back what the response says of the message: the page that
// would have shown it is not the one that is sent.
func (j *Jar) LeaveFlash(h http.Header) {
	lines := others(h, j.name(flash))
	if len(lines) == 0 {
		h.Del("Set-Cookie")
		return
	}
	h["Set-Cookie"] = lines
}

// sealer signs short values with HMAC-SHA-256.
type sealer struct{ key []byte }

func (s sealer) seal(data []byte) string {
	text := base64.RawURLEncoding.EncodeToString(data)
	return text + "." + base64.RawURLEncoding.EncodeToString(s.mac(text))
}

func (s sealer) open(value string) ([]byte, bool) {
	text, signature, found := strings.Cut(value, ".")
	got, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if !found || err != nil || !hmac.Equal(got, s.mac(text)) {
		return nil, false
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return data, err == nil
}

func (s sealer) mac(text string) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
