package oauth

import (
	"slices"
	"strings"

	"latchkey/models"
)

// Scope is one permission of an API token (RFC 6749 §3.3). Scopes do not imply
// each other: users:write does not include users.
type Scope string

// The scopes.
const (
	ScopeMe         Scope = "me"          // read the person's own account
	ScopeMeWrite    Scope = "me:write"    // change it
	ScopeApps       Scope = "apps"        // open the apps behind forward-auth as the person
	ScopeUsers      Scope = "users"       // read everyone's; admins only
	ScopeUsersWrite Scope = "users:write" // change them; admins only
	ScopeIntrospect Scope = "introspect"  // introspect tokens; admins only
)

// AllScopes lists every scope in the order in which they are written.
func AllScopes() Scopes {
	return Scopes{ScopeMe, ScopeMeWrite, ScopeApps, ScopeUsers, ScopeUsersWrite, ScopeIntrospect}
}

// AllowedScopes returns the scopes that a role allows: no token of such a
// person can do more.
func AllowedScopes(admin bool) Scopes {
	if admin {
		return AllScopes()
	}
	return Scopes{ScopeMe, ScopeMeWrite, ScopeApps}
}

// Scopes is a set of scopes, in the order of AllScopes.
type Scopes []Scope

// ParseScopes reads a list separated by spaces. It reports false when the list
// names a scope that does not exist.
func ParseScopes(list string) (Scopes, bool) {
	names := strings.Fields(list)
	var scopes Scopes
	for _, scope := range AllScopes() {
		if slices.Contains(names, string(scope)) {
			scopes = append(scopes, scope)
		}
	}
	for _, name := range names {
		if !scopes.Has(Scope(name)) {
			return nil, false
		}
	}
	return scopes, true
}

// Granted reads the scopes of a token that was issued here. It ignores names
// that this version does not know.
func Granted(list string) Scopes {
	var scopes Scopes
	for name := range strings.FieldsSeq(list) {
		scopes = append(scopes, Scope(name))
	}
	return scopes.within(AllScopes())
}

// String returns the list separated by spaces.
func (s Scopes) String() string {
	names := make([]string, len(s))
	for i, scope := range s {
		names[i] = string(scope)
	}
	return strings.Join(names, " ")
}

// Has reports whether the set has a scope.
func (s Scopes) Has(scope Scope) bool { return slices.Contains(s, scope) }

// Within reports whether every scope of the set is in ceiling too.
func (s Scopes) Within(ceiling Scopes) bool { return len(s.within(ceiling)) == len(s) }

// within returns the scopes that both sets have.
func (s Scopes) within(ceiling Scopes) Scopes {
	both := make(Scopes, 0, len(s))
	for _, scope := range ceiling {
		if s.Has(scope) {
			both = append(both, scope)
		}
	}
	return both
}

// effective returns those of the scopes that the role allows.
func (s Scopes) effective(role models.Role) Scopes {
	return s.within(AllowedScopes(role == models.RoleAdmin))
}
