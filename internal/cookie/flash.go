package cookie

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Flash is a message for the next page after a redirect: the key of its text and
// the arguments, never the text itself.
type Flash struct {
	Key  string   `json:"k"`
	Args []string `json:"a,omitempty"`
}

// maxFlashArg is the maximum length of an argument in bytes. Browsers do not store
// longer cookies.
const maxFlashArg = 300

type sealedFlash struct {
	Flash
	Expires int64 `json:"e"` // seconds since 1970
}

// SetFlash sets the message for the next page. It shortens long arguments.
func (j *Jar) SetFlash(h http.Header, message Flash) {
	message.Args = slices.Clone(message.Args)
	for i, arg := range message.Args {
		if len(arg) > maxFlashArg {
			message.Args[i] = strings.ToValidUTF8(arg[:maxFlashArg], "")
		}
	}
	j.carry(h, flash, flash, message)
}

// TakeFlash returns the message for this page and clears it, so that it is shown
// once. It returns the zero Flash if there is no valid message.
func (j *Jar) TakeFlash(h http.Header, r *http.Request) Flash {
	return j.take(h, r, flash, flash)
}

// PeekFlash is TakeFlash without clearing the message.
func (j *Jar) PeekFlash(r *http.Request) Flash {
	value, present := j.read(r, flash)
	if !present {
		return Flash{}
	}
	return j.unseal(value, flash)
}

// Place is the page and the session in which a secret may be shown.
type Place struct{ SessionID, Path string }

// purpose is unique to the place and the use, because no part contains a line break.
func (p Place) purpose(use string) string { return use + "\n" + p.SessionID + "\n" + p.Path }

// SetOnce sets the secret for the page that shows it. It does not shorten
// arguments, so they have to be short.
func (j *Jar) SetOnce(h http.Header, at Place, secret Flash) {
	j.carry(h, once, at.purpose(once), secret)
}

// TakeOnce returns the secret for this place and clears it, so that it is shown
// once. It returns the zero Flash if there is no valid secret for this place.
func (j *Jar) TakeOnce(h http.Header, r *http.Request, at Place) Flash {
	return j.take(h, r, once, at.purpose(once))
}

// LeaveFlash undoes TakeFlash, TakeOnce, TakeDraft, SetFlash and SetOnce in a response,
// for an error page that takes the place of the page that would have shown them.
func (j *Jar) LeaveFlash(h http.Header) {
	for _, name := range []string{flash, once, draft} {
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
	encoder.SetEscapeHTML(false) // escapes could make the cookie too long
	if encoder.Encode(sealedFlash{Flash: message, Expires: j.now().Add(flashLife).Unix()}) != nil {
		return // strings always encode
	}
	j.set(h, name, j.sealer.Seal(data.Bytes(), purpose), flashLife)
}

func (j *Jar) take(h http.Header, r *http.Request, name, purpose string) Flash {
	value, present := j.read(r, name)
	if !present {
		return Flash{}
	}
	if r.Method != http.MethodHead { // HEAD shows nothing
		j.expire(h, name)
	}
	return j.unseal(value, purpose)
}

// unseal returns the message in the value of a cookie, the zero Flash when it is
// not valid.
func (j *Jar) unseal(value, purpose string) Flash {
	var message sealedFlash
	data, ok := j.sealer.Open(value, purpose)
	if !ok || json.Unmarshal(data, &message) != nil || j.now().Unix() > message.Expires {
		return Flash{}
	}
	return message.Flash
}
