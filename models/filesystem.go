package models

import (
	"errors"
	"fmt"
)

// ErrNetworkFileSystem says that a SQLite file is on a network file system.
var ErrNetworkFileSystem = errors.New("a network file system, where SQLite loses data")

// checkFileSystem refuses a SQLite file on a network file system: processes share the
// index of the write-ahead log by mapping it into memory, which does not work there
// (https://sqlite.org/wal.html). It returns ErrNetworkFileSystem. A file system that
// cannot be told is accepted.
func checkFileSystem(path string, of func(path string) (FileSystem, error)) error {
	if system, err := of(path); err == nil && system.Network {
		return fmt.Errorf("%s is on %s, %w: move it to a local disk, or use PostgreSQL", path, system.Name, ErrNetworkFileSystem)
	}
	return nil
}

// FileSystem is what a file or a folder is on.
type FileSystem struct {
	Name    string // such as ext4 or nfs; a number in hex when it has no name here
	Network bool   // whether it is on another machine for certain
	Unsure  bool   // whether it may be: a program provides it (FUSE)
	Free    int64  // bytes that this user may still write
	Size    int64  // bytes in all
}

// magics are file systems by the number that statfs gives (statfs(2)).
var magics = map[uint32]FileSystem{
	0x6969:     {Name: "nfs", Network: true},
	0x517B:     {Name: "smb", Network: true},
	0xFF534D42: {Name: "cifs", Network: true},
	0xFE534D42: {Name: "smb2", Network: true},
	0x01021997: {Name: "9p", Unsure: true}, // gVisor says so of local disks, too
	0x5346414F: {Name: "afs", Network: true},
	0x6B414653: {Name: "afs", Network: true},
	0x73757245: {Name: "coda", Network: true},
	0x564C:     {Name: "ncp", Network: true},
	0x00C36400: {Name: "ceph", Network: true},
	0x0BD00BD0: {Name: "lustre", Network: true},
	0x47504653: {Name: "gpfs", Network: true},
	0x65735546: {Name: "fuse", Unsure: true},
	0xEF53:     {Name: "ext4"},
	0x58465342: {Name: "xfs"},
	0x9123683E: {Name: "btrfs"},
	0x2FC12FC1: {Name: "zfs"},
	0x01021994: {Name: "tmpfs"},
	0x794C7630: {Name: "overlay"},
	0xF2F52010: {Name: "f2fs"},
	0xCA451A4E: {Name: "bcachefs"},
}

// fuseNetworks are programs that provide a file system of another machine, as
// /proc/self/mountinfo names them.
var fuseNetworks = []string{"sshfs", "glusterfs", "s3fs", "rclone", "davfs", "ceph-fuse", "gcsfuse", "juicefs", "seaweedfs", "geesefs", "moosefs"}

// fileSystemOf judges the number of statfs. mountType is the type of the mount, such
// as fuse.sshfs; "" if it is unknown.
func fileSystemOf(magic uint32, mountType string) FileSystem {
	system, known := magics[magic]
	if !known {
		return FileSystem{Name: fmt.Sprintf("%#x", magic)}
	}
	if system.Unsure && mountType != "" {
		system.Name = mountType
		for _, program := range fuseNetworks {
			if mountType == "fuse."+program {
				system.Network, system.Unsure = true, false
			}
		}
	}
	return system
}
