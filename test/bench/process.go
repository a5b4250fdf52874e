package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a program to run to its end.
type process struct {
	argv  []string
	input string // path of its standard input, "" for none
	cpus  []int  // that it may use; nil: all
}

// usage is what a process has used, from its start to its end.
type usage struct {
	wall   time.Duration
	cpu    time.Duration // user and system, all threads
	peakMB float64       // resident
}

// run starts the process and waits. A code other than 0 is an error that says what it complained about.
func (p process) run(ctx context.Context) (usage, error) {
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...) //nolint:gosec // our own list
	if p.input != "" {
		file, err := os.Open(p.input)
		if err != nil {
			return usage{}, fmt.Errorf("opening the input: %w", err)
		}
		defer file.Close() //nolint:errcheck // only read
		cmd.Stdin = file
	}
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	begin := time.Now()
	if err := startOn(cmd, p.cpus); err != nil {
		return usage{}, err
	}
	if err := cmd.Wait(); err != nil {
		return usage{}, fmt.Errorf("%s: %w: %s", p.argv[0], err, complaints.String())
	}
	return usageOf(cmd, time.Since(begin))
}

func usageOf(ended *exec.Cmd, wall time.Duration) (usage, error) {
	counted, ok := ended.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return usage{}, errors.New("this system counts no resources")
	}
	return usage{
		wall: wall, cpu: ended.ProcessState.UserTime() + ended.ProcessState.SystemTime(),
		peakMB: float64(counted.Maxrss) / 1024,
	}, nil
}

// startOn starts cmd on some of the processors: a child inherits those of the thread that makes it.
func startOn(cmd *exec.Cmd, cpus []int) error {
	forgetPeak()
	if cpus == nil {
		return cmd.Start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, wanted unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("asking for our processors: %w", err)
	}
	for _, cpu := range cpus {
		wanted.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &wanted); err != nil {
		return fmt.Errorf("choosing processors: %w", err)
	}
	err := cmd.Start()
	return errors.Join(err, unix.SchedSetaffinity(0, &before))
}

// forgetPeak makes this process small, and its peak its present size: Linux counts the peak of the parent
// as the child's. Where that is not possible a small child looks as large as we are.
func forgetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// processors returns the first of those that we may use.
func processors(count int) ([]int, error) {
	var ours unix.CPUSet
	if err := unix.SchedGetaffinity(0, &ours); err != nil {
		return nil, fmt.Errorf("asking for our processors: %w", err)
	}
	var found []int
	for cpu := 0; len(found) < count && cpu < len(ours)*64; cpu++ {
		if ours.IsSet(cpu) {
			found = append(found, cpu)
		}
	}
	if len(found) < count {
		return nil, fmt.Errorf("%d processors are needed, there are %d", count, len(found))
	}
	return found, nil
}
