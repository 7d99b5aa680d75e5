package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// tab is one browser tab on one portal. Its methods stop the test if they fail.
type tab struct {
	*testing.T
	portal *portal
	ctx    context.Context
	watch  *watch
}

// eachMode runs a test with and without script.
func eachMode(t *testing.T, f func(t *testing.T, script bool)) {
	t.Helper()
	for _, script := range []bool{true, false} {
		name := "with script"
		if !script {
			name = "without script"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, script)
		})
	}
}

// open opens a tab in a new browser context, which has no cookies.
func open(t *testing.T, p *portal, script bool) *tab {
	t.Helper()
	return newTab(t, p, suite.browser, script, chromedp.WithNewBrowserContext())
}

// beside opens another tab with the same cookies.
func (b *tab) beside() *tab {
	b.Helper()
	id := chromedp.FromContext(b.ctx).BrowserContextID
	return newTab(b.T, b.portal, suite.browser, true, chromedp.WithExistingBrowserContext(id))
}

func newTab(t *testing.T, p *portal, parent context.Context, script bool, options ...chromedp.ContextOption) *tab {
	t.Helper()
	w := &watch{}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(w.event))...)
	t.Cleanup(cancel)
	b := &tab{T: t, portal: p, ctx: ctx, watch: w}
	b.must("open a tab", chromedp.Do(ctx)) // without a deadline, which would apply to the tab itself
	t.Cleanup(func() {
		for _, problem := range w.problems() {
			t.Errorf("the browser complained: %s", problem)
		}
	})
	call(b, audits.Enable, cdp.Empty{})
	call(b, network.Enable, network.EnableParams{})
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	if !script {
		call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	}
	b.screen(1280, 800, false)
	return b
}

func (b *tab) must(what string, err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("%s: %v", what, err)
	}
}

// call sends one command of the DevTools protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	b.must(command.Method, err)
	return result
}

// ask evaluates an expression in the page. It works without script too, because
// only the page's own scripts are turned off.
func ask[T any](b *tab, format string, args ...any) T {
	b.Helper()
	value, err := evaluate[T](b, format, args...)
	b.must("ask the page", err)
	return value
}

func evaluate[T any](b *tab, format string, args ...any) (T, error) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	quoted := make([]any, len(args))
	for i, arg := range args {
		text, err := json.Marshal(arg)
		b.must("quote an argument", err)
		quoted[i] = string(text)
	}
	return chromedp.Run(ctx, chromedp.Evaluate[T](fmt.Sprintf(format, quoted...), chromedp.EvalAwaitPromise))
}

// loading performs an action that loads another page, waits for that page, and
// returns its status.
func (b *tab) loading(what string, act chromedp.Action[chromedp.Void]) int {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, act)
	b.must(what, err)
	if response == nil {
		b.Fatalf("%s: no response", what)
	}
	return int(response.Status)
}

// visit opens a page of the portal and returns its status.
func (b *tab) visit(path string) int {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	response, err := chromedp.Run(ctx, chromedp.NavigateResponse(b.portal.url+path))
	b.must("visit "+path, err)
	return int(response.Status)
}

// back presses the Back button and waits for the page. The browser may restore
// it from memory without loading anything.
func (b *tab) back() {
	b.Helper()
	history := call(b, page.GetNavigationHistory, cdp.Empty{})
	want := history.CurrentIndex - 1
	if want < 0 {
		b.Fatal("there is nothing to go back to")
	}
	call(b, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: history.Entries[want].ID})
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	waitFor(b.T, "the previous page", func() bool {
		history, err := chromedp.Call(ctx, page.GetNavigationHistory, cdp.Empty{})
		return err == nil && history.CurrentIndex == want // it fails while no page is loaded
	})
	b.until("the page to be complete", `document.readyState === "complete"`)
}

// screen sets the size of the window and the colour scheme that the device
// prefers. It reduces motion, so that no check sees a transition half-way.
func (b *tab) screen(width, height int64, dark bool) {
	b.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1,
	})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// cookies returns the cookies that the browser would send now, by name.
func (b *tab) cookies() map[string]*network.Cookie {
	b.Helper()
	named := map[string]*network.Cookie{}
	for _, cookie := range call(b, network.GetCookies, network.GetCookiesParams{URLs: []string{b.portal.url}}).Cookies {
		named[cookie.Name] = cookie
	}
	return named
}

// untilExpired waits until the access token has expired: its cookie expires at
// the same time.
func (b *tab) untilExpired() {
	b.Helper()
	waitFor(b.T, "the access cookie to expire", func() bool { return b.cookies()["access"] == nil })
	if b.cookies()["refresh"] == nil {
		b.Fatal("the refresh cookie is gone as well")
	}
}

// waitForOr waits a few seconds for a condition and then calls otherwise.
func waitForOr(t *testing.T, holds func() bool, otherwise func()) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	held := false
	waitFor(t, "a condition or its deadline", func() bool {
		held = holds()
		return held || time.Now().After(deadline)
	})
	if !held {
		otherwise()
	}
}
