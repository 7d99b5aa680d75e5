package mail

import (
	"encoding/base64"
	"strings"
)

// redact removes the password, and what signs in with it, from a text that a mail
// server may have written.
func (t *SMTP) redact(text string) string {
	if t.o.Username == "" {
		return text
	}
	name, password := t.o.Username, string(t.o.Password)
	for _, secret := range []string{
		base64.StdEncoding.EncodeToString([]byte("\x00" + name + "\x00" + password)),
		base64.StdEncoding.EncodeToString([]byte(password)),
		base64.RawStdEncoding.EncodeToString([]byte(password)),
		password,
	} {
		text = strings.ReplaceAll(text, secret, "…")
	}
	return text
}
