package osrelease_test

import (
	"testing"
	"testing/fstest"

	"shieldwall/internal/platform/osrelease"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		files map[string]string
		want  osrelease.Release
	}{
		{
			map[string]string{"etc/os-release": "ID=debian\nVERSION_ID=\"12\"\n", "etc/debian_version": "12.11\n"},
			osrelease.Release{Family: "debian", Name: "debian", Version: "12.11"},
		},
		{
			map[string]string{"etc/os-release": "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"24.04\"\n", "etc/debian_version": "trixie/sid\n"},
			osrelease.Release{Family: "debian", Name: "ubuntu", Version: "24.04"},
		},
		{
			map[string]string{"etc/os-release": "ID='rocky'\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID='9.4'\n"},
			osrelease.Release{Family: "rhel", Name: "rocky", Version: "9.4"},
		},
	} {
		root := fstest.MapFS{}
		for name, text := range test.files {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if got, err := osrelease.Read(root); err != nil || got != test.want {
			t.Errorf("got %+v, %v, want %+v", got, err, test.want)
		}
	}
	if _, err := osrelease.Read(fstest.MapFS{}); err == nil {
		t.Error("no error without os-release")
	}
}
