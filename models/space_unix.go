//go:build linux || darwin

package models

import "syscall"

// freeSpace returns how many bytes this user may still write to the disk of a
// folder. It is not known for file systems that do not say.
func freeSpace(folder string) (free uint64, known bool) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(folder, &disk); err != nil || disk.Blocks == 0 {
		return 0, false
	}
	return disk.Bavail * uint64(disk.Bsize), true
}
