package config

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"latchkey/internal/forwardauth"
)

// maxRules bounds, in bytes, what is read of a file of rules.
const maxRules = 1 << 20

// rulesFile is the file of rules as it is written. Values of any type are read,
// so that a wrong one can be named with its line.
type rulesFile struct {
	Origin []struct {
		URL, Name any
		Rule      []ruleTable
	}
}

type ruleTable struct{ Path, Methods, Allow any }

// asText returns a value that is text, or is not there.
func asText(value any) (text string, ok bool) {
	text, ok = value.(string)
	return text, ok || value == nil
}

// asTexts returns a value that is a list of texts, or is not there.
func asTexts(value any) (texts []string, ok bool) {
	list, ok := value.([]any)
	for _, item := range list {
		text, isText := item.(string)
		texts, ok = append(texts, text), ok && isText
	}
	return texts, ok || value == nil
}

// forwardAuth reads the file with the protected apps.
func (l *loader) forwardAuth(name string, c *Config) []forwardauth.Origin {
	path := l.value(name)
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		l.problem(name, "names a file that cannot be read (%v); name a file that exists and that this user may read", err)
		return nil
	}
	defer f.Close() // nothing was written
	data, err := io.ReadAll(io.LimitReader(f, maxRules+1))
	if err != nil || len(data) > maxRules {
		l.problem(name, "names a file (%s) that is no file of rules: it cannot be read, or is larger than %d KB", path, maxRules>>10)
		return nil
	}
	origins, faults := parseRules(string(data))
	for _, fault := range faults {
		l.problem(name, "%s: %s", path, fault)
	}
	if len(faults) > 0 || c.PublicURL == "" {
		return nil
	}
	l.checkApps(name, c, origins)
	return origins
}

// checkApps warns about settings with which protected apps cannot work for
// browsers. API clients may still use them, so none is refused.
func (l *loader) checkApps(name string, c *Config, origins []forwardauth.Origin) {
	if len(c.TrustedProxies) == 0 {
		l.warn(nameTrustedProxies, "is not set, so /forward-auth refuses everybody; list the proxies that ask it")
	}
	own, err := url.Parse(c.PublicURL)
	if err != nil {
		return // told already
	}
	for _, o := range origins {
		if _, host, _ := strings.Cut(o.URL, "://"); host == own.Host {
			l.problem(name, "protects %s, which is the portal itself; list the apps only", o.URL)
		} else if !c.getsCookies(o.URL) {
			l.warn(name, "protects %s, to which browsers do not send the cookies of %s; set %s to a domain of both, with https on both",
				o.URL, c.PublicURL, nameCookieDomain)
		}
	}
}

// parseRules reads a file of rules. The faults, one sentence each, say where
// they are as far as that is known.
func parseRules(text string) (origins []forwardauth.Origin, faults []string) {
	var file rulesFile
	meta, err := toml.Decode(text, &file)
	if err != nil {
		if parse, ok := errors.AsType[toml.ParseError](err); ok {
			return nil, []string{fmt.Sprintf("line %d: %s", parse.Position.Line, parse.Message)}
		}
		return nil, []string{wrongTables(text)}
	}
	count := map[string]int{}
	for _, key := range meta.Undecoded() {
		where := lineOf(text, key[len(key)-1], count[key.String()])
		count[key.String()]++
		faults = append(faults, where+fmt.Sprintf("the key %s is not known; there are [[origin]] with url and name, and [[origin.rule]] with path, methods and allow", key))
	}
	if len(file.Origin) == 0 {
		faults = append(faults, "has no [[origin]]; without one nothing is protected")
	}
	lines := newHeaders(text)
	seen := map[string]bool{}
	for _, o := range file.Origin {
		where := lines.next("[[origin]]")
		address, isText := asText(o.URL)
		u, fault := parseOrigin(address)
		var app forwardauth.Origin
		switch {
		case !isText:
			faults = append(faults, where+`url is not text; write it in quotes, such as "https://app.example.org"`)
		case fault != "":
			faults = append(faults, where+fmt.Sprintf("url is %s, which %s; write scheme and host, such as https://app.example.org", quote(address), fault))
		default:
			app.URL = u.Scheme + "://" + u.Host
			if seen[app.URL] {
				faults = append(faults, where+app.URL+" stands here for the second time; put its rules together")
			}
			seen[app.URL] = true
		}
		if app.Name, fault = parseAppName(o.Name); fault != "" {
			faults = append(faults, where+fault)
		}
		for _, r := range o.Rule {
			where := lines.next("[[origin.rule]]")
			rule, fault := parseRule(r)
			if fault == "" {
				fault = shadowed(app.Rules, rule)
			}
			if fault != "" {
				faults = append(faults, where+fault)
				continue
			}
			app.Rules = append(app.Rules, rule)
		}
		origins = append(origins, app)
	}
	return origins, faults
}

// wrongTables says that origins or rules are not written as tables, which is
// all that can be wrong with the types of a file whose values are of any.
func wrongTables(text string) string {
	const words = "origins are written as [[origin]] and their rules as [[origin.rule]], in two pairs of brackets"
	for i, line := range strings.Split(text, "\n") {
		if oneTable.MatchString(line) {
			return fmt.Sprintf("line %d: %s", i+1, words)
		}
	}
	return words
}

// oneTable matches where origin, or the rule of one, is set to something else
// than a list of tables.
var oneTable = regexp.MustCompile(`^\s*(\[\s*origin\s*(\.\s*rule\s*)?\]|(origin|rule)\s*=)`)

// maxAppName is how many characters the name of an app may have: it stands in
// headings.
const maxAppName = 64

