package api_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// document is the OpenAPI document as a client reads it: plain JSON, without
// the library that wrote it.
type document map[string]any

// documentOf requests the document.
func documentOf(t *testing.T, s *site) document {
	t.Helper()
	a := s.call("", "GET", "/openapi.json", "").is(200)
	if got := a.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("the document is %q", got)
	}
	d := document{}
	a.into(&d)
	return d
}

// object follows member names from the top. It returns nil if there is no object.
func (d document) object(names ...string) map[string]any {
	node := map[string]any(d)
	for _, name := range names {
		node, _ = node[name].(map[string]any)
	}
	return node
}

// resolve follows a reference within the document.
func (d document) resolve(node map[string]any) map[string]any {
	reference, ok := node["$ref"].(string)
	if !ok {
		return node
	}
	path, ok := strings.CutPrefix(reference, "#/")
	if !ok {
		return nil
	}
	return d.object(strings.Split(path, "/")...)
}

// operations calls f for every operation.
func (d document) operations(f func(method, path string, operation map[string]any)) {
	for path, item := range d.object("paths") {
		for method, operation := range item.(map[string]any) {
			f(strings.ToUpper(method), path, operation.(map[string]any))
		}
	}
}

// checked are the keywords that check evaluates, and those that do not restrict a
// value. check would ignore any other keyword, so a schema must not have one.
var checked = []string{
	"$ref", "type", "enum", "properties", "required", "additionalProperties", "items", "minimum", "maximum", "maxLength", "format",
	"description", "default", "examples",
}

// check returns how a value violates its schema (the part of JSON Schema 2020-12
// that the document uses).
func (d document) check(schema map[string]any, value any, at string) []string {
	schema = d.resolve(schema)
	if schema == nil {
		return []string{at + ": a reference that leads nowhere"}
	}
	var wrong []string
	bad := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	for keyword := range schema {
		if !slices.Contains(checked, keyword) {
			bad("the schema has %s, which the test does not know", keyword)
		}
	}
	if kind := typeOf(value); schema["type"] != nil && !slices.Contains(typesOf(schema["type"]), kind) {
		bad("%v is %s, want %v", value, kind, schema["type"])
		return wrong
	}
	if enum, ok := schema["enum"].([]any); ok && value != nil && !slices.Contains(enum, value) {
		bad("%v is not one of %v", value, enum)
	}
	switch value := value.(type) {
	case float64:
		if least, ok := schema["minimum"].(float64); ok && value < least {
			bad("%v is less than %v", value, least)
		}
		if most, ok := schema["maximum"].(float64); ok && value > most {
			bad("%v is more than %v", value, most)
		}
	case string:
		if schema["format"] == "date-time" {
			if at, err := time.Parse(time.RFC3339Nano, value); err != nil || !strings.HasSuffix(value, "Z") || at.IsZero() {
				bad("%q is not an instant in UTC", value)
			}
		}
	case []any:
		items, _ := schema["items"].(map[string]any)
		for i, item := range value {
			wrong = append(wrong, d.check(items, item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case map[string]any:
		wrong = append(wrong, d.checkObject(schema, value, at)...)
	}
	return wrong
}

func (d document) checkObject(schema, value map[string]any, at string) []string {
	var wrong []string
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := value[name.(string)]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s: %v is missing", at, name))
		}
	}
	for name, member := range value {
		property, ok := properties[name].(map[string]any)
		switch {
		case ok:
			wrong = append(wrong, d.check(property, member, at+"."+name)...)
		case schema["additionalProperties"] == false:
			wrong = append(wrong, fmt.Sprintf("%s: %s is not documented", at, name))
		}
	}
	return wrong
}

func typesOf(keyword any) []string {
	if name, ok := keyword.(string); ok {
		return typesOf([]any{name})
	}
	var names []string
	for _, name := range keyword.([]any) {
		names = append(names, name.(string))
		if name == "number" {
			names = append(names, "integer")
		}
	}
	return names
}

func typeOf(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case float64:
		if value == float64(int64(value)) {
			return "integer"
		}
		return "number"
	}
	return "object"
}

