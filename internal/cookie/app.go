package cookie

import (
	"encoding/json"
	"net/http"
	"time"
)

// appLife is how long the secret of a new authenticator app waits for its first code.
const appLife = 15 * time.Minute

type sealedApp struct {
	Secret  []byte `json:"s"`
	Expires int64  `json:"e"` // seconds since 1970
}

// SetApp keeps the secret of an authenticator app that is being set up. Only the page
// at that place can read it.
func (j *Jar) SetApp(h http.Header, at Place, secret []byte) {
	data, err := json.Marshal(sealedApp{Secret: secret, Expires: j.now().Add(appLife).Unix()})
	if err != nil {
		return // bytes always encode
	}
	j.set(h, app, j.sealer.Seal(data, at.purpose(app)), appLife)
}

// App returns the secret that SetApp kept, nil if there is none for this place or its
// time is over.
func (j *Jar) App(r *http.Request, at Place) []byte {
	value, _ := j.read(r, app)
	if value == "" {
		return nil
	}
	var kept sealedApp
	data, ok := j.sealer.Open(value, at.purpose(app))
	if !ok || json.Unmarshal(data, &kept) != nil || j.now().Unix() >= kept.Expires {
		return nil
	}
	return kept.Secret
}

// ClearApp forgets the secret.
func (j *Jar) ClearApp(h http.Header) { j.expire(h, app) }
