package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	signUps      = 60 // at the same moment
	signUpRounds = 3  // one after the other, on one server
	checkEvery   = 10 * time.Second
)

// memory lets many people sign up at once while the portal has little memory.
func memory(ctx context.Context, s *stage) error {
	c := &crowd{tally: newTally(), stop: func() {}}
	s.result.tally = c.tally
	for _, mib := range s.memory {
		if err := s.littleMemory(ctx, c, mib); err != nil {
			return err
		}
	}
	return nil
}

// littleMemory runs the drill with one limit.
func (s *stage) littleMemory(ctx context.Context, c *crowd, mib int) error {
	group, err := s.newCgroup(mib)
	if err != nil {
		return cannotRun{fmt.Sprintf("no memory limit can be set: %v", err)}
	}
	url, err := s.newDatabase(ctx)
	if err != nil {
		return err
	}
	p, err := s.newPortal(url, "")
	if err != nil {
		return err
	}
	p.cgroup = group.folder
	if err := p.start(ctx); err != nil {
		return err
	}
	c.host, c.addrs, c.people = p.addr, []string{p.addr}, nil
	checks := s.checkHealth(ctx, p)
	for round := range signUpRounds {
		c.tally.start()
		start, tries := time.Now(), s.signUpAtOnce(ctx, c, p)
		c.tally.stop()
		took := time.Since(start)
		peak, killed, err := group.used()
		if err != nil {
			return err
		}
		if killed > 0 || !p.runs() {
			s.broken("with %d MiB the kernel ended %d processes", mib, killed)
			return nil
		}
		resident, err := peakMemory(p.cmd.Process.Pid)
		if err != nil {
			return err
		}
		s.fact("%d MiB, round %d: %d sign-ups at once done in %s with %d tries, at most %d MiB in the cgroup, and %d MiB resident with the pages of the program file",
			mib, round+1, signUps, seconds(took), tries, peak>>20, resident>>20)
		if want := (round + 1) * signUps; len(c.people) < want {
			s.broken("with %d MiB only %d of %d people could sign up", mib, len(c.people), want)
		}
	}
	done, failed := checks()
	s.fact("%d health checks, %d failed", done, failed)
	err = s.conclude(ctx, c, p, true)
	p.kill()
	return err
}

// signUpAtOnce signs people up and returns how many tries that took.
func (s *stage) signUpAtOnce(ctx context.Context, c *crowd, p *portal) int64 {
	var people sync.WaitGroup
	var tries atomic.Int64
	begin, deadline := make(chan struct{}), time.Now().Add(2*time.Minute)
	for range signUps {
		people.Go(func() {
			<-begin
			one := c.newPerson()
			for time.Now().Before(deadline) && p.runs() {
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
	close(begin)
	people.Wait()
	return tries.Load()
}

// checkHealth runs latchkey healthcheck in the cgroup of a portal again and again, as
// Docker does, until stop is called.
func (s *stage) checkHealth(ctx context.Context, p *portal) (stop func() (done, failed int)) {
	running, end := context.WithCancel(ctx)
	var group sync.WaitGroup
	var done, failed int
	group.Go(func() {
		for running.Err() == nil {
			if err := p.joined("healthcheck").Run(); err != nil {
				failed++
			}
			done++
			_ = pause(running, checkEvery)
		}
	})
	stop = func() (int, int) {
		end()
		group.Wait()
		return done, failed
	}
	s.later(func() { stop() })
	return stop
}
