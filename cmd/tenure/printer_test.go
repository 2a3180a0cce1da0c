package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ledger"
)

// hostile is a text that moves the cursor, sets the window's title and the clipboard,
// turns text around, fakes a row and runs a command when it is pasted.
const hostile = "7;touch owned;#'$(touch owned)\x1b[2K\x1b]0;owned\a\x9b31m\r\nFAKE-ROW\u202e\u200b\u0085\u2028\x7f"

// Whatever the ledger holds, commands write only text to a terminal that the terminal
// shows as it is. The test finds the commands by itself, so it tries a new one, too.
func TestNoCommandLetsHostileTextOut(t *testing.T) {
	s := newSite(t)
	s.people()
	s.hostile()
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	tried := 0
	for _, args := range everyCommand() {
		for _, output := range []string{"table", "json", "yaml"} {
			given := append([]string(nil), args...)
			if len(args) > 0 && args[0] != "ledger" {
				given = append(given, "-o", output)
			}
			t.Run(strings.Join(given[:2], " ")+" "+output, func(t *testing.T) {
				var stdout, stderr bytes.Buffer
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				execute(ctx, terminal{in: strings.NewReader(""), out: &stdout, err: &stderr}, given)
				for _, said := range []string{stdout.String(), stderr.String()} {
					assert.Equal(t, lines(said), said)
					assert.NotRegexp(t, `(?m)^\s*FAKE-ROW`, said)
					assert.NotContains(t, said, "yaml:", "it can be written")
				}
				if output == "json" && stdout.Len() > 0 && stderr.Len() == 0 {
					assert.True(t, json.Valid(stdout.Bytes()) || eachLineIsJSON(stdout.String()), stdout.String())
				}
			})
			tried++
		}
	}
	assert.Greater(t, tried, 60)
	assert.Contains(t, s.run("person", "list").stdout, `owned)\x1b[2K\x1b]0;owned\a\x9b31m\r\nFAKE-ROW`)
}

func eachLineIsJSON(text string) bool {
	for line := range strings.Lines(text) {
		if !json.Valid([]byte(line)) {
			return false
		}
	}
	return true
}

// everyCommand lists the arguments of every command that takes -o, with the hostile ID
// in the place of every ID.
func everyCommand() (all [][]string) {
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		if cmd.HasSubCommands() || cmd.Flags().Lookup("output") == nil {
			return
		}
		args := strings.Fields(cmd.CommandPath())[1:]
		for _, word := range strings.Fields(cmd.Use)[1:] {
			switch word = strings.Trim(word, "[]."); {
			case strings.HasPrefix(word, "-"):
			case strings.Contains(word, "APP"):
				args = append(args, "wiki")
			case strings.Contains(word, "KIND"):
				args = append(args, "memory")
			case strings.Contains(word, "FILE"):
				args = append(args, "none.jsonl")
			default:
				args = append(args, hostile)
			}
		}
		if cmd.Flags().Lookup("reason") != nil && cmd.Flags().Lookup("operator") != nil {
			args = append(args, "--reason", hostile, "--operator", "olga")
		}
		for flag, value := range map[string]string{"no-follow": "", "from": "2026-01-01", "person": hostile, "all": "", "no-wait": ""} {
			if f := cmd.Flags().Lookup(flag); f == nil {
				continue
			}
			if args = append(args, "--"+flag); value != "" {
				args = append(args, value)
			}
		}
		all = append(all, args)
	}
	c := &cli{output: formatTable}
	walk(c.root())
	return all
}

