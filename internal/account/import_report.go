package account

import (
	"strings"

	"latchkey/internal/apperr"
	"latchkey/internal/userfile"
	"latchkey/models"
)

const (
	// maxProblems is how many problems a report names, maxGroups how many groups.
	maxProblems, maxGroups = 20, 1000
	// maxGroupName is how many characters of a group's name a report keeps.
	maxGroupName = 64
)

// ImportReport says what an import does, or did.
type ImportReport struct {
	Accounts     int
	Admins       int // the others are users
	Disabled     int
	Verified     int            // accounts whose address is verified
	NoEmail      int            // accounts without an address
	NoPassword   int            // accounts that need a reset link
	Unverifiable int            // those of them that have a hash which cannot be verified
	MustChange   int            // accounts whose old program would ask for a new password
	SecondStep   int            // accounts whose second step stays behind
	Schemes      map[string]int // accounts by the scheme of their hash
	Groups       map[string]int // members of the groups that make nobody an admin, of the first 1,000

	Problems     []ImportProblem // the first ones
	ProblemCount int
}

// ImportProblem is what is wrong with a value of an account.
type ImportProblem struct {
	Unit     string // what Number counts: "line" or "entry"
	Number   int
	Username string // as in the file; may be empty
	Field    string // empty: the whole line or entry
	Message  string // a sentence
}

func newImportReport() *ImportReport {
	return &ImportReport{Schemes: map[string]int{}, Groups: map[string]int{}}
}

// add counts an account of a file and what is wrong with it.
func (r *ImportReport) add(a userfile.Account, user models.User, wrong apperr.Fields) {
	r.Accounts++
	for _, count := range []struct {
		of *int
		is bool
	}{
		{&r.Admins, user.Role == models.RoleAdmin},
		{&r.Disabled, user.Disabled()},
		{&r.Verified, !user.EmailVerifiedAt.IsZero()},
		{&r.NoEmail, user.Email == ""},
		{&r.NoPassword, user.PasswordHash == ""},
		{&r.MustChange, a.MustChange},
		{&r.SecondStep, a.SecondStep},
	} {
		if count.is {
			*count.of++
		}
	}
	if user.Role != models.RoleAdmin {
		for _, group := range a.Groups {
			name := groupName(group)
			if _, known := r.Groups[name]; known || len(r.Groups) < maxGroups {
				r.Groups[name]++
			}
		}
	}
	r.addProblem(a, wrong)
}

// groupName returns the start of a group's name, without the memory of the entry that
// it is a part of.
func groupName(group string) string {
	n := 0
	for i := range group {
		if n++; n > maxGroupName {
			return strings.Clone(group[:i])
		}
	}
	return strings.Clone(group)
}

// addProblem counts what is wrong with an account.
func (r *ImportReport) addProblem(a userfile.Account, wrong apperr.Fields) {
	for _, w := range wrong {
		if r.ProblemCount++; len(r.Problems) < maxProblems {
			r.Problems = append(r.Problems, ImportProblem{a.Unit, a.Number, a.Username, w.Field, w.Message})
		}
	}
}
