package middleware

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"latchkey/internal/apperr"
	"latchkey/internal/auth/password"
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

// networkShare divides the slots: one network may take at most this fraction.
const networkShare = 4

// Bounds enforces Limits. It reads the body first, because a client may send it
// slowly. It refuses a body that is too large (413) or does not arrive in time
// (408). Only then does the request take a slot; if none is free, it is refused
// (503). Health checks need no slot. The context of the request says to which
// network its password hashes count.
func Bounds(limits Limits) echo.MiddlewareFunc {
	slots := &slots{most: limits.Concurrent, taken: map[netip.Prefix]int{}}
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
			network := sharedBy(c)
			if !isHealth(r.URL.Path) {
				if !slots.take(network) {
					return apperr.Wait(apperr.Busy, 2*time.Second, "Many people are using the portal right now. Nothing was changed. "+
						"Try again in a few seconds.", errors.New("too many requests at once"))
				}
				defer slots.free(network)
			}
			ctx, cancel := context.WithTimeout(password.WithNetwork(r.Context(), network), limits.Timeout)
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

// slots limits how many requests are served at once.
type slots struct {
	mu    sync.Mutex
	most  int
	all   int
	taken map[netip.Prefix]int // by networks that have at least one
}

// take takes a slot, unless all are taken, or the share of the network is.
// Requests from the zero Prefix have no share.
func (s *slots) take(network netip.Prefix) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= s.most || network.IsValid() && s.taken[network] >= max(1, s.most/networkShare) {
		return false
	}
	s.all++
	s.taken[network]++
	return true
}

func (s *slots) free(network netip.Prefix) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.taken[network]--; s.taken[network] == 0 {
		delete(s.taken, network)
	}
}

// sharedBy returns the network that shares the slots of a client: an IPv4
// address or an IPv6 /56, which is what one customer gets. It is not valid when
// the address is unknown or on this machine: then a proxy on the same host may
// stand in front that is not trusted to name its clients.
func sharedBy(c echo.Context) netip.Prefix {
	addr := Client(c).IP.Unmap().WithZone("")
	bits := 56
	if addr.Is4() {
		bits = 32
	}
	if !addr.IsValid() || addr.IsLoopback() {
		return netip.Prefix{}
	}
	network, _ := addr.Prefix(bits) // fails for more bits than there are
	return network
}
