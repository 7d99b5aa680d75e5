package userfile

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// pocketBaseUser reads a row of a collection of PocketBase, as
// "sqlite3 -json" writes it. Older releases call the hash passwordHash.
func pocketBaseUser(a *Account, o object) bool {
	a.Username = o.text(a, "username", "username")
	a.Email = o.text(a, "email", "email")
	a.FullName = o.text(a, "full_name", "name")
	a.Verified = a.flag("email_verified", o.text(a, "email_verified", "verified"))
	a.Created = a.time("created_at", o.text(a, "created_at", "created"))
	if a.PasswordHash = o.text(a, "password_hash", "password"); a.PasswordHash == "" {
		a.PasswordHash = o.text(a, "password_hash", "passwordHash")
	}
	return true
}

// djangoUser reads an object of "manage.py dumpdata": one of auth.User or of another
// model of users. Models of something else can have a name and a password too, such as
// the mailboxes that a site reads.
func djangoUser(a *Account, o object) bool {
	fields := object{}
	if fields.read(o["fields"]) != nil || fields["password"] == nil || fields["username"] == nil && fields["email"] == nil ||
		fields["is_active"] == nil && fields["last_login"] == nil {
		return false
	}
	a.Username = fields.text(a, "username", "username")
	a.Email = fields.text(a, "email", "email")
	a.FullName = joined(fields.text(a, "full_name", "first_name"), fields.text(a, "full_name", "last_name"))
	// An unusable password begins with an exclamation mark.
	if hash := fields.text(a, "password_hash", "password"); !strings.HasPrefix(hash, "!") {
		a.PasswordHash = hash
	}
	if fields["is_active"] != nil {
		a.Disabled = !a.flag("disabled", fields.text(a, "disabled", "is_active"))
	}
	a.Created = a.time("created_at", fields.text(a, "created_at", "date_joined"))
	for _, group := range []struct{ field, name string }{{"is_superuser", "superuser"}, {"is_staff", "staff"}} {
		if a.flag("role", fields.text(a, "role", group.field)) {
			a.Groups = append(a.Groups, group.name)
		}
	}
	return true
}

// fastAPI reads the dictionary of the FastAPI tutorials, fake_users_db, as
// json.dumps writes it.
func (f *File) fastAPI(yield func(Account) bool) error {
	decoder := jsontext.NewDecoder(f.text)
	if decoder.PeekKind() != '{' {
		if _, err := decoder.ReadToken(); err != nil {
			return f.jsonFailure(err)
		}
		return damage("this is not an object with the users of a FastAPI service")
	}
	return f.people(decoder, true, yield, func(a *Account, name string, o object) bool {
		if a.Username = o.text(a, "username", "username"); a.Username == "" {
			a.Username = name
		}
		a.Email = o.text(a, "email", "email")
		a.FullName = o.text(a, "full_name", "full_name")
		a.PasswordHash = o.text(a, "password_hash", "hashed_password")
		a.Disabled = a.flag("disabled", o.text(a, "disabled", "disabled"))
		return true
	})
}

// joined returns a first and a last name as one.
func joined(first, last string) string { return strings.TrimSpace(first + " " + last) }
