//go:build !linux

package main

import (
	"errors"
	"syscall"
	"time"
)

// errLinux says why there are no figures elsewhere.
var errLinux = errors.New("the bench reads CPU time and memory from /proc, which only Linux has")

const tick = 10 * time.Millisecond

type memory struct{ resident, peak int64 }

func processCPU(int) (time.Duration, error) { return 0, errLinux }

func familyCPU(int) (time.Duration, error) { return 0, errLinux }

func readMemory(int) (memory, error) { return memory{}, errLinux }

func forgetPeak(int) error { return errLinux }

func childAttributes(_ syscall.Signal, credential *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: credential}
}
