package account

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"latchkey/internal/apperr"
	"latchkey/internal/auth/password"
	"latchkey/internal/userfile"
	"latchkey/models"
)

// profile returns the names of an account of a file.
func (r *importRun) profile(a userfile.Account) Profile {
	profile := Profile{Username: a.Username, Email: a.Email, FullName: a.FullName}
	if r.rules.UsernameFromEmail && (profile.tidy().Username == "" || strings.Contains(a.Username, "@")) {
		address := a.Email
		if address == "" {
			address = a.Username
		}
		profile.Username = usernameOf(address)
	}
	return profile
}

// usernameOf returns a username made from an address: the part before the @ and
// before a plus sign, without the characters that no username has.
func usernameOf(address string) string {
	local, _, _ := strings.Cut(localPart(models.FoldUsername(address)), "+")
	return strings.Trim(strings.Map(func(r rune) rune {
		if notInUsernames(r) {
			return -1
		}
		return r
	}, local), "._-")
}

// role returns the role that the groups of an account give it.
func (r *importRun) role(a userfile.Account) models.Role {
	for _, group := range a.Groups {
		if slices.Contains(r.rules.AdminGroups, group) {
			return models.RoleAdmin
		}
	}
	return models.RoleUser
}

// hash returns the password hash of an account as it is stored, "" for an account
// without a password, and what is wrong.
func (r *importRun) hash(a userfile.Account) (stored, problem string) {
	if a.PasswordHash == "" {
		if !r.rules.WithoutPassword {
			return "", "There is no password hash. Allow accounts without a password with --without-password."
		}
		return "", ""
	}
	stored, scheme, err := password.Import(a.PasswordHash, r.rules.HashMemory)
	if err == nil {
		r.report.Schemes[scheme]++
		return stored, ""
	}
	if r.rules.WithoutPassword {
		r.report.Unverifiable++
		return "", ""
	}
	return "", fmt.Sprintf("This hash cannot be verified: %v. Import such accounts without a password with --without-password.", err)
}

// seenNames remembers the names of a file, to find those that are there twice. It
// keeps eight bytes of each: that two of a million differ and have the same eight
// bytes happens once in thirty million imports, and is a refusal, not a mix-up.
type seenNames struct {
	seed              maphash.Seed
	usernames, emails map[uint64]uint32 // where each was first
}

func newSeen() *seenNames {
	return &seenNames{seed: maphash.MakeSeed(), usernames: map[uint64]uint32{}, emails: map[uint64]uint32{}}
}

// add remembers the names of an account and returns those that an earlier one has.
func (s *seenNames) add(a userfile.Account, user models.User) (wrong apperr.Fields) {
	note := func(names map[uint64]uint32, field, what, name string) {
		key := maphash.String(s.seed, name)
		if first, found := names[key]; found {
			wrong.Add(field, fmt.Sprintf("This %s is in %s %d already.", what, a.Unit, first))
			return
		}
		names[key] = uint32(a.Number)
	}
	if user.Email != "" {
		note(s.emails, "email", "address", models.FoldEmail(user.Email))
	}
	note(s.usernames, "username", "username", user.Username)
	return wrong
}
