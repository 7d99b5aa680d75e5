package main

import "syscall"

// childOf are attributes of a process that ends with this one and does not get the
// Ctrl-C of the terminal.
func childOf() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
