package api

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/labstack/echo/v4"

	"latchkey/internal/fields"
	"latchkey/internal/oauth"
)

// maxBody is the maximum size of a JSON body in bytes, the same as for forms.
const maxBody = 64 << 10

// bodyTime is the time limit for a JSON body, the same as the server's. Huma's
// own limit is shorter and would cancel a request that waits for the database.
const bodyTime = 15 * time.Second

// operation is a typed route: its description, and its failures besides those of
// every route that needs a token.
type operation struct {
	huma.Operation
	failures []int
	quiet    bool // a request does not count as a use of the session
}

// register declares a typed route for callers whose token has the scope; with
// the scope "" any token passes. A GET route answers HEAD too.
func register[I, O any](a *API, scope oauth.Scope, op operation, handler func(context.Context, *I) (*O, error)) {
	op.MaxBodyBytes, op.BodyReadTimeout = maxBody, bodyTime
	op.Middlewares = huma.Middlewares{a.gate(scope, op.quiet)}
	op.Security = a.security(scope)
	if scope == oauth.ScopeUsersWrite {
		op.Description = strings.TrimSpace(op.Description + " " + stepUpWords)
	}
	op.Responses = failures(a.huma, append([]int{400, 401, 503}, op.failures...))
	if scope != "" {
		op.Responses["403"] = failure(a.huma, 403)
	}
	typed := func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, refusal{err}
		}
		return out, nil
	}
	huma.Register(a.huma, op.Operation, typed)
	if op.Method == http.MethodGet {
		op.Method, op.Hidden = http.MethodHead, true
		huma.Register(a.huma, op.Operation, typed)
	}
}

// again declares the same operation at another path, which the OpenAPI document
// leaves out.
func again(op operation, path string) operation {
	op.Path, op.Hidden = path, true
	return op
}

// gate authenticates the caller of a typed route, and passes every failure to the
// portal's one error handler.
func (a *API) gate(scope oauth.Scope, quiet bool) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := humaecho.Unwrap(ctx)
		caller, err := a.authenticate(c, scope, quiet)
		if err == nil {
			_, err = fields.Query(c.Request()) // Huma ignores repeated and unreadable parameters
		}
		if err != nil {
			a.fail(err, c)
			return
		}
		x := &exchange{humaContext: ctx, echo: c, bearer: caller}
		next(x)
		if x.failure != nil {
			a.fail(x.failure, c)
		}
	}
}

// humaContext is huma.Context under another name: embedded as Context, it would
// hide its own method Context.
type humaContext huma.Context

// exchange is one request to a typed route and its response. It suppresses Huma's
// response to a failure, which the portal's error handler writes.
type exchange struct {
	humaContext
	echo    echo.Context
	bearer  bearer
	failure error
}

// Unwrap returns the context of the adapter.
func (x *exchange) Unwrap() huma.Context { return x.humaContext }

// Header returns a header of the request. It returns a media type, which ignores
// case (RFC 9110 §8.3.1), in lower case, because Huma compares it literally.
func (x *exchange) Header(name string) string {
	value := x.humaContext.Header(name)
	if name == "Content-Type" && otherCharset(value) {
		return "none" // Huma ignores the charset
	}
	if name == "Content-Type" {
		return strings.ToLower(value)
	}
	return value
}

// SetStatus begins the response, unless the request failed.
func (x *exchange) SetStatus(status int) {
	if x.failure == nil && !x.echo.Response().Committed {
		x.humaContext.SetStatus(status)
	}
}

// BodyWriter returns the writer of the response, or one that discards the body if
// the request failed.
func (x *exchange) BodyWriter() io.Writer {
	if x.failure != nil {
		return io.Discard
	}
	return x.humaContext.BodyWriter()
}

// refusal wraps the failure of a typed handler, so that Huma does not write it
// into a response.
type refusal struct{ error }

// GetStatus satisfies huma.StatusError. The status is not sent.
func (refusal) GetStatus() int { return http.StatusInternalServerError }

// keepFailure is a huma.Transformer: it sees every body before it is written.
func keepFailure(ctx huma.Context, _ string, body any) (any, error) {
	x, ok := ctx.(*exchange)
	if !ok {
		return body, nil
	}
	switch failure := body.(type) {
	case refusal:
		x.failure = failure.error
	case *huma.ErrorModel:
		x.failure = understood(failure)
	default:
		return body, nil
	}
	return nil, nil
}

// as is the input of a typed handler, or embedded in it. It has the caller on
// whose behalf the handler acts.
type as struct{ bearer }

// Resolve satisfies huma.Resolver.
func (p *as) Resolve(ctx huma.Context) []error {
	if x, ok := ctx.(*exchange); ok {
		p.bearer = x.bearer
	}
	return nil
}
