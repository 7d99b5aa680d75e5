package cookie

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	bounce     = "bounce"
	bounceLife = 10 * time.Second
)

// Bounce returns how often a browser was sent to the same target within ten
// seconds, including this time. The browser can change the count, so it serves
// only to find loops.
func (j *Jar) Bounce(h http.Header, r *http.Request, target string) int {
	sum := sha256.Sum256([]byte(target))
	mark := base64.RawURLEncoding.EncodeToString(sum[:9])
	count, since := 0, j.now()
	value, _ := j.read(r, bounce)
	if fields := strings.Split(value, "."); len(fields) == 3 && fields[2] == mark {
		seconds, err := strconv.ParseInt(fields[1], 10, 64)
		if start := time.Unix(seconds, 0); err == nil && !start.After(since) && since.Sub(start) <= bounceLife {
			count, err = strconv.Atoi(fields[0])
			since = start
			if err != nil || count < 0 || count > 1000 {
				count, since = 0, j.now()
			}
		}
	}
	count++
	j.set(h, bounce, strconv.Itoa(count)+"."+strconv.FormatInt(since.Unix(), 10)+"."+mark, bounceLife)
	return count
}
