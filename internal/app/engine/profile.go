package engine

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
)

// profile writes where this process spends its CPU time to a file, from now until everything has stopped.
func (d *daemon) profile(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path) //nolint:gosec // what the command line says
	if err != nil {
		return fmt.Errorf("-cpu-profile: %w", err)
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return fmt.Errorf("-cpu-profile: %w", errors.Join(err, file.Close()))
	}
	d.cleanups.PushClose("cpu profile", func() error {
		pprof.StopCPUProfile()
		return file.Close()
	})
	return nil
}
