package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// unknownNames returns a warning for each LATCHKEY_ name in environ that Load
// does not read, in alphabetical order. A warning names the most similar known
// variable, if there is one. Variables that Kubernetes derives from the names of
// services share one warning.
func unknownNames(environ []string) []string {
	known := knownNames()
	var names []string
	services := false
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		switch {
		case !strings.HasPrefix(name, prefix) || slices.Contains(known, name):
		case fromService(name, value):
			services = true
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var warnings []string
	for _, name := range slices.Compact(names) {
		warnings = append(warnings, unknownWarning(name, known))
	}
	if services {
		warnings = append(warnings, prefix+"… variables that Kubernetes sets for a service are ignored; set enableServiceLinks: false in the pod to leave them out")
	}
	return warnings
}

// unknownWarning returns the warning for one name.
func unknownWarning(name string, known []string) string {
	plain, file := strings.CutSuffix(name, fileSuffix)
	if file && slices.Contains(known, plain) {
		return fmt.Sprintf("%s is not read, because only secrets can come from a file; the nearest known name is %s", name, plain)
	}
	near := nearest(name, known)
	switch {
	case name == prefix+"PORT": // a person's guess; see fromService
		near = nameAddr
	case distance(name, near) > len(name[len(prefix):])/2:
		return fmt.Sprintf("%s is not a Latchkey variable and is ignored; docs/configuration.md lists all variables", name)
	}
	return fmt.Sprintf("%s is not a Latchkey variable and is ignored; the nearest known name is %s", name, near)
}

// knownNames returns every name that Load reads.
func knownNames() []string {
	var names []string
	for _, v := range Variables() {
		names = append(names, v.Name)
		if v.Secret {
			names = append(names, v.Name+fileSuffix)
		}
	}
	return names
}

// fromService reports whether Kubernetes set a variable for a service called
// latchkey or latchkey-something. LATCHKEY_PORT with a bare number is more likely
// a person's guess, so it gets the warning with the right name.
func fromService(name, value string) bool {
	made := regexp.MustCompile(`^LATCHKEY_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)
	if name == prefix+"PORT" {
		return strings.Contains(value, "://")
	}
	return made.MatchString(name)
}

// nearest returns the candidate with the smallest edit distance to name, the
// first of equals.
func nearest(name string, candidates []string) string {
	best, least := "", -1
	for _, c := range candidates {
		if d := distance(name, c); least < 0 || d < least {
			best, least = c, d
		}
	}
	return best
}

// distance returns the edit distance of Levenshtein between a and b, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
