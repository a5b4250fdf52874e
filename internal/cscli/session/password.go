package session

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// readPassword reads a line; a terminal does not show it.
func readPassword(file *os.File) (string, error) {
	descriptor := int(file.Fd())
	shown, err := unix.IoctlGetTermios(descriptor, unix.TCGETS)
	if err != nil {
		return readLine(file)
	}
	hidden := *shown
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(descriptor, unix.TCSETS, &hidden); err != nil {
		return "", fmt.Errorf("hiding the password: %w", err)
	}
	defer func() { _ = unix.IoctlSetTermios(descriptor, unix.TCSETS, shown) }()
	return readLine(file)
}

func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil && line == "" {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}
