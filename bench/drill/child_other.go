//go:build !linux

package main

import "syscall"

// childOf are attributes of a process that does not get the Ctrl-C of the terminal.
func childOf() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
