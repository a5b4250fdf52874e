package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// tally is what an engine says it did with a log.
type tally struct {
	read, parsed, poured int
}

// check lets the engine read a log as a daemon, whose published metrics tell what became of the lines.
func (in *instance) check(ctx context.Context, l log) (tally, error) {
	if err := in.reset(); err != nil {
		return tally{}, err
	}
	acquisition := fmt.Appendf(nil, "filenames: [%s]\nmode: cat\nlabels: {type: %s}\n", l.path, l.label())
	if err := write(acquisition, in.path("acquis.yaml")); err != nil {
		return tally{}, err
	}
	address, err := in.listenForMetrics(ctx)
	if err != nil {
		return tally{}, err
	}
	metrics, err := in.metricsAfter(ctx, address)
	if err != nil {
		return tally{}, err
	}
	t := tally{
		read: sum(metrics, "cs_parser_hits_total"), parsed: sum(metrics, "cs_parser_hits_ok_total"),
		poured: sum(metrics, "cs_bucket_poured_total"),
	}
	if t.read != l.lines {
		return t, fmt.Errorf("of %d lines the engine read %d", l.lines, t.read)
	}
	return t, nil
}

// listenForMetrics lets the daemon listen on a free port.
func (in *instance) listenForMetrics(ctx context.Context) (address string, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	defer listener.Close() //nolint:errcheck // nothing was sent
	address = listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	overlay := fmt.Appendf(nil, "prometheus: {enabled: true, level: aggregated, listen_addr: 127.0.0.1, listen_port: %s}\n", port)
	return address, write(overlay, in.config(1)+".local")
}

// metricsAfter runs the daemon until all its sources have ended, and returns its metrics then.
func (in *instance) metricsAfter(ctx context.Context, address string) ([]byte, error) {
	daemon := exec.CommandContext(ctx, "bin/crowdsec", "-c", in.config(1), "-info") //nolint:gosec // our own program
	said, err := daemon.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var complaints bytes.Buffer
	daemon.Stderr = &complaints
	if err := daemon.Start(); err != nil {
		return nil, err
	}
	var metrics []byte
	heard := await(said, "all data sources have ended")
	if heard == nil {
		metrics, heard = fetch(ctx, "http://"+address+"/metrics")
	}
	_ = daemon.Process.Signal(syscall.SIGTERM) // it may have ended already
	_, drained := io.Copy(io.Discard, said)
	if err := errors.Join(heard, drained, daemon.Wait()); err != nil {
		return nil, fmt.Errorf("the engine as a daemon: %w: %s", err, complaints.String())
	}
	return metrics, nil
}

// await reads until a line contains the text.
func await(from io.Reader, text string) error {
	scanner := bufio.NewScanner(from)
	last := ""
	for scanner.Scan() {
		if last = scanner.Text(); strings.Contains(last, text) {
			return nil
		}
	}
	return fmt.Errorf("the engine never said %q; its last words: %s", text, last)
}

func fetch(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	return io.ReadAll(response.Body)
}

// sum adds up all series of a counter.
func sum(metrics []byte, name string) int {
	total := 0.
	for line := range bytes.Lines(metrics) {
		series, value, _ := strings.Cut(strings.TrimSpace(string(line)), "} ")
		if !strings.HasPrefix(series, name+"{") {
			continue
		}
		if count, err := strconv.ParseFloat(value, 64); err == nil {
			total += count
		}
	}
	return int(total)
}
