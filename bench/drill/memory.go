package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// signUps is how many people sign up at the same moment in the memory drill.
const signUps = 60

// memory lets many people sign up at once while the portal has little memory.
func memory(ctx context.Context, s *stage) error {
	url, err := s.newDatabase(ctx)
	if err != nil {
		return err
	}
	bounded := fmt.Sprintf("limit %d MiB", s.memory)
	group, err := s.newCgroup(s.memory)
	if err != nil {
		group, bounded = "", fmt.Sprintf("no limit: %v", err)
	}
	p, err := s.newPortal(url, "")
	if err != nil {
		return err
	}
	p.cgroup = group
	if err := p.start(ctx); err != nil {
		return err
	}
	c := &crowd{tally: newTally(), host: p.addr, addrs: []string{p.addr}}
	s.result.tally = c.tally
	var people sync.WaitGroup
	var tries atomic.Int64
	begin, start := make(chan struct{}), time.Now()
	for range signUps {
		people.Go(func() {
			<-begin
			one := c.newPerson()
			for deadline := start.Add(2 * time.Minute); time.Now().Before(deadline) && p.runs(); {
				tries.Add(1)
				if one.signUp(ctx) {
					c.mu.Lock()
					c.people = append(c.people, one)
					c.mu.Unlock()
					return
				}
				if pause(ctx, time.Second) != nil {
					return
				}
			}
		})
	}
	c.tally.start()
	close(begin)
	people.Wait()
	c.tally.stop()
	if !p.runs() {
		s.broken("the portal was killed with %s", bounded)
		return nil
	}
	peak, err := peakMemory(p.cmd.Process.Pid)
	if err != nil {
		return err
	}
	s.fact("%d sign-ups at once done in %s with %d tries, peak %d MiB resident, %s",
		len(c.people), seconds(time.Since(start)), tries.Load(), peak>>20, bounded)
	if len(c.people) < signUps {
		s.broken("only %d of %d people could sign up", len(c.people), signUps)
	}
	c.stop = func() {}
	return s.conclude(ctx, c, p, true)
}

// newCgroup makes a cgroup with a memory limit and without swap, and returns its folder.
func (s *stage) newCgroup(mib int) (folder string, err error) {
	name := fmt.Sprintf("latchkey-drill-%d-%s", os.Getpid(), strings.ToLower(s.database))
	root, file := "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
	if controllers, err := os.ReadFile("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		if !strings.Contains(string(controllers), "memory") {
			return "", fmt.Errorf("/sys/fs/cgroup has no memory controller")
		}
		root, file = "/sys/fs/cgroup", "memory.max"
	}
	folder = filepath.Join(root, name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		return "", err
	}
	s.later(func() { _ = os.Remove(folder) })
	return folder, os.WriteFile(filepath.Join(folder, file), fmt.Appendf(nil, "%d", mib<<20), 0o600)
}
