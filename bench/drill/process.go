package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// freeze stops a process and all its children until release is called, as a machine
// does that hangs. The first process is stopped first, so that it starts no others.
func freeze(pid int) (release func() error, err error) {
	family := []int{pid}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return nil, err
	}
	children, err := childrenOf(pid)
	family = append(family, children...)
	release = func() error {
		var failed error
		for _, one := range family {
			if err := syscall.Kill(one, syscall.SIGCONT); err != nil && !errors.Is(err, syscall.ESRCH) {
				failed = errors.Join(failed, err)
			}
		}
		return failed
	}
	for _, child := range children {
		_ = syscall.Kill(child, syscall.SIGSTOP) // it may have ended
	}
	if err != nil {
		return nil, errors.Join(err, release())
	}
	return release, nil
}

// childrenOf returns the children of a process, from /proc/PID/stat (proc(5)).
func childrenOf(pid int) (children []int, err error) {
	entries, err := filepath.Glob("/proc/[0-9]*/stat")
	for _, entry := range entries {
		text, err := os.ReadFile(entry)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest) // state, parent, …
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(entry)))
			children = append(children, child)
		}
	}
	return children, err
}

// peakMemory returns the largest resident size of a process, in bytes.
func peakMemory(pid int) (peak int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			peak = kib << 10
		}
	}
	return peak, nil
}

// findProgram returns the path of a program, also where only root's PATH looks.
func findProgram(name string) (string, error) {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin", "/sbin") {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", cannotRun{name + " is not installed"}
}

// tool runs a program of the system to its end.
func tool(name string, args ...string) error {
	path, err := findProgram(name)
	if err != nil {
		return err
	}
	if said, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(said)))
	}
	return nil
}
