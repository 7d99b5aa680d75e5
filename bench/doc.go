// Package bench measures the portal: its tests are Go benchmarks of what every
// request pays for (go test -bench . ./bench). The load bench, which drives the
// built server over the network, is in its subfolders; scripts/bench runs all
// of it, and docs/performance.md has the results.
package bench
