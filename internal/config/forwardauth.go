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

// maxRules is the maximum size of a rules file in bytes.
const maxRules = 1 << 20

// rulesFile is the content of the rules file. It accepts values of any type, so
// that errors can name the line of a wrong one.
type rulesFile struct {
	Origin []struct {
		URL, Name any
		Rule      []ruleTable
	}
}

type ruleTable struct{ Path, Methods, Allow any }

// asText returns a value that is text or missing.
func asText(value any) (text string, ok bool) {
	text, ok = value.(string)
	return text, ok || value == nil
}

// asTexts returns a value that is a list of texts or missing.
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
		l.problem(name, "names a file (%s) that is not a rules file: it cannot be read or is larger than %d KB", path, maxRules>>10)
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
		l.warn(nameTrustedProxies, "is not set, so /forward-auth refuses every request; list the proxies that call it")
	}
	own, err := url.Parse(c.PublicURL)
	if err != nil {
		return // already reported
	}
	for _, o := range origins {
		if _, host, _ := strings.Cut(o.URL, "://"); host == own.Host {
			l.problem(name, "protects %s, which is the portal itself; list only the apps", o.URL)
		} else if !c.getsCookies(o.URL) {
			l.warn(name, "protects %s, to which browsers do not send the cookies of %s; set %s to a domain of both, with https on both",
				o.URL, c.PublicURL, nameCookieDomain)
		}
	}
}

// parseRules reads a rules file. Each fault is one sentence and names its line
// if it is known.
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
		faults = append(faults, where+fmt.Sprintf("the key %s is not known; use [[origin]] with url and name, and [[origin.rule]] with path, methods and allow", key))
	}
	if len(file.Origin) == 0 {
		faults = append(faults, "has no [[origin]], so no app is protected; add one for each app")
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
				faults = append(faults, where+app.URL+" occurs twice; put its rules together")
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

// wrongTables reports that origins or rules are not written as tables. No other
// type can be wrong, because all values may have any type.
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

// maxAppName is the maximum length of the name of an app in characters, because
// headings contain it.
const maxAppName = 64

// parseAppName returns the name of an app; empty when it has none.
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
		return rule, "allow is missing; " + allowWords
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
			return rule, fmt.Sprintf("allow has %s; %s", quote(who), allowWords)
		}
	}
	return rule, ""
}

const allowWords = `list "public", "users", "admins", "user:NAME", "user:id:ID" or "preflights"`

// userID matches the id of an account, as Remote-Id has it.
var userID = regexp.MustCompile(`^id:[a-z2-7]{26}$`)

// parseMethods returns the methods of a rule; none means all.
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

// notInUsernames reports characters that no username has. It includes all
// beyond ASCII, because some become ASCII letters in lower case.
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

// shadowed names the earlier rule that covers a rule completely.
func shadowed(earlier []forwardauth.Rule, rule forwardauth.Rule) (fault string) {
	i := slices.IndexFunc(earlier, func(r forwardauth.Rule) bool { return r.Covers(rule) })
	if i < 0 {
		return ""
	}
	return fmt.Sprintf("the rule for %s never applies, because the earlier rule for %s covers it; move it up", rule.Path, earlier[i].Path)
}

// lineOf returns "line N: " for the line that sets a key or has it in a table
// header, after passed earlier ones. It returns "" when the file writes it in
// another form.
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

// headers finds the lines of the table headers of a TOML file, one after the
// other, because the decoder does not report them.
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
