// Package credentials makes identities for machines and writes the file that keeps them.
//
// It owns the alphabet and length of generated names and passwords and the mode of the file (0600). It
// overwrites without asking: whether to is the caller's question.
package credentials

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"

	"shieldwall/internal/config"
)

// MaxPassword is how long a password may be, in bytes: bcrypt heeds no more.
const MaxPassword = 72

const (
	alphabet       = "ABCDEFGHIJKLMNOPQRSTUVWXYabcdefghijklmnopqrstuvwxyz0123456789" // as published, without Z
	passwordLength = 64
	prefixLength   = 32
	suffixLength   = 16
	fileMode       = 0o600
)

// NewPassword returns 64 random letters and digits.
func NewPassword(random io.Reader) (string, error) { return randomText(random, passwordLength) }

// NewMachineID returns a name for this machine: up to 32 characters of the first identity that the files
// hold, or of a random UUID if none does, and 16 random ones.
func NewMachineID(files []string, random io.Reader) (string, error) {
	identity, err := systemIdentity(files, random)
	if err != nil {
		return "", err
	}
	suffix, err := randomText(random, suffixLength)
	if err != nil {
		return "", err
	}
	return identity[:min(prefixLength, len(identity))] + suffix, nil
}

func systemIdentity(files []string, random io.Reader) (string, error) {
	for _, path := range files {
		content, err := os.ReadFile(path) //nolint:gosec // fixed places, named by the environment
		if identity := strings.ReplaceAll(strings.TrimSpace(string(content)), "-", ""); err == nil && identity != "" {
			return identity, nil
		}
	}
	id, err := uuid.NewRandomFromReader(random)
	if err != nil {
		return "", fmt.Errorf("generating machine id: %w", err)
	}
	return strings.ReplaceAll(id.String(), "-", ""), nil
}

// randomText returns characters of the alphabet, each equally likely.
func randomText(random io.Reader, length int) (string, error) {
	const fair = 256 - 256%len(alphabet) // bytes from here on would favour the first characters
	text := make([]byte, 0, length)
	var one [1]byte
	for len(text) < length {
		if _, err := io.ReadFull(random, one[:]); err != nil {
			return "", fmt.Errorf("generating random text: %w", err)
		}
		if int(one[0]) < fair {
			text = append(text, alphabet[int(one[0])%len(alphabet)])
		}
	}
	return string(text), nil
}

// Encode returns the content of a credentials file.
func Encode(creds config.Credentials) ([]byte, error) {
	text, err := yaml.Marshal(creds) //nolint:gosec // the file exists to keep the password
	if err != nil {
		return nil, fmt.Errorf("encoding credentials: %w", err)
	}
	return text, nil
}

// Write stores text in a file that only its owner can read. A file that exists is overwritten in place, so
// that links and devices (/dev/null) stay what they are.
func Write(path string, text []byte) error {
	if err := write(path, text); err != nil {
		return fmt.Errorf("write api credentials to %s: %w", path, err)
	}
	return nil
}

func write(path string, text []byte) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode) //nolint:gosec // the administrator names it
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := restrict(file); err != nil {
		return err
	}
	_, err = file.Write(text)
	return err
}

// restrict takes the rights of others from a regular file that existed before.
func restrict(file *os.File) error {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm() == fs.FileMode(fileMode) {
		return err
	}
	return file.Chmod(fileMode)
}
