package middleware

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/share"
)

// Limits bound the resources of one request and of all requests together.
type Limits struct {
	Body       int64 // bytes
	SmallBody  int64 // bytes, for the paths in Small
	Small      map[string]bool
	BodyTime   time.Duration // for the body to arrive
	Timeout    time.Duration // for the rest
	Concurrent int           // requests at once; a quarter of them from one network
}

// Bounds enforces Limits. It reads the body first, because a client may send it
// slowly. It refuses a body that is too large (413) or does not arrive in time
// (408). Only then does the request take a slot; if none is free, it is refused
// (503). Health checks need no slot.
func Bounds(limits Limits) echo.MiddlewareFunc {
	slots := share.New(limits.Concurrent)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			limit := limits.Body
			if limits.Small[r.URL.Path] {
				limit = limits.SmallBody
			}
			if err := readBody(c, limit, limits.BodyTime); err != nil {
				return err
			}
			if !isHealth(r.URL.Path) {
				network := share.Network(Client(c).IP)
				if !slots.Take(network) {
					return apperr.Wait(apperr.Busy, 2*time.Second, "Many people are using the portal right now. Nothing was changed. "+
						"Try again in a few seconds.", errors.New("too many requests at once"))
				}
				defer slots.Free(network)
			}
			ctx, cancel := context.WithTimeout(r.Context(), limits.Timeout)
			defer cancel()
			c.SetRequest(r.WithContext(ctx))
			return next(c)
		}
	}
}

// readBody reads the body of a request into memory.
func readBody(c echo.Context, limit int64, within time.Duration) error {
	r := c.Request()
	if r.ContentLength > limit {
		return apperr.New(apperr.TooLarge, "", nil)
	}
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	// A response that is not on a connection, as in tests, has no deadline.
	connection := http.NewResponseController(c.Response())
	_ = connection.SetReadDeadline(time.Now().Add(within))
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, limit))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return apperr.New(apperr.TooLarge, "", err)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.Response().Header().Set("Connection", "close") // the rest of the body may still come
		return apperr.New(apperr.TooSlow, "", err)
	}
	if err != nil {
		return apperr.New(apperr.Malformed, "", err)
	}
	// From here on the request has its own deadline. A read deadline would
	// cancel it, because net/http keeps reading to notice a client that
	// disconnects.
	_ = connection.SetReadDeadline(time.Time{})
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return nil
}
