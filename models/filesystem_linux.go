package models

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// FileSystemAt returns what a file is on. If there is none, it looks at the nearest
// folder above that exists.
func FileSystemAt(path string) (FileSystem, error) {
	path = existing(path)
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err != nil {
		return FileSystem{}, fmt.Errorf("look at the file system of %s: %w", path, err)
	}
	system := fileSystemOf(uint32(stat.Type), "") //nolint:gosec // the kernel's numbers have 32 bits
	if system.Unsure {
		system = fileSystemOf(uint32(stat.Type), mountTypeAt(path))
	}
	block := int64(stat.Bsize)
	system.Free, system.Size = int64(stat.Bavail)*block, int64(stat.Blocks)*block
	return system, nil
}

// existing returns the path, or the nearest folder above it that exists.
func existing(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}

// mountTypeAt returns the type of the mount that a path is on, "" if it is unknown.
func mountTypeAt(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil || !ok {
		return ""
	}
	defer func() { _ = mounts.Close() }()
	device := uint64(stat.Dev)
	// As glibc's major and minor take a device number apart.
	major := device>>8&0xfff | device>>32&^0xfff
	minor := device&0xff | device>>12&^0xff
	return mountType(mounts, fmt.Sprintf("%d:%d", major, minor))
}

// mountType returns the type of the first mount of a device, major:minor, in a file
// like /proc/self/mountinfo (proc_pid_mountinfo(5)).
func mountType(mounts io.Reader, device string) string {
	lines := bufio.NewScanner(mounts)
	for lines.Scan() {
		before, after, found := strings.Cut(lines.Text(), " - ")
		words := strings.Fields(before)
		if found && len(words) > 2 && words[2] == device {
			kind, _, _ := strings.Cut(after, " ")
			return kind
		}
	}
	return ""
}
