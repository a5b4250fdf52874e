// Package program runs the programs that some backends enforce through.
//
// It promises that they speak the language C, that what they complain about is part of the error, and that an
// absent one is told by its name. It never goes through a shell.
package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Runner runs a program and returns what it prints to its standard output. Input may be nil. The error of an
// absent program is exec.ErrNotFound.
type Runner func(ctx context.Context, input []byte, name string, args ...string) ([]byte, error)

// Run is a Runner for the programs of this machine.
func Run(ctx context.Context, input []byte, name string, args ...string) ([]byte, error) {
	return Output(exec.CommandContext(ctx, name, args...), input) //nolint:gosec // backends name the programs
}

// Output runs command as a Runner does.
func Output(command *exec.Cmd, input []byte) ([]byte, error) {
	var complaint bytes.Buffer
	command.Stdin = bytes.NewReader(input)
	command.Stderr = &complaint
	command.Env = append(os.Environ(), "LC_ALL=C")
	out, err := command.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("unable to find %s: %w", command.Args[0], err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w: %s", command.Args[0], err, strings.TrimSpace(complaint.String()))
	}
	return out, nil
}