// hostile adds a person to the ledger with hostile text in every field.
func (s *site) hostile() {
	s.t.Helper()
	l := s.ledger()
	defer func() { require.NoError(s.t, l.Close()) }()
	p := profile(hostile, hostile, hostile, hostile, "2026-01-05")
	_, err := l.Record(s.t.Context(), []ledger.Received{{
		Event: hr.Event{
			EventKey: hr.EventKey{Source: hostile, ID: hostile}, Type: hr.EventHired, PersonID: hostile,
			Recorded: at("2026-01-02 09:00:00"), Effective: date("2026-01-05"), Profile: p,
		},
		At: at("2026-01-02 09:00:01"), Topic: "hr.events",
		Audit: &ledger.AuditRow{Action: hostile, Actor: hostile, Cause: hostile, Detail: map[string]any{"x": hostile}},
	}})
	require.NoError(s.t, err)
	s.assess(l, ledger.Summary{
		PersonID: hostile, GivenName: hostile, FamilyName: hostile, Status: hr.StatusActive, Department: hostile, JobTitle: hostile, ManagerID: hostile,
	}, ledger.Step{App: "wiki", Kind: "Update", Key: hostile, State: ledger.StepAttention, Code: hostile, Message: hostile})
	s.link(l, ledger.Link{PersonID: hostile, App: "wiki", AccountID: hostile, Username: hostile, State: ledger.LinkActive, Entitlements: []string{hostile}, CreatedAt: at("2026-01-05 00:00:10")})
}

// YAML says the same as JSON, whatever a text holds: one text in the ledger, a dead letter
// or an app must not keep a whole list from being written.
func TestEveryTextCanBeWrittenAsYAML(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.Rune()).Draw(t, "text") +
			rapid.SampledFrom([]string{"", "\x7f", "\u0080", "\u0085", "\u009b31m", "\u2028", "\ufeff", "\uffff", "\U000e0041", "\U00010fff", "\U0010ffff", "\x00", "\x9b", hostile}).Draw(t, "odd")
		var out bytes.Buffer
		c := &cli{output: formatYAML, terminal: terminal{out: &out}}
		require.NoError(t, c.print(map[string]string{"name": text, "of " + text: "key"}, nil))
		assert.Equal(t, lines(out.String()), out.String())
		var again map[string]string
		require.NoError(t, yaml.Unmarshal(out.Bytes(), &again), out.String())
		text = strings.ToValidUTF8(text, "\ufffd")
		assert.Equal(t, text, again["name"])
		assert.Equal(t, "key", again["of "+text])
	})
}

// Every suggested command has its arguments quoted, so that a shell reads the ID as it
// is.
func TestSuggestedCommandsCanBePasted(t *testing.T) {
	s := newSite(t)
	s.people()
	s.hostile()
	said := s.run("person", "reinstate", hostile, "--reason", "x", "--operator", "olga").err
	_, command, found := strings.Cut(strings.TrimSpace(said), "see tenure person timeline ")
	require.True(t, found, said)
	assert.NoFileExists(t, filepath.Join(s.dir, "owned"))
	out, err := exec.CommandContext(t.Context(), "bash", "-c", "printf %s "+command).Output()
	require.NoError(t, err)
	assert.Equal(t, hostile, string(out))
	assert.NoFileExists(t, filepath.Join(s.dir, "owned"))
}

func TestQuoted(t *testing.T) {
	for arg, want := range map[string]string{
		"10004": "10004", "MÜ-17": "'MÜ-17'", "a b": "'a b'", "": "''", "it's": `'it'\''s'`, "-x": "'-x'", "~root": "'~root'",
		"a\x1bb'\\": `$'a\x1bb\'\\'`,
	} {
		assert.Equal(t, want, quoted(arg), "%q", arg)
	}
}

// Only the one printer writes to the terminal.
func TestOnePrinter(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sourceDir, "*.go"))
	require.NoError(t, err)
	writes := regexp.MustCompile(`fmt\.Fprint\w*\(|fmt\.Print|os\.Std(out|err)`)
	suggests := regexp.MustCompile(`tenure [a-z]+ [a-z]+[^"\n]*%[sqv][^\n]*`)
	for _, file := range files {
		name := filepath.Base(file)
		if name == "printer.go" || name == "main.go" || name == "manual.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Empty(t, writes.FindAllString(string(text), -1), "%s: write with say, tell or a page: they escape what comes from outside", name)
		for _, line := range suggests.FindAllString(string(text), -1) {
			assert.Contains(t, line, "quoted(", "%s: quote the arguments of a command that is suggested", name)
		}
	}
}
