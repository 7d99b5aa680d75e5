package cookie

import (
	"encoding/json"
	"time"
)

// carried is part of the purpose of a text that a page carries.
const carried = "carried"

// carriedLife is how long it works.
const carriedLife = 30 * time.Minute

type sealedText struct {
	Text    string `json:"t"`
	Expires int64  `json:"e"` // seconds since 1970
}

// Carry seals a text that a page carries in its links and forms, because it is stored
// nowhere. Only requests of that session to that path can read it, for 30 minutes.
func (j *Jar) Carry(at Place, text string) string {
	data, err := json.Marshal(sealedText{Text: text, Expires: j.now().Add(carriedLife).Unix()})
	if err != nil {
		return "" // strings always encode
	}
	return j.sealer.Seal(data, at.purpose(carried))
}

// Carried returns the text that Carry sealed for this place, "" if the value is another
// or its time is over.
func (j *Jar) Carried(at Place, value string) string {
	var text sealedText
	data, ok := j.sealer.Open(value, at.purpose(carried))
	if !ok || json.Unmarshal(data, &text) != nil || j.now().Unix() >= text.Expires {
		return ""
	}
	return text.Text
}
