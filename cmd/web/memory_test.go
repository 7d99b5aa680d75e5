package main

import (
	"runtime"
	"testing"
)

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
