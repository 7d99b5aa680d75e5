package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// tick is the unit of the CPU times in /proc/PID/stat: USER_HZ, which is 100
// on every architecture that Go runs on.
const tick = 10 * time.Millisecond

// stat are the fields of /proc/PID/stat that count CPU time (proc(5)).
type stat struct {
	parent   int
	own      time.Duration // utime + stime, of all threads
	children time.Duration // cutime + cstime: of children that ended
}

func readStat(pid int) (stat, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	// The second field, the program's name, may contain spaces.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 15 {
		return stat{}, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	var n [16]int64
	for i := 1; i <= 14; i++ {
		if n[i], err = strconv.ParseInt(string(fields[i]), 10, 64); err != nil {
			return stat{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
	}
	return stat{
		parent:   int(n[1]),
		own:      time.Duration(n[11]+n[12]) * tick,
		children: time.Duration(n[13]+n[14]) * tick,
	}, nil
}

// processCPU returns the CPU time a process has used so far.
func processCPU(pid int) (time.Duration, error) {
	s, err := readStat(pid)
	return s.own, err
}

// familyCPU returns the CPU time that a process and its children have used so
// far, those that have ended included: of PostgreSQL's first process that is
// the whole server, each of whose connections and background workers is a
// child.
func familyCPU(pid int) (time.Duration, error) {
	entries, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for _, entry := range entries {
		child, err := strconv.Atoi(filepath.Base(filepath.Dir(entry)))
		if err != nil {
			continue
		}
		s, err := readStat(child)
		if err == nil && s.parent == pid { // one that is gone counts below
			total += s.own
		}
	}
	parent, err := readStat(pid)
	return total + parent.own + parent.children, err
}

// memory are the resident bytes of a process, now and at most.
type memory struct{ resident, peak int64 }

func readMemory(pid int) (memory, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, err
	}
	var m memory
	for line := range bytes.Lines(data) {
		fields := bytes.Fields(line)
		if len(fields) != 3 {
			continue
		}
		kib, err := strconv.ParseInt(string(fields[1]), 10, 64)
		switch name := string(fields[0]); {
		case err != nil:
		case name == "VmRSS:":
			m.resident = kib << 10
		case name == "VmHWM:":
			m.peak = kib << 10
		}
	}
	return m, nil
}

// forgetPeak makes the kernel count a process's peak from now on (proc(5),
// clear_refs).
func forgetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// childAttributes makes a child end when the driver does, however that ends,
// by the given signal.
func childAttributes(signal syscall.Signal, credential *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: signal, Credential: credential}
}
