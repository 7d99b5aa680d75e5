// Command app is a minimal app for trying out forward-auth. It has no sign-in of
// its own and shows what the proxy tells it about the person.
//
// It believes the Remote- headers, so only the proxy may be able to reach it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:9000", "the address to listen on")
	flag.Parse()
	server := &http.Server{Addr: *addr, Handler: http.HandlerFunc(show), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// seen is the part of a request that the app shows.
type seen struct {
	Method  string
	URI     string
	User    string
	Email   string
	Name    string
	Groups  string
	Headers http.Header
}

// show answers every request with the user it came from. With json in the query,
// it returns the whole of seen as JSON.
func show(w http.ResponseWriter, r *http.Request) {
	h := r.Header
	s := seen{r.Method, r.RequestURI, h.Get("Remote-User"), h.Get("Remote-Email"), h.Get("Remote-Name"), h.Get("Remote-Groups"), h}
	w.Header().Set("Cache-Control", "no-store")
	if r.URL.Query().Has("json") {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if s.User == "" {
		_, _ = fmt.Fprintln(w, "Hello. You are not signed in.")
		return
	}
	_, _ = fmt.Fprintf(w, "Hello %s: you are %s <%s>, of %s.\n", s.Name, s.User, s.Email, s.Groups)
}
