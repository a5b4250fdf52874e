// Command bench measures how many lines the engine processes per second of processor time, user and system,
// of the whole process, and puts other programs' figures from the same run on the same machine beside it.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	lines := flag.Int("lines", 200_000, "lines of each log")
	runs := flag.Int("runs", 3, "runs of each program; the median counts")
	flag.Parse()
	if err := run(context.Background(), *lines, *runs); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// work is one log, the engine's type for it, and a program that also reads it.
type work struct {
	name, kind string
	generate   func(path string, lines int) error
	peer       peer
}

// peer is a program to compare with. It reads the log on standard input.
type peer struct {
	name, debianPackage, path string
	args                      []string
}

// figures are those of one run.
type figures struct {
	cpu    time.Duration
	peakMB float64
}

func run(ctx context.Context, lines, runs int) error {
	dir, err := os.MkdirTemp("", "shieldwall-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover in /tmp is no reason to fail
	engine, err := prepareInstance(ctx, dir)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "work\tlines\tengine, lines/CPU-s\tpeak MB\tpeer\tpeer, lines/CPU-s\tengine/peer\t") //nolint:errcheck // buffered
	for _, w := range []work{
		{"sshd", "syslog", generateSSHD, peer{"sshg-parser", "sshguard", "/usr/libexec/sshguard/sshg-parser", nil}},
		{"nginx", "nginx", generateNginx, peer{"goaccess", "goaccess", "/usr/bin/goaccess", []string{"-", "--log-format=COMBINED", "--no-progress", "-o", "csv"}}},
	} {
		if err := w.measure(ctx, table, engine, measurement{dir, lines, runs}); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return table.Flush()
}

type measurement struct {
	dir         string
	lines, runs int
}

func (w *work) measure(ctx context.Context, out *tabwriter.Writer, engine []string, m measurement) error {
	log := filepath.Join(m.dir, w.name+".log")
	if err := w.generate(log, m.lines); err != nil {
		return err
	}
	argv := append(slices.Clone(engine), "-error", "-dsn", "file://"+log, "-type", w.kind)
	own, err := median(m.runs, func() (figures, error) { return time1(ctx, "", argv) })
	if err != nil {
		return err
	}
	rate := perSecond(m.lines, own.cpu)
	if !w.peer.available(ctx) {
		fmt.Fprintf(out, "%s\t%d\t%.0f\t%.0f\t%s\tnot installed\t\t\n", w.name, m.lines, rate, own.peakMB, w.peer.name) //nolint:errcheck // buffered
		return nil
	}
	theirs, err := median(m.runs, func() (figures, error) {
		return time1(ctx, log, append([]string{w.peer.path}, w.peer.args...))
	})
	if err != nil {
		return err
	}
	peerRate := perSecond(m.lines, theirs.cpu)
	fmt.Fprintf(out, "%s\t%d\t%.0f\t%.0f\t%s\t%.0f\t%.2f\t\n", //nolint:errcheck // buffered
		w.name, m.lines, rate, own.peakMB, w.peer.name, peerRate, rate/peerRate)
	return nil
}

func perSecond(lines int, cpu time.Duration) float64 { return float64(lines) / cpu.Seconds() }

// available installs the peer from Debian when it can.
func (p *peer) available(ctx context.Context) bool {
	if _, err := os.Stat(p.path); err == nil {
		return true
	}
	if os.Geteuid() != 0 {
		return false
	}
	install := exec.CommandContext(ctx, "apt-get", "install", "-y", "-qq", "--no-install-recommends", p.debianPackage) //nolint:gosec // our own list
	install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if err := install.Run(); err != nil {
		return false
	}
	_, err := os.Stat(p.path)
	return err == nil
}

// median runs once without counting, then as often as asked, and returns the run with the median time.
func median(runs int, once func() (figures, error)) (figures, error) {
	if _, err := once(); err != nil {
		return figures{}, err
	}
	var all []figures
	for range runs {
		f, err := once()
		if err != nil {
			return figures{}, err
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b figures) int { return cmp.Compare(a.cpu, b.cpu) })
	return all[len(all)/2], nil
}

// time1 runs a program to its end, with a file as its standard input unless that is "".
func time1(ctx context.Context, input string, argv []string) (figures, error) {
	program := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // our own list
	if input != "" {
		file, err := os.Open(input) //nolint:gosec // our own file
		if err != nil {
			return figures{}, err
		}
		defer file.Close() //nolint:errcheck // only read
		program.Stdin = file
	}
	var complaints bytes.Buffer
	program.Stderr = &complaints
	if err := program.Run(); err != nil {
		return figures{}, fmt.Errorf("%s: %w: %s", argv[0], err, complaints.String())
	}
	usage, ok := program.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return figures{}, errors.New("no resource usage on this system")
	}
	return figures{
		cpu:    program.ProcessState.UserTime() + program.ProcessState.SystemTime(),
		peakMB: float64(usage.Maxrss) / 1024,
	}, nil
}

// prepareInstance makes an installation with our own content and returns the command that replays a log on it.
func prepareInstance(ctx context.Context, dir string) ([]string, error) {
	for from, to := range map[string]string{"content/config": dir, "content/data": filepath.Join(dir, "data")} {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			return nil, err
		}
	}
	if err := installItems(os.DirFS("content/items"), dir); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "config.yaml")
	text := fmt.Sprintf(`
config_paths: {config_dir: %[1]s, data_dir: %[1]s/data}
crowdsec_service: {}
db_config: {type: sqlite, db_path: %[1]s/data/crowdsec.db}
api:
  client: {credentials_path: %[1]s/local_api_credentials.yaml}
  server: {listen_socket: %[1]s/lapi.sock, profiles_path: %[1]s/profiles.yaml}
`, dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	register := exec.CommandContext(ctx, "bin/cscli", "-c", config, "--error", "machines", "add", "--auto", "--force") //nolint:gosec // our own program
	if out, err := register.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("registering: %w: %s", err, out)
	}
	return []string{"bin/crowdsec", "-c", config}, nil
}

// installItems copies items to <type>/[<stage>/]<file>, without the folder of the author.
func installItems(items fs.FS, dir string) error {
	return fs.WalkDir(items, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		target := filepath.Join(dir, filepath.Dir(filepath.Dir(path)), filepath.Base(path))
		if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
			return err
		}
		text, err := fs.ReadFile(items, path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o600)
	})
}
