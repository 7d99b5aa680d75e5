//go:build !linux

package models

import "errors"

// FileSystemAt cannot tell outside of Linux.
func FileSystemAt(string) (FileSystem, error) {
	return FileSystem{}, errors.New("the file system cannot be told on this operating system")
}
