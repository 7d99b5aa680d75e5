package api

import (
	"net/http"
	"strings"

	"latchkey/internal/apperr"
	"latchkey/internal/fields"
)

// The paths of the FastAPI tutorials that the API did not have. Two of them are
// also the paths of the portal's own forms.
const (
	loginPath           = "/login"
	signupPath          = "/signup"
	tutorialRefreshPath = "/refresh_token"
)

// InTutorialDialect reports whether a request comes from a program and not from
// a browser: it has neither Sec-Fetch-* nor Origin and does not accept
// text/html. The programs of the FastAPI tutorials send such requests.
//
// Current browsers send Sec-Fetch-Site and, with a POST, Origin. Browsers older
// than these headers accept text/html when they send a form. Only a script on a
// page of the portal's own origin, in such an old browser, could send a request
// like a program's. Like every request in the dialect, it can neither use nor
// get a cookie.
func InTutorialDialect(r *http.Request) bool {
	for name := range r.Header {
		if name == "Origin" || strings.HasPrefix(name, "Sec-Fetch-") {
			return false
		}
	}
	for _, accept := range r.Header["Accept"] {
		if strings.Contains(strings.ToLower(accept), "text/html") {
			return false
		}
	}
	return true
}

// Answers reports whether the API handles a request, even if no route has its
// path: the API owns the path, or the path is that of a form and the request is
// in tutorial dialect.
func Answers(r *http.Request) bool {
	if Owns(r.URL.Path) {
		return true
	}
	form := r.URL.Path == loginPath || r.URL.Path == signupPath
	return form && r.Method == http.MethodPost && InTutorialDialect(r)
}

// FieldFault describes the problem with one field, in the words of FastAPI.
type FieldFault struct {
	Type string   `json:"type" doc:"missing, string_type, json_invalid, model_attributes_type or value_error."`
	Loc  []string `json:"loc" nullable:"false" doc:"The place of the problem: body, and the name of the field."`
	Msg  string   `json:"msg" doc:"The problem in words."`
}

// Unprocessable is the body of a 422 as FastAPI writes it.
type Unprocessable struct {
	Detail []FieldFault `json:"detail" nullable:"false" doc:"The problem with each field."`
}

// fieldFaults are a failure whose response is Unprocessable.
type fieldFaults []FieldFault

// Error names the fields, for the log.
func (f fieldFaults) Error() string {
	var names []string
	for _, fault := range f {
		names = append(names, fault.Type+" at "+strings.Join(fault.Loc, "."))
	}
	return strings.Join(names, ", ")
}

// Unwrap returns apperr.Invalid.
func (f fieldFaults) Unwrap() error { return apperr.Invalid }

// add appends a problem with a field of the body; if name is "", with the body.
func (f *fieldFaults) add(kind, name, message string) {
	place := []string{"body"}
	if name != "" {
		place = append(place, clip(name))
	}
	*f = append(*f, FieldFault{Type: kind, Loc: place, Msg: message})
}

// missing returns a fault for each of the fields that is empty in the body, or
// nil.
func missing(in fields.Values, names ...string) error {
	var faults fieldFaults
	for _, name := range names {
		if in.Get(name) == "" {
			faults.add("missing", name, "Field required")
		}
	}
	if faults == nil {
		return nil
	}
	return faults
}
