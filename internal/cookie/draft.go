package cookie

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"
)

// draftLife is how long a form is kept: long enough to find a phone or a password.
const draftLife = 15 * time.Minute

// maxDraft is the maximum length of the cookie's value: enough for a hundred ids. Browsers
// store 4 KB, and the headers of a response should fit into a small buffer of a proxy.
const maxDraft = 2800

// Draft is a form that was not carried out, because the person had to confirm first
// that it is them. It never has passwords, codes or tokens: see package site.
type Draft struct {
	Fields url.Values
	Lost   bool // the fields were too long to keep
}

type sealedDraft struct {
	Fields  string `json:"f,omitempty"` // as a form has them
	Lost    bool   `json:"l,omitempty"`
	Expires int64  `json:"e"` // seconds since 1970
}

// SetDraft keeps the fields of a form for the page at a place. It keeps one form.
func (j *Jar) SetDraft(h http.Header, at Place, fields url.Values) {
	expires := j.now().Add(draftLife).Unix()
	value := j.sealDraft(at, sealedDraft{Fields: fields.Encode(), Expires: expires})
	if len(value) > maxDraft {
		value = j.sealDraft(at, sealedDraft{Lost: true, Expires: expires})
	}
	j.set(h, draft, value, draftLife)
}

// sealDraft compresses a draft before it seals it: a hundred ids would be too long
// otherwise.
func (j *Jar) sealDraft(at Place, d sealedDraft) string {
	var packed bytes.Buffer
	writer, err := flate.NewWriter(&packed, flate.BestCompression)
	if err == nil {
		encoder := json.NewEncoder(writer)
		encoder.SetEscapeHTML(false) // escapes could make the cookie too long
		err = encoder.Encode(d)
	}
	if err == nil {
		err = writer.Close()
	}
	if err != nil {
		return "" // it is written to memory, and strings always encode
	}
	return j.sealer.Seal(packed.Bytes(), at.purpose(draft))
}

// TakeDraft returns the form that is kept for a place, and clears it. It leaves a form
// that is kept for another place, and reports false.
func (j *Jar) TakeDraft(h http.Header, r *http.Request, at Place) (Draft, bool) {
	name := j.name(draft)
	if !mentioned(r, name) {
		return Draft{}, false
	}
	all := r.CookiesNamed(name)
	if len(all) != 1 || len(all[0].Value) > maxDraft { // one of two was planted
		return Draft{}, false
	}
	data, ok := j.sealer.Open(all[0].Value, at.purpose(draft))
	if !ok {
		return Draft{}, false
	}
	var d sealedDraft
	plain, err := io.ReadAll(flate.NewReader(bytes.NewReader(data)))
	if err != nil || json.Unmarshal(plain, &d) != nil || j.now().Unix() > d.Expires {
		return Draft{}, false
	}
	fields, err := url.ParseQuery(d.Fields)
	if err != nil {
		return Draft{}, false
	}
	if r.Method != http.MethodHead { // HEAD shows nothing
		j.expire(h, draft)
	}
	return Draft{Fields: fields, Lost: d.Lost}, true
}
