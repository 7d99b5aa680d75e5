package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the CPU times in /proc/PID/stat: USER_HZ, which is 100
// on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// cpuTime returns the CPU time that a process has used so far. With family, it
// includes all children, even those that have ended. For PostgreSQL's first process
// that is the whole server, because its connections and background workers are
// children. It reads /proc, which only Linux has.
func cpuTime(pid int, family bool) (time.Duration, error) {
	own, children, _, err := stat(pid)
	if err != nil || !family {
		return own, err
	}
	total := own + children
	entries, err := filepath.Glob("/proc/[0-9]*/stat")
	for _, entry := range entries {
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(entry)))
		// A process that has just ended is counted in its parent's children next time.
		if own, _, parent, err := stat(child); err == nil && parent == pid {
			total += own
		}
	}
	return total, err
}

// stat reads the CPU time of a process and of its ended children, and its
// parent, from /proc/PID/stat (proc(5)).
func stat(pid int) (own, children time.Duration, parent int, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, 0, err
	}
	// The second field, the program's name, may contain spaces.
	_, rest, _ := strings.Cut(string(data), ") ")
	var ticks [4]time.Duration // utime, stime, cutime, cstime
	var state string
	var skip [9]int64
	fields := []any{&state, &parent}
	for i := range skip {
		fields = append(fields, &skip[i])
	}
	for i := range ticks {
		fields = append(fields, &ticks[i])
	}
	if _, err := fmt.Sscan(rest, fields...); err != nil {
		return 0, 0, 0, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	return (ticks[0] + ticks[1]) * tick, (ticks[2] + ticks[3]) * tick, parent, nil
}

// memory returns the resident bytes of a process, now and at its peak.
func memory(pid int) (resident, peak size, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(data)) {
		var kib size
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			resident = kib << 10
		}
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			peak = kib << 10
		}
	}
	return resident, peak, nil
}

// forgetPeak makes the kernel count a process's peak from now on (proc(5),
// clear_refs).
func forgetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}
