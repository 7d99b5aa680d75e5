package models

import (
	"strings"
	"testing"
)

func TestMountType(t *testing.T) {
	const mounts = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
41 22 0:36 / /mnt/share rw,nosuid shared:12 - fuse.sshfs host:/srv rw,user_id=0
42 22 0:37 / /mnt/disk rw - virtiofs disk rw
`
	for device, want := range map[string]string{"254:0": "ext4", "0:36": "fuse.sshfs", "0:37": "virtiofs", "0:3": ""} {
		if got := mountType(strings.NewReader(mounts), device); got != want {
			t.Errorf("mountType(%q) = %q, want %q", device, got, want)
		}
	}
}

// TestFileSystemAt checks the real file system of a folder.
func TestFileSystemAt(t *testing.T) {
	system, err := FileSystemAt(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if system.Name == "" || system.Free <= 0 || system.Size < system.Free {
		t.Errorf("got %+v", system)
	}
	if got := mountTypeAt("/proc"); got != "proc" {
		t.Errorf("/proc is a mount of type %q", got)
	}
}
