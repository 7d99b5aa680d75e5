package main

import (
	"math"
	"runtime"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// gcPercent makes the garbage collector run when the heap has grown to three
// times its live data. The live data is a few MiB, so Go's default of twice
// would collect several times as often to save a few MiB.
const gcPercent = 200

// How the memory of a cgroup is shared out, in bytes. The figures behind them are in
// docs/operations.md (Memory).
const (
	// heapShare is the share of the cgroup's memory that Go's runtime may take. The
	// rest is for SQLite, whose memory the runtime does not manage, and for the kernel.
	heapShare = 0.75
	// hashMemory is what one password hash takes, with what the collector has not
	// freed yet of the one before.
	hashMemory = 48 << 20
	// restMemory is what the portal takes besides.
	restMemory = 48 << 20
)

// memoryLimit returns how much memory the cgroup of this process may use, in bytes;
// 0 if it may use any, or if there are no cgroups here.
func memoryLimit() int64 {
	limit, err := memlimit.FromCgroup()
	if err != nil || limit > math.MaxInt64 { // an error: no limit, or no cgroups
		return 0
	}
	return int64(limit)
}

// tuneCollector sets the garbage collector, unless the operator did (GOGC,
// GOMEMLIMIT): to gcPercent, and to collect more often near a memory limit.
func (p *process) tuneCollector(limit int64) {
	if p.getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if p.getenv("GOMEMLIMIT") == "" && limit > 0 {
		debug.SetMemoryLimit(int64(heapShare * float64(limit)))
	}
}

// hashesAtOnce returns how many password hashes may be computed at a time: one for
// each core, and fewer where memory is short. limit is that of memoryLimit.
func hashesAtOnce(limit int64) int {
	cores := runtime.GOMAXPROCS(0)
	if limit <= 0 {
		return cores
	}
	return int(min(max((limit-restMemory)/hashMemory, 1), int64(cores)))
}

// largestHash returns how many bytes an imported password hash may take, of which one
// is computed at a time (password.Hasher): what the others leave. 0 is any. limit is
// that of memoryLimit.
func largestHash(limit int64) int64 {
	if limit <= 0 {
		return 0
	}
	others := int64(hashesAtOnce(limit)-1) * hashMemory
	return max(limit-restMemory-others, hashMemory)
}
