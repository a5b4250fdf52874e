package support

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/sys/unix"

	"shieldwall/internal/cscli/session"
	"shieldwall/internal/platform/osrelease"
	"shieldwall/internal/platform/yamlfile"
)

const (
	fetchTimeout = time.Minute
	profileTime  = 30 * time.Second
	maxPage      = 64 << 20 // bytes of one answer of the engine
	maxLog       = 8 << 20  // bytes of the end of one log
	worthPacking = 1 << 10  // bytes from which on a file is compressed
)

// collector fills an archive.
type collector struct {
	session *session.Session
	main    Main
	fast    bool
}

// step collects one thing into one or more files.
type step struct {
	title string
	do    func(context.Context, *archive) error
}

// collect returns the archive.
func (c collector) collect(ctx context.Context) ([]byte, error) {
	var secrets redactor
	for _, path := range c.secretFiles() {
		if text, err := os.ReadFile(path); err == nil { //nolint:gosec // the configured files
			secrets.learn(text)
			secrets.learn([]byte(yamlfile.Expand(string(text), c.session.LookupEnv)))
		}
	}
	var content, log bytes.Buffer
	out := &archive{zip: zip.NewWriter(&content), at: c.session.Now(), secrets: &secrets}
	for _, step := range c.steps() {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c.session.Info(ctx, "Collecting %s", step.title)
		fmt.Fprintf(&log, "collecting %s\n", step.title)
		if err := step.do(ctx, out); err != nil {
			c.session.Warn(ctx, "could not collect %s: %s", step.title, secrets.text([]byte(err.Error())))
			fmt.Fprintf(&log, "could not collect %s: %s\n", step.title, err)
		}
	}
	err := errors.Join(out.text("dump.log", log.Bytes()), out.zip.Close())
	return content.Bytes(), err
}

// secretFiles are those whose secrets are known.
func (c collector) secretFiles() []string {
	config := c.session.Config
	files := []string{config.FilePath, filepath.Join(config.Paths.ConfigDir, "online_api_credentials.yaml")}
	if path := c.session.CredentialsPath(); path != "" {
		files = append(files, path)
	}
	for _, path := range files {
		files = append(files, path+".local")
	}
	for _, pattern := range []string{"bouncers/*.yaml*", "notifications/*.y*ml"} {
		matches, _ := filepath.Glob(filepath.Join(config.Paths.ConfigDir, pattern)) // the pattern is right
		files = append(files, matches...)
	}
	return files
}

func (c collector) steps() []step {
	steps := []step{
		{"the version", c.command("version.txt", "version")},
		{"feature flags", c.command("features.txt", "config", "feature-flags")},
		{"the operating system", c.system},
		{"the configuration", c.configuration},
		{"acquisition", c.acquisition},
		{"the hub", c.command("hub.txt", "hub", "list", "--all")},
		{"bouncers", c.command("lapi/bouncers.txt", "bouncers", "list")},
		{"machines", c.command("lapi/agents.txt", "machines", "list")},
		{"the status of the Local API", c.command("lapi_status.txt", "lapi", "status")},
		{"the status of the Central API", c.command("capi_status.txt", "capi", "status")},
		{"the status of the Polling API", c.command("papi_status.txt", "papi", "status")},
		{"metrics", c.fetch("metrics/metrics.prometheus", "/metrics")},
		{"metrics for people", c.command("metrics/metrics.human", "metrics")},
		{"stacks", c.fetch("pprof/goroutine.pprof", "/debug/pprof/goroutine")},
		{"memory", c.fetch("pprof/heap.pprof", "/debug/pprof/heap")},
		{"traces of crashes", c.crashes},
		{"logs", c.logs},
	}
	if c.fast {
		return steps
	}
	query := "/debug/pprof/profile?seconds=" + strconv.Itoa(int(profileTime.Seconds()))
	return append(steps, step{"what the engine spends its time on, for " + profileTime.String(), c.fetch("pprof/profile.pprof", query)})
}

