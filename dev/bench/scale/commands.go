package scale

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// Command is what a command of tenure took.
type Command struct {
	Store  string `json:"store"`
	People int    `json:"people"`
	Args   string `json:"args"`
	Lines  int    `json:"lines"` // that it printed
	// Heap is the size of the Go heap at most, when a collection of it began, in bytes.
	Heap  int64         `json:"heap"`
	First time.Duration `json:"first"` // until it printed something
	Took  time.Duration `json:"took"`
	CPU   time.Duration `json:"cpu"`
}

// read lists the commands that are measured. PERSON is somebody.
var read = [][]string{
	{"person", "list"},
	{"person", "list", "-o", "json"},
	{"person", "list", "--limit", "100"},
	{"person", "list", "--department", "Engineering", "--limit", "100"},
	{"person", "show", "w000000-3"},
	{"person", "timeline", "w000000-3"},
	{"access", "who", "wiki"},
	{"deletion", "list"},
	{"plan"},
	{"watch", "--from", "1h", "--no-follow"},
	{"watch", "--from", "2020-01-01", "--no-follow"},
	{"watch", "--person", "w000000-3", "--from", "2020-01-01", "--no-follow"},
	{"breaker", "list"},
	{"breaker", "show", "c-1"},
	{"dlq", "list"},
	{"dlq", "list", "--limit", "100"},
	{"run", "list"},
	{"run", "list", "--attention"},
	{"audit", "export", "--format", "jsonl"},
}

// configuration is of an operator who reads the ledger. Nothing listens where it looks for
// Temporal and the apps.
const configuration = `kafka: {brokers: ["127.0.0.1:1"], topics: [{name: hr.events, source: cloudevents}]}
ledger: {url: %q}
apps:
  directory: {connector: memory, settings: {name: a}, attributes: &a {displayName: "person.givenName + ' ' + person.familyName", title: person.jobTitle, department: person.department}}
  mail: {connector: memory, settings: {name: b}, attributes: *a}
  chat: {connector: memory, settings: {name: c}, attributes: *a}
  wiki: {connector: memory, settings: {name: d}, attributes: *a}
roles:
  - {name: everyone, when: "true", grants: [{app: directory, entitlements: [staff]}, {app: mail, entitlements: [staff]}, {app: chat, entitlements: [staff]}, {app: wiki, entitlements: [staff]}]}
  - {name: engineering, when: "person.department == 'Engineering'", grants: [{app: directory, entitlements: [engineers]}, {app: mail, entitlements: [engineers]}, {app: chat, entitlements: [engineers]}, {app: wiki, entitlements: [engineers]}]}
leaver: {retain: 400d, delete: true}
`

// commands measures the commands that read.
func (s *store) commands(ctx context.Context, tenure, dir string, people int, tell func(string, ...any)) (all []Command, err error) {
	file := filepath.Join(dir, "tenure.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, configuration, s.url), 0o600); err != nil {
		return nil, err
	}
	for _, args := range read {
		c, err := command(ctx, tenure, file, args)
		if err != nil {
			return nil, err
		}
		c.Store, c.People = s.kind, people
		tell("%s", c)
		all = append(all, c)
	}
	return all, nil
}

func (c Command) String() string {
	return fmt.Sprintf("%7d %s: %d lines, %s until the first, %s, %s CPU, heap %d MiB", c.People, c.Args, c.Lines,
		c.First.Round(time.Millisecond), c.Took.Round(time.Millisecond), c.CPU.Round(10*time.Millisecond), c.Heap>>20)
}

// collected matches what the runtime tells of a collection: the heap when it began.
var collected = regexp.MustCompile(`^gc \d+ @.* (\d+)->\d+->\d+ MB`)

// asks is the exit status of a command that has found something for a human.
const asks = 3

func command(ctx context.Context, tenure, file string, args []string) (Command, error) {
	c := Command{}
	for i, arg := range args {
		if i > 0 {
			c.Args += " "
		}
		c.Args += arg
	}
	cmd := exec.CommandContext(ctx, tenure, append([]string{"--config", file}, args...)...)
	cmd.Env = append(os.Environ(), "GODEBUG=gctrace=1", "TEMPORAL_ADDRESS=127.0.0.1:1", "TENURE_OPERATOR=scale")
	out, errs := &lines{began: time.Now()}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, errs
	err := cmd.Run()
	c.Took, c.First, c.Lines = time.Since(out.began), out.first, out.n
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == asks {
		err = nil
	}
	told := []byte{}
	for line := range bytes.Lines(errs.Bytes()) {
		m := collected.FindSubmatch(line)
		if m == nil {
			told = append(told, line...)
			continue
		}
		n, _ := strconv.ParseInt(string(m[1]), 10, 64)
		c.Heap = max(c.Heap, n<<20)
	}
	if err != nil {
		return c, fmt.Errorf("tenure %s: %w: %s", c.Args, err, told)
	}
	c.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return c, nil
}

// lines counts the lines that are written to it.
type lines struct {
	began time.Time
	first time.Duration
	n     int
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	if l.first == 0 {
		l.first = time.Since(l.began)
	}
	l.n += bytes.Count(p, []byte{'\n'})
	return len(p), nil
}
