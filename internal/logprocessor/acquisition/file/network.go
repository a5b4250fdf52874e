package file

import "syscall"

// onNetwork reports whether a path lies on a file system that other hosts write to unseen.
func onNetwork(path string) bool {
	const (
		nfs  = 0x6969
		smb  = 0x517b
		cifs = 0xff534d42
		smb2 = 0xfe534d42
	)
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err != nil {
		return false
	}
	switch uint32(stat.Type) { //nolint:gosec // magic numbers are 32 bits wide
	case nfs, smb, cifs, smb2:
		return true
	}
	return false
}
