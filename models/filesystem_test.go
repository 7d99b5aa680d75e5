package models

import (
	"errors"
	"strings"
	"testing"
)

func TestFileSystemOf(t *testing.T) {
	tests := []struct {
		magic     uint32
		mountType string
		want      FileSystem
	}{
		{0x6969, "", FileSystem{Name: "nfs", Network: true}},
		{0xFF534D42, "", FileSystem{Name: "cifs", Network: true}},
		{0xFE534D42, "", FileSystem{Name: "smb2", Network: true}},
		{0x01021997, "", FileSystem{Name: "9p", Unsure: true}},
		{0x65735546, "", FileSystem{Name: "fuse", Unsure: true}},
		{0x65735546, "fuse.sshfs", FileSystem{Name: "fuse.sshfs", Network: true}},
		{0x65735546, "fuse.mergerfs", FileSystem{Name: "fuse.mergerfs", Unsure: true}},
		{0x65735546, "virtiofs", FileSystem{Name: "virtiofs", Unsure: true}},
		{0xEF53, "", FileSystem{Name: "ext4"}},
		{0x794C7630, "", FileSystem{Name: "overlay"}},
		{0x12345, "", FileSystem{Name: "0x12345"}},
	}
	for _, test := range tests {
		if got := fileSystemOf(test.magic, test.mountType); got != test.want {
			t.Errorf("fileSystemOf(%#x, %q) = %+v, want %+v", test.magic, test.mountType, got, test.want)
		}
	}
}

// TestCheckFileSystem checks that only a file system that is on another machine for
// certain is refused.
func TestCheckFileSystem(t *testing.T) {
	tests := []struct {
		system  FileSystem
		err     error
		refused bool
	}{
		{FileSystem{Name: "nfs", Network: true}, nil, true},
		{FileSystem{Name: "fuse", Unsure: true}, nil, false},
		{FileSystem{Name: "ext4"}, nil, false},
		{FileSystem{}, errors.New("it cannot be told"), false},
	}
	for _, test := range tests {
		err := checkFileSystem("/srv/latchkey.db", func(string) (FileSystem, error) { return test.system, test.err })
		if (err != nil) != test.refused {
			t.Errorf("%+v: got %v, want refused %t", test.system, err, test.refused)
		}
		if err != nil && (strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "nfs")) {
			t.Errorf("got %q, want one sentence that names the file system", err)
		}
	}
}
