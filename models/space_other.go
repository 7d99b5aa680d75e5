//go:build !linux && !darwin

package models

// freeSpace does not know the free space on this operating system.
func freeSpace(string) (free uint64, known bool) { return 0, false }
