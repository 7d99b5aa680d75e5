package userfile

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// keycloak reads the users of a realm, wherever they are in its export.
func (f *File) keycloak(yield func(Account) bool) error {
	decoder := jsontext.NewDecoder(f.text)
	if decoder.PeekKind() != '{' {
		if _, err := decoder.ReadToken(); err != nil {
			return f.jsonFailure(err)
		}
		return damage("this is not a realm of Keycloak")
	}
	if _, err := decoder.ReadToken(); err != nil {
		return f.jsonFailure(err)
	}
	found := false
	for decoder.PeekKind() == '"' {
		name, err := decoder.ReadToken()
		if err != nil {
			return f.jsonFailure(err)
		}
		if name.String() == "users" && decoder.PeekKind() == '[' {
			found = true
			stopped := false
			err = f.people(decoder, false, func(a Account) bool {
				stopped = !yield(a)
				return !stopped
			}, keycloakUser)
			if stopped {
				return nil
			}
		} else {
			f.text.whole()
			err = decoder.SkipValue()
		}
		if err != nil {
			return f.jsonFailure(err)
		}
	}
	if _, err := decoder.ReadToken(); err != nil {
		return f.jsonFailure(err)
	}
	if !found {
		return damage("this realm of Keycloak has no users: export it with its users (kc.sh export --users same_file)")
	}
	return f.end(decoder)
}

// keycloakUser reads a user of a realm. Accounts of services are no people.
func keycloakUser(a *Account, _ string, o object) bool {
	if o.text(a, "", "serviceAccountClientId") != "" {
		return false
	}
	a.Username = o.text(a, "username", "username")
	a.Email = o.text(a, "email", "email")
	a.FullName = joined(o.text(a, "full_name", "firstName"), o.text(a, "full_name", "lastName"))
	a.Verified = a.flag("email_verified", o.text(a, "email_verified", "emailVerified"))
	a.Disabled = o["enabled"] != nil && !a.flag("disabled", o.text(a, "disabled", "enabled"))
	if text := o.text(a, "created_at", "createdTimestamp"); text != "" {
		milliseconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			a.wrong("created_at", "This is not a number of milliseconds.")
		} else {
			a.Created = time.UnixMilli(milliseconds).UTC()
		}
	}
	a.Groups = o.list("realmRoles")
	for _, group := range o.list("groups") { // as paths: /admins
		a.Groups = append(a.Groups, strings.TrimPrefix(group, "/"))
	}
	credentials := keycloakCredentials(o["credentials"])
	a.PasswordHash = keycloakHash(credentials)
	a.MustChange = slices.Contains(o.list("requiredActions"), "UPDATE_PASSWORD")
	a.SecondStep = slices.ContainsFunc(credentials, func(c keycloakCredential) bool {
		return c.Type != "password" && c.Type != "password-history"
	})
	return true
}

// keycloakCredential is a credential of a user. Its data is JSON in a text.
type keycloakCredential struct {
	Type           string `json:"type"`
	SecretData     string `json:"secretData"`
	CredentialData string `json:"credentialData"`
}

// keycloakCredentials returns the credentials of a user, none when they cannot be read.
func keycloakCredentials(value jsontext.Value) (list []keycloakCredential) {
	if len(value) == 0 || json.Unmarshal(value, &list) != nil {
		return nil
	}
	return list
}

// keycloakHash returns the password among the credentials of a user in the form of
// other programs, "" when there is none. For a hash that has no such form it returns
// the name of its algorithm, which nothing verifies.
func keycloakHash(credentials []keycloakCredential) string {
	for _, c := range credentials {
		if c.Type != "password" {
			continue
		}
		var secret struct {
			Value []byte `json:"value"`
			Salt  []byte `json:"salt"`
		}
		var data struct {
			Iterations int                 `json:"hashIterations"`
			Algorithm  string              `json:"algorithm"`
			More       map[string][]string `json:"additionalParameters"`
		}
		if json.Unmarshal([]byte(c.SecretData), &secret) != nil || json.Unmarshal([]byte(c.CredentialData), &data) != nil {
			return "a credential of Keycloak that cannot be read"
		}
		plain := base64.RawStdEncoding
		salt, value := plain.EncodeToString(secret.Salt), plain.EncodeToString(secret.Value)
		more := func(name string) string { return strings.Join(data.More[name], ",") }
		switch {
		case data.Algorithm == "pbkdf2-sha256" || data.Algorithm == "pbkdf2-sha512":
			return fmt.Sprintf("$%s$%d$%s$%s", data.Algorithm, data.Iterations, dotted(salt), dotted(value))
		case data.Algorithm == "argon2" && more("type") == "id" && more("version") == "1.3":
			return fmt.Sprintf("$argon2id$v=19$m=%s,t=%d,p=%s$%s$%s", more("memory"), data.Iterations, more("parallelism"), salt, value)
		}
		return data.Algorithm + " of Keycloak"
	}
	return ""
}

// dotted writes base64 as passlib does.
func dotted(text string) string { return strings.ReplaceAll(text, "+", ".") }
