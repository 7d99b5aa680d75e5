// Command floor is the smallest possible Echo server: it responds to every GET
// and POST with one static page. The load bench measures the portal against it,
// in the same run on the same machine.
//
// It has the process settings of the portal (cmd/web/serve.go), those of the
// runtime included, and no middleware, so that the difference between the two
// is the portal's own work.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"
)

// maxPage bounds the page, in bytes.
const maxPage = 1 << 20

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "`address` to listen on")
	size := flag.Int("bytes", 4096, "`size` of the page in bytes")
	flag.Parse()
	tuneRuntime()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := serve(ctx, *addr, *size)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "floor: %v\n", err)
		os.Exit(1)
	}
}

// tuneRuntime sets up the Go runtime as the portal does.
func tuneRuntime() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(200)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}

// serve answers on addr with a page of size bytes until ctx is done.
func serve(ctx context.Context, addr string, size int) error {
	if size < 0 || size > maxPage {
		return fmt.Errorf("a page has 0 to %d bytes, not %d", maxPage, size)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler(size),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// handler answers every GET and POST with the same page, its length declared
// like that of the portal's pages: net/http would cut a longer one into chunks.
// It leaves the body of a POST to net/http, which reads and discards it.
func handler(size int) http.Handler {
	page := bytes.Repeat([]byte("<p>floor</p>\n"), size/13+1)[:size]
	e := echo.New()
	length := strconv.Itoa(size)
	answer := func(c echo.Context) error {
		c.Response().Header().Set(echo.HeaderContentLength, length)
		return c.HTMLBlob(http.StatusOK, page)
	}
	e.GET("/*", answer)
	e.POST("/*", answer)
	return e
}
