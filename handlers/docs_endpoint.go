package handlers

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"latchkey/views/pages"
)

// endpointOf describes an operation of the document, for readers without
// script.
func endpointOf(document *huma.OpenAPI, path string, operation *huma.Operation, publicURL string) pages.Endpoint {
	endpoint := pages.Endpoint{
		Method: operation.Method, Path: path, Summary: operation.Summary, Text: operation.Description,
		Token: len(operation.Security) > 0, Scopes: scopesOf(operation),
	}
	for _, p := range operation.Parameters {
		endpoint.Parameters = append(endpoint.Parameters, pages.Parameter{Name: p.Name, Place: p.In, Required: p.Required, Text: textOf(p)})
	}
	command := []string{"curl"}
	if operation.Method != http.MethodGet && operation.Method != http.MethodPost || operation.Method == http.MethodPost && operation.RequestBody == nil {
		command = append(command, "-X "+operation.Method)
	}
	command = append(command, publicURL+path)
	if endpoint.Token {
		command = append(command, `-H "Authorization: Bearer $TOKEN"`)
	}
	if operation.RequestBody != nil {
		for kind, body := range operation.RequestBody.Content {
			schema := resolved(document, body.Schema)
			endpoint.Parameters = append(endpoint.Parameters, bodyParameters(schema)...)
			command = append(command, bodyArguments(document, kind, schema)...)
		}
	}
	endpoint.Curl = strings.Join(command, " ")
	for _, status := range slices.Sorted(maps.Keys(operation.Responses)) {
		response := operation.Responses[status]
		if status[0] != '2' {
			endpoint.Failures = append(endpoint.Failures, status+" "+response.Description)
			continue
		}
		endpoint.Answer = status + " " + response.Description
		if body := response.Content["application/json"]; body != nil {
			sample, err := json.MarshalIndent(sampleOf(document, body.Schema, 0), "", "  ")
			if err == nil {
				endpoint.Sample = string(sample)
			}
		}
	}
	return endpoint
}

// textOf returns the description of a parameter or, if it has none, of its
// schema.
func textOf(p *huma.Param) string {
	if p.Description == "" && p.Schema != nil {
		return p.Schema.Description
	}
	return p.Description
}

func bodyParameters(schema *huma.Schema) []pages.Parameter {
	var list []pages.Parameter
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		list = append(list, pages.Parameter{
			Name: name, Place: "body", Required: slices.Contains(schema.Required, name), Text: schema.Properties[name].Description,
		})
	}
	return list
}

// bodyArguments returns the arguments of curl for a body. For a form these are the
// required fields or, if there are none, the fields for signing in.
func bodyArguments(document *huma.OpenAPI, kind string, schema *huma.Schema) []string {
	if kind == "application/json" {
		sample, err := json.Marshal(sampleOf(document, schema, 0))
		if err != nil {
			return nil
		}
		return []string{"--json '" + string(sample) + "'"}
	}
	names := schema.Required
	if len(names) == 0 {
		names = []string{"username", "password"}
	}
	var arguments []string
	for _, name := range names {
		arguments = append(arguments, "-d "+name+"=…")
	}
	return arguments
}

// resolved follows a reference to a schema of the document.
func resolved(document *huma.OpenAPI, schema *huma.Schema) *huma.Schema {
	if schema != nil && schema.Ref != "" {
		schema = document.Components.Schemas.SchemaFromRef(schema.Ref)
	}
	if schema == nil {
		return &huma.Schema{}
	}
	return schema
}

// sampleOf returns a value that fits a schema. It cuts off schemas that contain
// themselves.
func sampleOf(document *huma.OpenAPI, schema *huma.Schema, depth int) any {
	schema = resolved(document, schema)
	switch {
	case len(schema.Examples) > 0:
		return schema.Examples[0]
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case depth > 5:
		return nil
	}
	switch schema.Type {
	case huma.TypeObject:
		sample := map[string]any{}
		for name, property := range schema.Properties {
			sample[name] = sampleOf(document, property, depth+1)
		}
		return sample
	case huma.TypeArray:
		return []any{sampleOf(document, schema.Items, depth+1)}
	case huma.TypeBoolean:
		return false
	case huma.TypeInteger, huma.TypeNumber:
		return 300
	}
	if schema.Format == "date-time" {
		return "2026-01-31T09:30:00Z"
	}
	return "…"
}
