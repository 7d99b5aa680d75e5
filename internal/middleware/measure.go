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
				meter.End(knownMethod(c.Request().Method), routeOf(c), c.Response().Status, time.Since(start))
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

// routeOf returns the pattern of the route that the router chose. Echo leaves it empty
// when no route has the path; with a wrong method it is that of the path's route.
func routeOf(c echo.Context) string {
	if route := c.Path(); route != "" {
		return route
	}
	return NoRoute
}
