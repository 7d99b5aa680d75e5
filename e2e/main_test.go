package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"latchkey/internal/testdb"
)

// suite is the state that all tests share. TestMain sets it.
var suite struct {
	binary   string                     // the built portal
	database func(tb testing.TB) string // returns the URL of an empty database
	browser  context.Context            // of the shared Chromium
	missing  string                     // why there is no browser; "" if there is one
	axe      string                     // the source of axe-core
}

func TestMain(m *testing.M) {
	if err := run(m); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
}

// run builds the portal, starts the browser and runs the tests. It returns an
// error only if the tests could not run; m has their result.
func run(m *testing.M) error {
	switch kind := os.Getenv("LATCHKEY_E2E_DATABASE"); kind {
	case "", "sqlite":
		suite.database = testdb.SQLiteURL
	case "postgres":
		suite.database = testdb.PostgresURL
	default:
		return fmt.Errorf("LATCHKEY_E2E_DATABASE is %q, want sqlite or postgres", kind)
	}
	testdb.UseMemory()
	dir, err := os.MkdirTemp("", "latchkey-e2e-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	chromium := findChromium()
	if chromium == "" {
		suite.missing = "Chromium is not installed: run scripts/bring chromium"
		if os.Getenv("LATCHKEY_TEST_STRICT") == "1" {
			return fmt.Errorf("%s", suite.missing)
		}
		fmt.Fprintln(os.Stderr, "e2e: NO BROWSER TEST RUNS:", suite.missing)
		testdb.Main(m)
		return nil
	}
	suite.binary = filepath.Join(dir, "latchkey")
	build := exec.Command("go", "build", "-o", suite.binary, "./cmd/web")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the portal: %w\n%s", err, out)
	}
	source, err := os.ReadFile(filepath.Join("testdata", "axe-core", "axe.min.js"))
	if err != nil {
		return err
	}
	suite.axe = string(source)

	allocator, stop := chromedp.NewExecAllocator(context.Background(), chromiumOptions(chromium, dir)...)
	defer stop()
	browser, closeBrowser := chromedp.NewContext(allocator)
	defer closeBrowser()
	if err := chromedp.Do(browser); err != nil {
		return fmt.Errorf("start %s: %w", chromium, err)
	}
	suite.browser = browser
	testdb.Main(m)
	return nil
}

// findChromium returns the path of the first program that scripts/bring would
// accept as Chromium, or "".
func findChromium() string {
	for _, name := range []string{"headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// User agents.
const (
	desktop = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
	firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
	iphone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)

// chromiumOptions are for a browser that makes no requests of its own and uses
// British English, whose date format is the portal's.
func chromiumOptions(path, dir string) []chromedp.ExecAllocatorOption {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(filepath.Join(dir, "browser")),
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-GB"),
		chromedp.UserAgent(desktop),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // the sandbox refuses to run as root
	}
	return options
}
