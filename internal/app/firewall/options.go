package firewall

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"shieldwall/internal/platform/buildinfo"
	"shieldwall/internal/platform/logging"
	"shieldwall/internal/platform/yamlfile"
)

// Surroundings are what the program takes from its process.
type Surroundings struct {
	Args   []string // without the name of the program
	Env    yamlfile.Env
	Now    func() time.Time
	Stdout io.Writer
	Stderr io.Writer
	Build  buildinfo.Info
	// Root is where /etc/os-release is found. Tests put their own there.
	Root string
	// Verify asks for a comparison of what is enforced with what is desired, out of turn; nil: nobody does.
	Verify <-chan os.Signal
}

// options are what the command line says.
type options struct {
	config  string
	verbose bool
	version bool
	test    bool
	merged  bool
}

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// Main runs the program until it is done or ctx ends, and returns its exit code.
func Main(ctx context.Context, around Surroundings) int {
	opts, err := parse(around)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage // the flag package has said why
	}
	if err := run(ctx, opts, around); err != nil {
		return exitFailure
	}
	return exitOK
}

func parse(around Surroundings) (options, error) {
	var opts options
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(around.Stderr)
	flags.StringVar(&opts.config, "c", "", "path to crowdsec-firewall-bouncer.yaml")
	flags.BoolVar(&opts.verbose, "v", false, "log at level debug")
	flags.BoolVar(&opts.version, "V", false, "print the version and exit")
	flags.BoolVar(&opts.version, "version", false, "same as -V")
	flags.BoolVar(&opts.test, "t", false, "test the configuration and exit")
	flags.BoolVar(&opts.merged, "T", false, "print the configuration, merged with .local, and exit")
	return opts, flags.Parse(around.Args)
}

// run does what opts say. An error was said already.
func run(ctx context.Context, opts options, around Surroundings) error {
	if opts.version {
		_, err := io.WriteString(around.Stdout, around.Build.Text(nil))
		return err
	}
	early := logging.New(around.Stderr, logging.Options{})
	if opts.config == "" {
		early.Log(ctx, logging.LevelFatal, "configuration file is required")
		return errors.New("configuration file is required")
	}
	if opts.merged {
		return printMerged(ctx, opts.config, around)
	}
	d, err := open(opts, around)
	if err != nil {
		early.Log(ctx, logging.LevelFatal, err.Error()) //nolint:sloglint // published text
		return err
	}
	defer d.close()
	if opts.test {
		err = d.test(ctx)
	} else {
		err = d.serve(ctx)
	}
	if err != nil {
		//nolint:sloglint // published text
		d.log.Log(ctx, logging.LevelFatal, "process terminated with error: "+err.Error())
	}
	return err
}

func printMerged(ctx context.Context, path string, around Surroundings) error {
	text, err := yamlfile.ReadMerged(path)
	if err == nil {
		_, err = fmt.Fprintf(around.Stdout, "%s\n", text)
	}
	if err != nil {
		err = fmt.Errorf("unable to read config file: %w", err)
		//nolint:sloglint // published text
		logging.New(around.Stderr, logging.Options{}).Log(ctx, logging.LevelFatal, err.Error())
	}
	return err
}
