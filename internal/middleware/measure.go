package middleware

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// Meter counts requests. Its functions are called by many goroutines at once.
type Meter struct {
	Begin func() // a request has arrived
	// End gets each request after its response. method is an HTTP method or
	// OtherMethod, route the pattern of a declared route or NoRoute: never what a
	// client made up.
	End func(method, route string, status int, took time.Duration)
}

// What Meter.End gets for methods that HTTP does not define (OpenTelemetry's semantic
// conventions), and for paths without a route.
const (
	OtherMethod = "_OTHER"
	NoRoute     = "none"
)

// Measure reports each request. It stands before Log, which turns errors into
// responses.
func Measure(meter Meter) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
			meter.Begin()
			defer func() { // also when the handler aborts the connection
				status := c.Response().Status
				meter.End(knownMethod(c.Request().Method), routeOf(c, status), status, time.Since(start))
			}()
			return next(c)
		}
	}
}

func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return OtherMethod
}

// routeOf returns the pattern of the route that the request reached, NoRoute if there
// is none: no route has the path, or not with this method (405), or the request was for
// another host (421). Otherwise a client could add a series for each route, method and
// such status.
func routeOf(c echo.Context, status int) string {
	if route := c.Path(); route != "" && status != http.StatusMethodNotAllowed && status != http.StatusMisdirectedRequest {
		return route
	}
	return NoRoute
}
