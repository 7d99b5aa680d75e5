package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cgroup is a cgroup with a memory limit.
type cgroup struct {
	folder string
	peak   string // the file with the most that it has used, in bytes
	events string // the file that says how many processes the kernel has ended
}

// newCgroup makes a cgroup with a memory limit and without swap for the length of the
// drill.
func (s *stage) newCgroup(mib int) (*cgroup, error) {
	const two = "/sys/fs/cgroup"
	name := fmt.Sprintf("latchkey-drill-%d-%s-%d", os.Getpid(), strings.ToLower(s.database), mib)
	folder := filepath.Join(two, "memory", name)
	g := &cgroup{folder: folder, peak: "memory.max_usage_in_bytes", events: "memory.oom_control"}
	limit := strconv.Itoa(mib << 20)
	limits := [][2]string{{"memory.limit_in_bytes", limit}, {"memory.memsw.limit_in_bytes", limit}} // memsw: with swap
	if _, err := os.Stat(two + "/cgroup.controllers"); err == nil {
		g.folder, g.peak, g.events = filepath.Join(two, name), "memory.peak", "memory.events"
		limits = [][2]string{{"memory.max", limit}, {"memory.swap.max", "0"}}
		if err := enableMemory(two + "/cgroup.subtree_control"); err != nil {
			return nil, err
		}
	}
	if err := os.Mkdir(g.folder, 0o755); err != nil {
		return nil, err
	}
	s.later(g.remove)
	for i, one := range limits {
		err := os.WriteFile(filepath.Join(g.folder, one[0]), []byte(one[1]), 0o600)
		if i > 0 && errors.Is(err, fs.ErrNotExist) {
			continue // the kernel does not limit swap
		}
		if err != nil {
			return nil, err
		}
	}
	return g, nil
}

// enableMemory makes memory limits possible below a cgroup (version 2).
func enableMemory(file string) error {
	text, err := os.ReadFile(file)
	if err != nil || strings.Contains(" "+strings.TrimSpace(string(text))+" ", " memory ") {
		return err
	}
	return os.WriteFile(file, []byte("+memory"), 0o600)
}

// used returns the most that the cgroup has used, in bytes, and how many of its
// processes the kernel has ended.
func (g *cgroup) used() (peak int64, killed int, err error) {
	text, err := os.ReadFile(filepath.Join(g.folder, g.peak))
	if errors.Is(err, fs.ErrNotExist) { // before Linux 5.19
		text, err = os.ReadFile(filepath.Join(g.folder, "memory.current"))
	}
	if err != nil {
		return 0, 0, err
	}
	if peak, err = strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err != nil {
		return 0, 0, err
	}
	text, err = os.ReadFile(filepath.Join(g.folder, g.events))
	for line := range strings.Lines(string(text)) {
		if n, found := strings.CutPrefix(strings.TrimSpace(line), "oom_kill "); found {
			killed, err = strconv.Atoi(n)
		}
	}
	return peak, killed, err
}

// remove removes the cgroup, once the kernel has forgotten its last process.
func (g *cgroup) remove() {
	for range 50 {
		if os.Remove(g.folder) == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}
