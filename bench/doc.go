// Package bench measures the portal: it has Go benchmarks of the work that every
// request causes (go test -bench . ./bench). The load bench, which drives the built
// server over the network, is in its subfolders. scripts/bench runs everything, and
// docs/performance.md has the results.
package bench
