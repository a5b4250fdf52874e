package tutorial

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"shieldwall/internal/platform/logging/logtest"
)

// play does what a document says, and fails where something else comes of it.
func (s *site) play(steps []step) {
	s.t.Helper()
	known := names{}
	for _, next := range steps {
		var err error
		if next.change == none {
			err = s.enter(next, known)
		} else {
			err = s.edit(next, known)
		}
		if err != nil {
			s.t.Fatalf("line %d: %v", next.line, err)
		}
	}
	for _, h := range s.hosts {
		if err := h.alive(); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *site) host(name string) (*host, error) {
	if h := s.hosts[name]; h != nil {
		return h, nil
	}
	return nil, fmt.Errorf("there is no machine %s", name)
}

// harmless are commands that change nothing, so that they can be typed again until what they show has happened.
var harmless = regexp.MustCompile(`\b(list|status|tail|grep|cat|ping|nft)\b`)

// enter types a command, and compares what it prints with what the document shows.
func (s *site) enter(next step, known names) error {
	h, err := s.host(next.host)
	if err != nil {
		return err
	}
	typed := known.known(next.typed)
	input := known.known(strings.Join(append(next.input, ""), "\n"))
	deadline := time.Now().Add(patience)
	for {
		output, failure := s.do(h, typed, input, func(seen string) bool { return known.clone().compare(next.prints, seen) == nil })
		wrong := known.clone().compare(next.prints, output)
		if wrong == nil && (failure == nil || len(next.prints) > 0) {
			s.t.Logf("%s$ %s\n%s", h.name, typed, output)
			return known.compare(next.prints, output)
		}
		if time.Now().After(deadline) || !harmless.MatchString(typed) {
			return fmt.Errorf("%s$ %s: %w\n%s", h.name, typed, errors.Join(wrong, failure), output)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func (n names) clone() names { return maps.Clone(n) }

// do runs a command. Those that are about more than one machine, or about what runs on one, are played; `tail -f` ends
// when enough was seen.
func (s *site) do(h *host, typed, input string, enough func(seen string) bool) (string, error) {
	words := strings.Fields(strings.TrimPrefix(typed, "sudo "))
	switch words[0] {
	case "systemctl":
		return "", h.systemctl(words[1:])
	case "apt", "apt-get":
		return "", h.apt(words[1:])
	case "scp":
		return "", s.copy(h, words[1:])
	}
	if strings.Contains(typed, "tail -f ") {
		return h.follow(typed, enough)
	}
	return h.run(typed, input)
}

// follow runs a command that does not end, until it has printed enough.
func (h *host) follow(typed string, enough func(seen string) bool) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var seen logtest.Buffer
	cmd := h.command("bash", "-c", "cd; exec "+strings.TrimPrefix(typed, "sudo "))
	cmd.Stdout, cmd.Stderr = &seen, &seen
	p, err := h.spawn(cmd)
	if err != nil {
		return "", err
	}
	defer p.kill()
	for !enough(seen.String()) {
		select {
		case <-ctx.Done():
			return seen.String(), fmt.Errorf("waited %v in vain", patience)
		case <-p.ended:
			return seen.String(), p.err
		case <-time.After(50 * time.Millisecond):
		}
	}
	return seen.String(), nil
}

// edit changes files.
func (s *site) edit(next step, known names) error {
	for _, file := range next.files {
		h, err := s.host(file.host)
		if err != nil {
			return err
		}
		text := known.known(next.text)
		if next.change != whole {
			if text, err = changed(h.read(file.path), text, next.keys); err != nil {
				return fmt.Errorf("%s:%s: %w", file.host, file.path, err)
			}
		}
		h.write(file.path, text, 0o600)
		s.t.Logf("%s:%s is now\n%s", file.host, file.path, text)
	}
	return nil
}

// changed returns a YAML file with the keys of another one put into it, and some keys taken out.
func changed(before, puts string, takes []string) (string, error) {
	var file, more map[string]any
	if err := errors.Join(yaml.Unmarshal([]byte(before), &file), yaml.Unmarshal([]byte(puts), &more)); err != nil {
		return "", err
	}
	merge(file, more)
	for _, key := range takes {
		if err := remove(file, strings.Split(key, ".")); err != nil {
			return "", fmt.Errorf("%s: %w", key, err)
		}
	}
	after, err := yaml.Marshal(file)
	return string(after), err
}

func merge(into, more map[string]any) {
	for key, value := range more {
		below, ok := value.(map[string]any)
		if there, mapping := into[key].(map[string]any); ok && mapping {
			merge(there, below)
			continue
		}
		into[key] = value
	}
}

func remove(from map[string]any, path []string) error {
	for _, key := range path[:len(path)-1] {
		from, _ = from[key].(map[string]any)
	}
	last := path[len(path)-1]
	if _, ok := from[last]; !ok {
		return errors.New("there is no such key")
	}
	delete(from, last)
	return nil
}

func TestChanged(t *testing.T) {
	t.Parallel()
	text, err := changed("a: {b: 1, c: 2}\nd: 3\n", "a: {c: [4]}\n", []string{"a.b", "d"})
	if err != nil || text != "a:\n    c:\n        - 4\n" {
		t.Errorf("got %q, %v", text, err)
	}
	if _, err := changed("a: {b: 1}\n", "", []string{"x.b"}); err == nil {
		t.Error("a key that is not there was taken away")
	}
}