// parseAppName returns what people call an app; empty when it has no name.
func parseAppName(value any) (name, fault string) {
	name, isText := asText(value)
	name = strings.TrimSpace(name)
	switch {
	case !isText, value != nil && name == "":
		return "", `name is not text; write it in quotes, such as "Wiki"`
	case utf8.RuneCountInString(name) > maxAppName || strings.ContainsFunc(name, unicode.IsControl):
		return "", fmt.Sprintf("name is %s; write one line of at most %d characters", quote(name), maxAppName)
	}
	return name, ""
}

// parseRule checks one rule. The fault is empty when there is none.
func parseRule(table ruleTable) (rule forwardauth.Rule, fault string) {
	path, isText := asText(table.Path)
	if !isText {
		return rule, `path is not text; write it in quotes, such as "/admin"`
	}
	if rule.Methods, fault = parseMethods(table.Methods); fault != "" {
		return rule, fault
	}
	allow, isList := asTexts(table.Allow)
	if !isList {
		return rule, `allow is not a list of texts; write it in brackets and quotes, such as ["admins", "user:ana"]`
	}
	if rule.Path, fault = parseRulePath(path); fault != "" {
		return forwardauth.Rule{}, fault
	}
	if len(allow) == 0 {
		return rule, "allow is missing; " + whomToAllow
	}
	for _, who := range allow {
		username, named := strings.CutPrefix(who, "user:")
		switch {
		case who == "public":
			rule.Allow.Public = true
		case who == "users":
			rule.Allow.Users = true
		case who == "admins":
			rule.Allow.Admins = true
		case who == "preflights" && len(rule.Methods) > 0 && !slices.Contains(rule.Methods, http.MethodOptions):
			return rule, `allow has "preflights", which are OPTIONS requests, and methods does not list "OPTIONS"; add it, or leave methods out`
		case who == "preflights":
			rule.Allow.Preflight = true
		case named && userID.MatchString(username):
			rule.Allow.UserIDs = append(rule.Allow.UserIDs, strings.TrimPrefix(username, "id:"))
		case named && username != "" && !strings.ContainsFunc(username, notInUsernames):
			rule.Allow.Usernames = append(rule.Allow.Usernames, strings.ToLower(username))
		default:
			return rule, fmt.Sprintf("allow has %s; %s", quote(who), whomToAllow)
		}
	}
	return rule, ""
}

const whomToAllow = `list "public", "users", "admins", "user:NAME", "user:id:ID" or "preflights"`

// userID matches the id of an account, as Remote-Id has it.
var userID = regexp.MustCompile(`^id:[a-z2-7]{26}$`)

// parseMethods returns the methods that a rule is about; none are all.
func parseMethods(value any) (methods []string, fault string) {
	methods, isList := asTexts(value)
	if !isList || value != nil && len(methods) == 0 {
		return nil, `methods is not a list of texts; write it in brackets and quotes, such as ["GET", "POST"], or leave it out for all methods`
	}
	for _, method := range methods {
		if !forwardauth.ValidMethod(method) {
			return nil, fmt.Sprintf("methods has %s; write a method in upper case, such as GET or PROPFIND", quote(method))
		}
	}
	return methods, ""
}

// notInUsernames reports characters that no username has. Beyond ASCII there is
// none, or lower case would make a username of some.
func notInUsernames(r rune) bool { return r > unicode.MaxASCII || strings.ContainsRune(" \t:@", r) }

// parseRulePath returns the path of a rule without a slash at its end.
func parseRulePath(path string) (clean, fault string) {
	if path != "/" {
		path = strings.TrimSuffix(path, "/")
	}
	if !forwardauth.ValidPath(path) {
		return "", fmt.Sprintf("path is %s; write it as people see it, such as /admin: it begins with / and has no pattern, query, "+
			"percent-encoding or dot segments", quote(path))
	}
	return path, ""
}

// shadowed tells which earlier rule decides everything that a rule is about.
func shadowed(earlier []forwardauth.Rule, rule forwardauth.Rule) (fault string) {
	i := slices.IndexFunc(earlier, func(r forwardauth.Rule) bool { return r.Covers(rule) })
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("the rule for %s is never reached, because the rule for %s stands before it and decides; put it further up", rule.Path, earlier[i].Path)
}

// lineOf returns "line N: " of where a key is set, or heads a table, after it
// was passed over a few times; "" when the file writes it in another form.
func lineOf(text, key string, passed int) string {
	name := regexp.QuoteMeta(key)
	sets := regexp.MustCompile(`^\s*"?` + name + `"?\s*=|^\s*\[[^#]*\b` + name + `"?\s*\]`)
	for i, line := range strings.Split(text, "\n") {
		if !sets.MatchString(line) {
			continue
		}
		if passed == 0 {
			return fmt.Sprintf("line %d: ", i+1)
		}
		passed--
	}
	return ""
}

// headers finds the lines of the headers of a TOML file, one after the other:
// the decoder does not say where a table stands.
type headers struct {
	lines []string
	at    int
}

var spaces = regexp.MustCompile(`\s+`)

func newHeaders(text string) *headers { return &headers{lines: strings.Split(text, "\n")} }

// next returns "line N: " of the next such header; "" when there is none,
// because the file writes its tables in another form.
func (h *headers) next(header string) string {
	for i := h.at; i < len(h.lines); i++ {
		line, _, _ := strings.Cut(h.lines[i], "#")
		if spaces.ReplaceAllString(line, "") == header {
			h.at = i + 1
			return fmt.Sprintf("line %d: ", i+1)
		}
	}
	return ""
}
