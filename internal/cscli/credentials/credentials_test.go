package credentials_test

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shieldwall/internal/config"
	"shieldwall/internal/cscli/credentials"
	"shieldwall/internal/localapiclient"
)

func TestPasswordsAre64PublishedCharacters(t *testing.T) {
	t.Parallel()
	published := regexp.MustCompile(`^[A-Ya-z0-9]{64}$`)
	rapid.Check(t, func(t *rapid.T) {
		random := rapid.SliceOfN(rapid.Byte(), 200, 200).Draw(t, "random")
		password, err := credentials.NewPassword(bytes.NewReader(random))
		if err == nil && !published.MatchString(password) {
			t.Fatalf("password %q", password)
		}
	})
	first, _ := credentials.NewPassword(rand.Reader)
	second, err := credentials.NewPassword(rand.Reader)
	if err != nil || first == second || !published.MatchString(first) {
		t.Errorf("%q and %q, %v", first, second, err)
	}
}

func TestEveryCharacterIsEquallyLikely(t *testing.T) {
	t.Parallel()
	// All bytes once: those that would favour a character are left out, the others hit each as often.
	all := make([]byte, 0, 256*16)
	for range 16 {
		for b := range 256 {
			all = append(all, byte(b))
		}
	}
	counts := map[rune]int{}
	random := bytes.NewReader(all)
	for range 61 { // 61*64 = 16*244 characters use up what is fair
		password, err := credentials.NewPassword(random)
		if err != nil {
			t.Fatal(err)
		}
		for _, character := range password {
			counts[character]++
		}
	}
	if len(counts) != 61 {
		t.Errorf("%d characters", len(counts))
	}
	for character, count := range counts {
		if count != 64 {
			t.Errorf("%c appears %d times", character, count)
		}
	}
}

func TestRandomnessThatEndsIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := credentials.NewPassword(strings.NewReader("short")); err == nil {
		t.Error("no error")
	}
	if _, err := credentials.NewMachineID(nil, strings.NewReader("short")); err == nil {
		t.Error("no error")
	}
}

func TestMachineIDBeginsWithTheIdentityOfTheSystem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty, short, long := filepath.Join(dir, "empty"), filepath.Join(dir, "short"), filepath.Join(dir, "long")
	for path, content := range map[string]string{
		empty: "\n", short: "abc-def\n", long: "3d1219c7-c4c5-404a-aa1f-6d2a48adfda4-and-more",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		files []string
		want  string
	}{
		{[]string{filepath.Join(dir, "missing"), long}, `^3d1219c7c4c5404aaa1f6d2a48adfda4[A-Ya-z0-9]{16}$`},
		{[]string{empty, short, long}, `^abcdef[A-Ya-z0-9]{16}$`},
		{nil, `^[0-9a-f]{32}[A-Ya-z0-9]{16}$`},
	} {
		id, err := credentials.NewMachineID(c.files, rand.Reader)
		if err != nil || !regexp.MustCompile(c.want).MatchString(id) {
			t.Errorf("got %q, %v, want %s", id, err, c.want)
		}
	}
}

func TestEncodedKeysHaveThePublishedOrder(t *testing.T) {
	t.Parallel()
	text, err := credentials.Encode(config.Credentials{
		Password: "p", URL: localapiclient.URLs{"u"}, Login: "l", PAPIURL: "papi", CACertPath: "ca", KeyPath: "key", CertPath: "cert",
	})
	const want = "papi_url: papi\nurl: u\nlogin: l\npassword: p\nca_cert_path: ca\nkey_path: key\ncert_path: cert\n"
	if err != nil || string(text) != want {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestWrittenFilesAreTheOwnersOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "creds.yaml")
	link := path + ".link"
	if err := os.WriteFile(path, []byte("a longer content than the new one"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := credentials.Write(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	info, statErr := os.Stat(path)
	if err != nil || statErr != nil || string(content) != "new" || info.Mode().Perm() != 0o600 {
		t.Errorf("%q, mode %v, %v, %v", content, info.Mode(), err, statErr)
	}
}

func TestDevicesKeepTheirMode(t *testing.T) {
	t.Parallel()
	before, err := os.Stat(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if err := credentials.Write(os.DevNull, []byte("x")); err != nil {
		t.Error(err)
	}
	after, err := os.Stat(os.DevNull)
	if err != nil || after.Mode() != before.Mode() || after.Mode()&fs.ModeDevice == 0 {
		t.Errorf("mode %v became %v, %v", before.Mode(), after.Mode(), err)
	}
}

func TestUnwritableFileIsNamed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "missing", "creds.yaml")
	if err := credentials.Write(path, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}
