package middleware_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/middleware"
	"latchkey/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// statuses are enough of package handlers' table for these tests.
var statuses = map[apperr.Kind]int{
	apperr.Unauthorized: http.StatusUnauthorized, apperr.Forbidden: http.StatusForbidden, apperr.Busy: http.StatusServiceUnavailable,
	apperr.TooLarge: http.StatusRequestEntityTooLarge, apperr.TooSlow: http.StatusRequestTimeout, apperr.Misdirected: http.StatusMisdirectedRequest,
	apperr.Unavailable: http.StatusServiceUnavailable, apperr.TooMany: http.StatusTooManyRequests,
}

// site is an echo with some middleware in front of one handler for every path.
type site struct {
	*echo.Echo
	log  bytes.Buffer
	mu   sync.Mutex
	last error // the last error that reached the error handler
}

func newSite(handler echo.HandlerFunc, chain ...echo.MiddlewareFunc) *site {
	s := &site{Echo: echo.New()}
	s.IPExtractor = echo.ExtractIPDirect()
	s.HTTPErrorHandler = s.handle
	s.Use(chain...)
	s.Any("/*", handler)
	return s
}

func (s *site) handle(err error, c echo.Context) {
	s.mu.Lock()
	s.last = err
	s.mu.Unlock()
	status, known := statuses[apperr.KindOf(err)]
	if !known {
		status = http.StatusInternalServerError
	}
	_ = c.NoContent(status)
}

// logged is newSite with the request id, the log and the recovery in front.
func logged(handler echo.HandlerFunc, chain ...echo.MiddlewareFunc) *site {
	s := newSite(handler)
	logger := slog.New(slog.NewTextHandler(&s.log, nil))
	s.Use(append([]echo.MiddlewareFunc{
		middleware.RequestID(nil), middleware.Log(logger, s.handle), middleware.Recover,
	}, chain...)...)
	return s
}

// ask sends a request; lines are header names and values in turn, repeats kept.
func (s *site) ask(method, target string, lines ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(lines); i += 2 {
		if lines[i] == "Host" {
			r.Host = lines[i+1]
			continue
		}
		r.Header.Add(lines[i], lines[i+1])
	}
	return s.serve(r)
}

func (s *site) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.last = nil
	s.ServeHTTP(w, r)
	return w
}

func ok(c echo.Context) error { return c.NoContent(http.StatusOK) }

func newOrigin(t *testing.T, publicURL string) *middleware.Origin {
	t.Helper()
	origin, err := middleware.NewOrigin(publicURL)
	if err != nil {
		t.Fatal(err)
	}
	return origin
}
