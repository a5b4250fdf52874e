package session

import (
	"errors"
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

// readLine reads no further than the end of the line: what follows is the answer to the next question.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for one := make([]byte, 1); ; {
		_, err := io.ReadFull(r, one)
		switch {
		case errors.Is(err, io.EOF) && len(line) > 0, err == nil && one[0] == '\n':
			return strings.TrimRight(string(line), "\r"), nil
		case err != nil:
			return "", err
		}
		line = append(line, one[0])
	}
}

// Confirm asks a question on standard error and reports whether the answer is yes. No answer at all is an error.
func (s *Session) Confirm(question string) (bool, error) {
	if _, err := fmt.Fprint(s.Stderr, question+" (y/N) "); err != nil {
		return false, fmt.Errorf("asking: %w", err)
	}
	answer, err := readLine(s.Stdin)
	if err != nil {
		_, _ = fmt.Fprintln(s.Stderr) // nobody has ended the line
		return false, err
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}

// ConfirmByDefault asks a question on the terminal of the user, whatever standard input is, and reports whether the answer is
// not no. Where nobody can be asked, or nothing is answered, that counts as yes.
func (s *Session) ConfirmByDefault(question string) bool {
	if s.Terminal == nil {
		return true
	}
	terminal, err := s.Terminal()
	if err != nil {
		return true
	}
	defer terminal.Close() //nolint:errcheck // the answer is read
	_, _ = io.WriteString(terminal, question+" (Y/n) ")
	answer, err := readLine(terminal)
	answer = strings.ToLower(strings.TrimSpace(answer))
	return err != nil || answer != "n" && answer != "no"
}