// command runs another command of cscli and keeps what it prints.
func (c collector) command(name string, args ...string) func(context.Context, *archive) error {
	return func(ctx context.Context, out *archive) error {
		env := c.session.Env
		var printed bytes.Buffer
		env.Stdout, env.Stderr, env.Stdin = &printed, &printed, strings.NewReader("")
		env.StdoutTerminal, env.StderrTerminal, env.Columns = false, false, 0
		code := c.main(ctx, env, append([]string{"-c", c.session.Config.FilePath, "-o", "human", "--color", "no"}, args...))
		err := out.text(name, printed.Bytes())
		if code != 0 {
			err = errors.Join(err, fmt.Errorf("cscli %s: %s", strings.Join(args, " "), lastLine(printed.String())))
		}
		return err
	}
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// fetch asks the running engine.
func (c collector) fetch(name, path string) func(context.Context, *archive) error {
	return func(ctx context.Context, out *archive) error {
		at := c.session.Config.Prometheus
		if !at.Enabled {
			return errors.New("prometheus is not enabled")
		}
		body, err := get(ctx, "http://"+net.JoinHostPort(at.ListenAddr, strconv.Itoa(at.ListenPort))+path)
		if err != nil {
			return err
		}
		if strings.HasSuffix(name, ".pprof") {
			return out.bytes(name, body)
		}
		return out.text(name, body)
	}
}

func get(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %q: %s", url, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxPage))
}

func (c collector) system(_ context.Context, out *archive) error {
	facts := map[string]any{"architecture": runtime.GOARCH, "processors": runtime.NumCPU(), "collected_at": c.session.Now().UTC().Format(time.RFC3339)}
	release, err := osrelease.Read(os.DirFS("/"))
	facts["os"] = map[string]string{"name": release.Name, "version": release.Version, "family": release.Family}
	var name unix.Utsname
	if unameErr := unix.Uname(&name); unameErr == nil {
		facts["kernel"] = unix.ByteSliceToString(name.Release[:])
		facts["hostname"] = unix.ByteSliceToString(name.Nodename[:])
	}
	var info unix.Sysinfo_t
	if infoErr := unix.Sysinfo(&info); infoErr == nil {
		unit := uint64(info.Unit)
		facts["memory_bytes"], facts["free_bytes"], facts["uptime_seconds"] = info.Totalram*unit, info.Freeram*unit, info.Uptime
	}
	text, encodeErr := yaml.Marshal(facts)
	if encodeErr != nil {
		return encodeErr
	}
	return errors.Join(err, out.text("system.yaml", text))
}

func (c collector) configuration(_ context.Context, out *archive) error {
	config := c.session.Config
	err := withLocal(out, "config/crowdsec.yaml", config.FilePath)
	if server := config.API.Server; server != nil {
		err = errors.Join(err, withLocal(out, "config/profiles.yaml", server.ProfilesPath))
	}
	return err
}

// withLocal collects a file and the .local one beside it, if there is one.
func withLocal(out *archive, name, path string) error {
	err := out.yamlFile(name, path)
	if local := out.yamlFile(name+".local", path+".local"); !errors.Is(local, fs.ErrNotExist) {
		err = errors.Join(err, local)
	}
	return err
}

func (c collector) acquisition(_ context.Context, out *archive) error {
	processor := c.session.Config.LogProcessor
	if processor == nil {
		return errors.New("the log processor is disabled")
	}
	var paths []string
	if processor.AcquisitionPath != "" {
		paths = append(paths, processor.AcquisitionPath)
	}
	if processor.AcquisitionDir != "" {
		for _, pattern := range []string{"*.yaml", "*.yml"} {
			matches, _ := filepath.Glob(filepath.Join(processor.AcquisitionDir, pattern)) // the pattern is right
			paths = append(paths, matches...)
		}
	}
	var errs []error
	for _, path := range paths {
		errs = append(errs, out.yamlFile("config/acquis/"+strings.ReplaceAll(path, string(filepath.Separator), "___"), path))
	}
	return errors.Join(errs...)
}

func (c collector) crashes(_ context.Context, out *archive) error {
	return c.texts(out, "crash", filepath.Join(os.TempDir(), "crowdsec-crash.*.txt"))
}

func (c collector) logs(_ context.Context, out *archive) error {
	dir := c.session.Config.Common.Log.Dir
	if dir == "" {
		return errors.New("the engine writes no files")
	}
	return c.texts(out, "log", filepath.Join(dir, "crowdsec*.log"))
}

// texts collects the ends of files.
func (c collector) texts(out *archive, folder, pattern string) error {
	paths, err := filepath.Glob(pattern)
	errs := []error{err}
	for _, path := range paths {
		text, err := tail(path)
		if err == nil {
			err = out.text(folder+"/"+filepath.Base(path), text)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func tail(path string) ([]byte, error) {
	file, err := os.Open(path) //nolint:gosec // a log of the engine
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	begin := max(0, info.Size()-maxLog)
	text, err := io.ReadAll(io.NewSectionReader(file, begin, maxLog)) // a file that grows meanwhile is read up to where it ended
	if begin > 0 {
		_, text, _ = bytes.Cut(text, []byte("\n")) // half a line may begin with half a secret
	}
	return text, err
}

// archive is a zip file that is being written.
type archive struct {
	zip     *zip.Writer
	at      time.Time
	secrets *redactor
}

func (a *archive) text(name string, text []byte) error { return a.bytes(name, a.secrets.text(text)) }

func (a *archive) yamlFile(name, path string) error {
	text, err := os.ReadFile(path) //nolint:gosec // a configured file
	if err != nil {
		return err
	}
	return a.bytes(name, a.secrets.yaml(text))
}

func (a *archive) bytes(name string, content []byte) error {
	method := zip.Deflate
	if len(content) < worthPacking {
		method = zip.Store
	}
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: a.at})
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}
