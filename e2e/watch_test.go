package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// watch collects the problems that the browser reports in one tab: errors and
// warnings on the console, violations of the content security policy, and faulty
// forms. It also records requests and counts transferred bytes.
type watch struct {
	mu       sync.Mutex
	muted    bool
	expected string // complaints with this prefix are ignored
	found    []string
	requests []string
	open     map[network.RequestID]bool // requests without a complete response
	bytes    float64
}

// event runs in the loop that reads from the browser, so it must not block.
func (w *watch) event(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		if strings.HasPrefix(event.Request.URL, "data:") {
			break // the browser's own icons
		}
		w.requests = append(w.requests, event.Request.URL)
		if w.open == nil {
			w.open = map[network.RequestID]bool{}
		}
		w.open[event.RequestID] = true
	case *network.EventLoadingFinished:
		if w.open[event.RequestID] {
			w.bytes += event.EncodedDataLength
		}
		delete(w.open, event.RequestID)
	case *network.EventLoadingFailed:
		delete(w.open, event.RequestID)
	}
	problem := complaint(event)
	if problem == "" || w.muted || w.expected != "" && strings.HasPrefix(problem, w.expected) {
		return
	}
	if !slices.Contains(w.found, problem) {
		w.found = append(w.found, problem)
	}
}

// complaint returns the problem that an event reports, or "". An error status of a
// page is no problem, because tests request such pages on purpose. An error status
// of a static file is.
func complaint(event any) string {
	switch event := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError || event.Type == runtime.ConsoleAPICalledTypeWarning {
			return fmt.Sprintf("console.%s: %s", event.Type, said(event.Args))
		}
	case *runtime.EventExceptionThrown:
		return "exception: " + event.ExceptionDetails.Text
	case *log.EventEntryAdded:
		entry := event.Entry
		page := entry.Source == log.EntrySourceNetwork && !strings.Contains(entry.URL, "/static/") &&
			strings.HasPrefix(entry.Text, "Failed to load resource: the server responded with a status of 4")
		if !page && (entry.Level == log.EntryLevelError || entry.Level == log.EntryLevelWarning) {
			return fmt.Sprintf("%s %s at %s: %s", entry.Source, entry.Level, entry.URL, entry.Text)
		}
	case *audits.EventIssueAdded:
		details := event.Issue.Details
		if csp := details.ContentSecurityPolicyIssueDetails; csp != nil {
			return fmt.Sprintf("content security policy: %s blocked %s", csp.ViolatedDirective, csp.BlockedURL)
		}
		if form := details.GenericIssueDetails; form != nil && strings.HasPrefix(string(form.ErrorType), "Form") {
			return fmt.Sprintf("%s %s", form.ErrorType, form.ViolatingNodeAttribute)
		}
	}
	return ""
}

// said returns the text that a page wrote to the console.
func said(args []*runtime.RemoteObject) string {
	var words []string
	for _, arg := range args {
		words = append(words, string(arg.Value)+arg.Description)
	}
	return strings.Join(words, " ")
}

// problems returns the complaints so far.
func (w *watch) problems() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.found)
}

// expect ignores complaints that begin with start from now on.
func (w *watch) expect(start string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected = start
}

// mute ignores all complaints while muted, because a tool may cause some.
func (w *watch) mute(muted bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.muted = muted
}

// transferred returns the requested URLs and the number of received bytes so
// far.
func (w *watch) transferred() ([]string, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests), int(w.bytes)
}

// restart forgets the requests so far.
func (w *watch) restart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests, w.open, w.bytes = nil, nil, 0
}

// quiet reports whether every request has its response, including one whose URL
// ends with url.
func (w *watch) quiet(url string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.open) == 0 && slices.ContainsFunc(w.requests, func(asked string) bool { return strings.HasSuffix(asked, url) })
}
