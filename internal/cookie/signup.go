package cookie

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"
)

const signup = "signup"

// signupLife is how long a browser may continue its sign-up: as long as the link in
// the letter works.
const signupLife = 24 * time.Hour

// Signup is the sign-up that a browser began. The cookie is sealed, and its length
// depends only on what the person typed.
type Signup struct {
	ID    string `json:"i"` // of the account, or of a phantom
	Email string `json:"m"`
	Next  string `json:"n,omitempty"`
}

type sealedSignup struct {
	Signup
	Expires int64 `json:"e"` // seconds since 1970
}

// SetSignup remembers the sign-up that this browser began.
func (j *Jar) SetSignup(h http.Header, s Signup) {
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false) // escapes could make the cookie too long
	if encoder.Encode(sealedSignup{Signup: s, Expires: j.now().Add(signupLife).Unix()}) != nil {
		return // strings always encode
	}
	j.set(h, signup, j.sealer.Seal(data.Bytes(), signup), signupLife)
}

// Signup returns the sign-up that this browser began; the zero Signup if there is
// none.
func (j *Jar) Signup(r *http.Request) Signup {
	value, _ := j.read(r, signup)
	if value == "" {
		return Signup{}
	}
	var s sealedSignup
	data, ok := j.sealer.Open(value, signup)
	if !ok || json.Unmarshal(data, &s) != nil || j.now().Unix() > s.Expires {
		return Signup{}
	}
	return s.Signup
}

// ClearSignup forgets the sign-up, if the request has one.
func (j *Jar) ClearSignup(h http.Header, r *http.Request) {
	if _, present := j.read(r, signup); present {
		j.expire(h, signup)
	}
}
