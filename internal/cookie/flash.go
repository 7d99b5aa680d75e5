package cookie

import (
	"bytes"
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
	j.carry(h, flash, flash, message)
}

// TakeFlash returns the message that a redirect carried here and clears it, so
// that it is shown once. It returns the zero Flash when there is none, or none
// of ours.
func (j *Jar) TakeFlash(h http.Header, r *http.Request) Flash {
	return j.take(h, r, flash, flash)
}

// Place is the one page of one session that a secret may be shown on.
type Place struct{ SessionID, Path string }

// purpose cannot be that of another place: neither part has a line break.
func (p Place) purpose() string { return once + "\n" + p.SessionID + "\n" + p.Path }

// SetOnce carries a secret to the page that shows it. The arguments are kept
// whole, so they have to be short.
func (j *Jar) SetOnce(h http.Header, at Place, secret Flash) {
	j.carry(h, once, at.purpose(), secret)
}

// TakeOnce returns the secret that a redirect carried to the place and clears
// it, so that it is shown once. It returns the zero Flash when there is none,
// or none for this place.
func (j *Jar) TakeOnce(h http.Header, r *http.Request, at Place) Flash {
	return j.take(h, r, once, at.purpose())
}

// LeaveFlash takes back what the response says of the message and the secret:
// the page that would have shown them is not the one that is sent.
func (j *Jar) LeaveFlash(h http.Header) {
	for _, name := range []string{flash, once} {
		lines := others(h, j.name(name))
		if len(lines) == 0 {
			h.Del("Set-Cookie")
			return
		}
		h["Set-Cookie"] = lines
	}
}

func (j *Jar) carry(h http.Header, name, purpose string, message Flash) {
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false) // it would make a long argument too long for a cookie
	if encoder.Encode(sealedFlash{Flash: message, Expires: j.now().Add(flashLife).Unix()}) != nil {
		return // strings always encode
	}
	j.set(h, name, j.sealer.seal(data.Bytes(), purpose), flashLife)
}

func (j *Jar) take(h http.Header, r *http.Request, name, purpose string) Flash {
	value, present := j.read(r, name)
	if !present {
		return Flash{}
	}
	if r.Method != http.MethodHead { // which shows nothing
		j.expire(h, name)
	}
	var message sealedFlash
	data, ok := j.sealer.open(value, purpose)
	if !ok || json.Unmarshal(data, &message) != nil || j.now().Unix() > message.Expires {
		return Flash{}
	}
	return message.Flash
}