// TestCheckBites shows that check finds violations.
func TestCheckBites(t *testing.T) {
	d := document{}
	text := `{"components":{"schemas":{"S":{"type":"object","additionalProperties":false,"required":["a"],"properties":{
		"a":{"type":"string","enum":["x"]},"n":{"type":"integer","minimum":1},"at":{"type":["string","null"],"format":"date-time"},
		"l":{"type":"array","items":{"type":"boolean"}}}}}}}`
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	schema := map[string]any{"$ref": "#/components/schemas/S"}
	for value, want := range map[string]int{
		`{"a":"x"}`: 0, `{"a":"x","n":1,"at":null,"l":[true]}`: 0, `{"a":"x","at":"2026-11-22T12:00:00Z"}`: 0,
		`{}`: 1, `{"a":"y"}`: 1, `{"a":null}`: 1, `{"a":"x","n":0}`: 1, `{"a":"x","n":1.5}`: 1, `{"a":"x","at":"today"}`: 1,
		`{"a":"x","l":[1]}`: 1, `{"a":"x","more":1}`: 1, `[]`: 1, `null`: 1,
	} {
		var parsed any
		if err := json.Unmarshal([]byte(value), &parsed); err != nil {
			t.Fatal(err)
		}
		if got := d.check(schema, parsed, "body"); len(got) != want {
			t.Errorf("%s: got %q, want %d", value, got, want)
		}
	}
}

// TestDocument checks the document against the rules of OpenAPI 3.1.
func TestDocument(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		d := documentOf(t, s)
		if version, _ := d["openapi"].(string); !strings.HasPrefix(version, "3.1.") {
			t.Errorf("got openapi %q", version)
		}
		if info := d.object("info"); info["title"] != "Latchkey" || info["version"] == "" {
			t.Errorf("got info %v", info)
		}
		text := s.call("", "GET", "/openapi.json", "").body
		for _, reference := range regexp.MustCompile(`"\$ref":"([^"]*)"`).FindAllStringSubmatch(text, -1) {
			if d.resolve(map[string]any{"$ref": reference[1]}) == nil {
				t.Errorf("the reference %s has no target", reference[1])
			}
		}
		if strings.Contains(text, "$schema") || strings.Contains(text, "unpkg") || strings.Contains(text, "ErrorModel") {
			t.Error("the document contains additions of the library")
		}
		tags := map[any]bool{}
		for _, tag := range d["tags"].([]any) {
			tags[tag.(map[string]any)["name"]] = true
		}
		ids := map[any]bool{}
		d.operations(func(method, path string, operation map[string]any) {
			at := method + " " + path
			if id := operation["operationId"]; id == nil || ids[id] {
				t.Errorf("%s: operationId %v is missing or not unique", at, id)
			}
			ids[operation["operationId"]] = true
			if names, _ := operation["tags"].([]any); len(names) != 1 || !tags[names[0]] {
				t.Errorf("%s: got tags %v", at, names)
			}
			if operation["summary"] == nil {
				t.Errorf("%s has no summary", at)
			}
			if _, said := operation["security"].([]any); !said {
				t.Errorf("%s does not say whether it needs a token", at)
			}
			d.checkOperation(t, at, path, operation)
		})
	})
}

func (d document) checkOperation(t *testing.T, at, path string, operation map[string]any) {
	t.Helper()
	inPath := map[string]bool{}
	for _, name := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
		inPath[name[1]] = true
	}
	parameters, _ := operation["parameters"].([]any)
	for _, parameter := range parameters {
		p := parameter.(map[string]any)
		if p["schema"] == nil || p["description"] == nil {
			t.Errorf("%s: parameter %v lacks a schema or a description", at, p["name"])
		}
		if p["in"] == "path" {
			if !inPath[p["name"].(string)] || p["required"] != true {
				t.Errorf("%s: parameter %v is not in the path, or not required", at, p["name"])
			}
			delete(inPath, p["name"].(string))
		}
	}
	if len(inPath) > 0 {
		t.Errorf("%s: nothing documents %v", at, inPath)
	}
	schemes := d.object("components", "securitySchemes")
	flow := d.object("components", "securitySchemes", "oauth2", "flows", "password", "scopes")
	requirements, _ := operation["security"].([]any)
	for _, requirement := range requirements {
		for name, scopes := range requirement.(map[string]any) {
			if schemes[name] == nil {
				t.Errorf("%s: there is no security scheme %s", at, name)
			}
			for _, scope := range scopes.([]any) {
				if flow[scope.(string)] == nil {
					t.Errorf("%s: the flow has no scope %v", at, scope)
				}
			}
		}
	}
	responses, _ := operation["responses"].(map[string]any)
	if responses["200"] == nil || responses["default"] != nil {
		t.Errorf("%s: got responses %v", at, responses)
	}
	for status, response := range responses {
		if response.(map[string]any)["description"] == "" {
			t.Errorf("%s: %s has no description", at, status)
		}
	}
}
