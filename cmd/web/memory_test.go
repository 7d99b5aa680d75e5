package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// TestTuneCollector checks that the collector keeps within a share of the memory limit,
// and that what the operator set stays.
func TestTuneCollector(t *testing.T) {
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	t.Cleanup(func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	})
	for _, test := range []struct {
		name      string
		environ   []string
		memory    int64
		wantLimit int64
		wantGC    int
	}{
		{"no limit", nil, 0, 1 << 40, gcPercent},
		{"limit", nil, 100 << 20, 75 << 20, gcPercent},
		{"GOMEMLIMIT", []string{"GOMEMLIMIT=1GiB"}, 100 << 20, 1 << 40, gcPercent},
		{"GOGC", []string{"GOGC=50"}, 100 << 20, 75 << 20, 100},
	} {
		debug.SetMemoryLimit(1 << 40)
		debug.SetGCPercent(100)
		p := process{environ: test.environ}
		p.tuneCollector(test.memory)
		gotLimit, gotGC := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
		if gotLimit != test.wantLimit || gotGC != test.wantGC {
			t.Errorf("%s: got a limit of %d and %d percent, want %d and %d", test.name, gotLimit, gotGC, test.wantLimit, test.wantGC)
		}
	}
}

// TestHashesAtOnce checks that at least one password hash runs, and that all of them
// fit into the memory.
func TestHashesAtOnce(t *testing.T) {
	cores := runtime.GOMAXPROCS(4)
	t.Cleanup(func() { runtime.GOMAXPROCS(cores) })
	for limit, want := range map[int64]int{0: 4, 32 << 20: 1, 64 << 20: 1, 96 << 20: 1, 144 << 20: 2, 192 << 20: 3, 1 << 30: 4, 1 << 62: 4} {
		if got := hashesAtOnce(limit); got != want {
			t.Errorf("hashesAtOnce(%d MB) = %d, want %d", limit>>20, got, want)
		}
	}
}

// TestLargestHash checks that what an imported hash may take fits into the memory
// besides the hashes of ours that run with it.
func TestLargestHash(t *testing.T) {
	cores := runtime.GOMAXPROCS(4)
	t.Cleanup(func() { runtime.GOMAXPROCS(cores) })
	for limit, want := range map[int64]int64{0: 0, 64 << 20: 48 << 20, 96 << 20: 48 << 20, 128 << 20: 80 << 20, 256 << 20: 64 << 20, 1 << 30: 832 << 20} {
		if got := largestHash(limit); got != want {
			t.Errorf("largestHash(%d MB) = %d MB, want %d MB", limit>>20, got>>20, want>>20)
		}
	}
}
