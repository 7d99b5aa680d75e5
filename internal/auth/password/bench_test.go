package password

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkBare is the time of one hash with nothing around it.
func BenchmarkBare(b *testing.B) {
	salt := random(saltSize)
	for b.Loop() {
		DefaultParams().derive("three tangerine lamps", salt, tagSize)
	}
}

// BenchmarkBareParallel computes such hashes on every core at once. The difference
// from BenchmarkBare shows the cost of memory bandwidth, without a Hasher.
func BenchmarkBareParallel(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		salt := random(saltSize)
		for pb.Next() {
			DefaultParams().derive("three tangerine lamps", salt, tagSize)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "hashes/s")
}

// BenchmarkFullQueue keeps every slot and every place in the queue taken. It
// reports hashes per second, and their share of the maximum that the cores could
// compute according to the time of a bare hash, measured before and after in the
// same run. The share is meaningful only on an idle machine.
func BenchmarkFullQueue(b *testing.B) {
	const queue = 50
	h := NewHasher(HasherOptions{Queue: queue, Wait: time.Hour})
	cores := runtime.GOMAXPROCS(0)
	bare := bareHash(5)

	var left, refused atomic.Int64
	left.Store(int64(b.N))
	var group sync.WaitGroup
	b.ResetTimer()
	for range cores + queue {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				if h.VerifyDummy(b.Context(), "three tangerine lamps") != nil {
					refused.Add(1)
				}
			}
		})
	}
	group.Wait()
	b.StopTimer()
	bare = (bare + bareHash(5)) / 2

	if n := refused.Load(); n != 0 {
		b.Fatalf("%d calls were refused", n)
	}
	rate := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "hashes/s")
	b.ReportMetric(100*rate*bare.Seconds()/float64(cores), "%of-bare")
}

// BenchmarkResidentMemory repeatedly runs 100 callers at once and reports the peak
// growth of the process's resident memory.
func BenchmarkResidentMemory(b *testing.B) {
	const callers = 100
	if resident(b, "VmHWM:") == 0 {
		b.Skip("needs /proc/self/status")
	}
	h := NewHasher(HasherOptions{Queue: callers, Wait: time.Hour})
	runtime.GC()
	before := resident(b, "VmRSS:")
	for b.Loop() {
		var group sync.WaitGroup
		for range callers {
			group.Go(func() { _ = h.VerifyDummy(b.Context(), "three tangerine lamps") })
		}
		group.Wait()
	}
	b.ReportMetric(float64(resident(b, "VmHWM:")-before)/1024, "MiB-added-at-peak")
	b.ReportMetric(float64(resident(b, "VmRSS:")-before)/1024, "MiB-added-after")
}

func BenchmarkPolicyCheck(b *testing.B) {
	policy := NewPolicy(PolicyOptions{Context: []string{"Latchkey", "accounts.example.org"}})
	b.ReportAllocs()
	for b.Loop() {
		policy.Check("three tangerine lamps", "wendy", "wendy@example.org")
	}
}

// bareHash returns the mean time of n bare hashes.
func bareHash(n int) time.Duration {
	salt := random(saltSize)
	start := time.Now()
	for range n {
		DefaultParams().derive("three tangerine lamps", salt, tagSize)
	}
	return time.Since(start) / time.Duration(n)
}

// resident returns a field of /proc/self/status in KiB, or 0 without one.
func resident(b *testing.B, field string) int {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte(field))
	words := bytes.Fields(rest)
	if len(words) == 0 {
		return 0
	}
	n, err := strconv.Atoi(string(words[0]))
	if err != nil {
		b.Fatal(err)
	}
	return n
}
