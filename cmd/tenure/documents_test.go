package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/segmentio/kafka-go"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/hr/source/cloudevents"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/service"
)

// documents returns the documentation, by path below the project's root. The changelog
// and the decisions are history: they may name what is gone.
func documents(t *testing.T, history bool) map[string]string {
	t.Helper()
	root := filepath.Join(sourceDir, "..", "..")
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		past := name == "CHANGELOG.md" || strings.HasPrefix(name, filepath.Join("docs", "adr"))
		if filepath.Ext(name) != ".md" || past && !history {
			return nil
		}
		text, err := os.ReadFile(path)
		found[name] = string(text)
		return err
	}))
	require.Contains(t, found, "README.md")
	return found
}

var (
	fence    = regexp.MustCompile("(?ms)^[ \t]*```(\\w*)\n(.*?)^[ \t]*```")
	codeSpan = regexp.MustCompile("`([^`\n]+)`")
)

// simpleCommands splits a script into commands of one program each. It knows the part of
// a shell's grammar that the documentation uses: quotes, comments, pipes, lists,
// redirections and continued lines.
func simpleCommands(script string) (commands [][]string) {
	var words []string
	var word strings.Builder
	quote, inWord := rune(0), false
	endWord := func() {
		if inWord {
			words = append(words, word.String())
		}
		word.Reset()
		inWord = false
	}
	endCommand := func() {
		endWord()
		if len(words) > 0 {
			commands = append(commands, words)
		}
		words = nil
	}
	runes := []rune(strings.ReplaceAll(script, "\\\n", " "))
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, inWord = r, true
		case r == '#' && !inWord:
			for i+1 < len(runes) && runes[i+1] != '\n' {
				i++
			}
		case strings.ContainsRune("|&;\n()", r):
			endCommand()
		case strings.ContainsRune("<>", r):
			endWord()
			words = append(words, string(r))
		case unicode.IsSpace(r):
			endWord()
		default:
			inWord = true
			word.WriteRune(r)
		}
	}
	endCommand()
	return commands
}

// ours returns the arguments that a command gives to this program, without redirections.
// It returns false if the command does not run this program.
func ours(command []string) (args []string, ok bool) {
	for i, word := range command {
		if word != "tenure" && word != "bin/tenure" {
			if strings.HasPrefix(word, "-") && i == 0 {
				return nil, false
			}
			continue
		}
		if i > 0 && !strings.Contains(command[0], "=") && command[0] != "docker" {
			return nil, false // the name is an argument of another program
		}
		args = command[i+1:]
		for j, arg := range args {
			if arg == "<" || arg == ">" {
				return args[:j], true
			}
		}
		return args, true
	}
	return nil, false
}

// misused returns what is wrong with a command line of this program, or nil. A line that
// is only mentioned may leave out arguments, and may stand for several commands.
func misused(args []string, mentioned bool) error {
	if len(args) == 0 || args[0] == "..." {
		return nil
	}
	root := (&cli{}).root()
	root.InitDefaultHelpFlag()
	root.InitDefaultVersionFlag()
	root.InitDefaultCompletionCmd(args...)
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if cmd == root && !strings.HasPrefix(args[0], "-") {
		return fmt.Errorf("there is no command %q", args[0])
	}
	cmd.InitDefaultHelpFlag()
	if mentioned {
		return mentions(cmd, rest)
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if help, _ := cmd.Flags().GetBool("help"); help {
		return nil
	}
	return errors.Join(cmd.ValidateArgs(cmd.Flags().Args()), cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups())
}

// mentions returns an error if rest names a flag or a verb that the command does not
// have.
func mentions(cmd *cobra.Command, rest []string) error {
	if cmd.HasSubCommands() && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && rest[0] != "..." && strings.ToUpper(rest[0]) != rest[0] {
		return fmt.Errorf("%s has no verb %q", cmd.CommandPath(), rest[0])
	}
	for _, word := range rest {
		name, isFlag := strings.CutPrefix(word, "--")
		name, _, _ = strings.Cut(name, "=")
		if isFlag && cmd.Flag(strings.Trim(name, ",.")) == nil {
			return fmt.Errorf("%s has no flag %s", cmd.CommandPath(), word)
		}
	}
	return nil
}

// The commands that the documentation tells people to type exist, with their flags.
func TestDocumentedCommandsExist(t *testing.T) {
	lines := 0
	check := func(where, script string, mentioned bool) {
		for _, command := range simpleCommands(script) {
			args, ok := ours(command)
			if !ok {
				continue
			}
			lines++
			assert.NoError(t, misused(args, mentioned), "%s: tenure %s", where, strings.Join(args, " "))
		}
	}
	for name, text := range documents(t, false) {
		for _, block := range fence.FindAllStringSubmatch(text, -1) {
			switch block[1] {
			case "sh", "bash", "":
				check(name, block[2], false)
			case "text":
				check(name, block[2], true)
			}
		}
		for _, span := range codeSpan.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			check(name, span[1], true)
		}
	}
	walk((&cli{}).root(), func(cmd *cobra.Command) {
		check(cmd.CommandPath()+" --help", cmd.Example, false)
	})
	assert.Greater(t, lines, 300, "few commands were found")
}

func TestWhatIsNotThereIsFoundInDocuments(t *testing.T) {
	tests := map[string]struct {
		line      string
		mentioned bool
		want      string
	}{
		"no such command":        {"tenure persons list", false, "unknown command"},
		"no such verb":           {"tenure person find 1", false, "unknown verb"},
		"no such verb mentioned": {"tenure person find", true, "no verb"},
		"no such flag":           {"bin/tenure run list --atention", false, "unknown flag"},
		"no such flag mentioned": {"tenure run list --atention", true, "no flag"},
		"too few arguments":      {"tenure person show", false, "wants"},
		"behind an environment":  {"A=b tenure x", false, "unknown command"},
		"in a container":         {"docker compose exec -T worker tenure x", false, "unknown command"},
		"behind a pipe":          {"cat x | tenure event sent -", false, "unknown verb"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for _, command := range simpleCommands(test.line) {
				if args, ok := ours(command); ok {
					assert.ErrorContains(t, misused(args, test.mentioned), test.want)
					return
				}
			}
			t.Error("no command was found")
		})
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// anchors returns the names by which links on GitHub point at a document's headings.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		title := link.ReplaceAllString(h[1], "]")
		slug := strings.Map(func(r rune) rune {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			case r == ' ':
				return '-'
			}
			return -1
		}, title)
		name := slug
		for n := 1; all[name]; n++ {
			name = fmt.Sprintf("%s-%d", slug, n)
		}
		all[name] = true
	}
	return all
}

func TestLinksOfDocumentsLeadSomewhere(t *testing.T) {
	all := documents(t, true)
	root := filepath.Join(sourceDir, "..", "..")
	checked := 0
	for name, text := range all {
		text = codeSpan.ReplaceAllString(fence.ReplaceAllString(text, ""), "")
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			checked++
			path := name
			if target != "" {
				path = filepath.Join(filepath.Dir(name), target)
			}
			_, err := os.Stat(filepath.Join(root, path)) // a file or a folder
			if assert.NoError(t, err, "%s: %s", name, found[1]) && anchor != "" {
				assert.True(t, anchors(all[path])[anchor], "%s: %s has no heading of that name", name, found[1])
			}
		}
	}
	assert.Greater(t, checked, 150, "few links were found")
}

// block is a block of code in a document.
var block = regexp.MustCompile("(?s)```(sh|yaml|json)\n(.*?)```")

// document tries docs/hr-events.md out: it runs every command in it, in order, against
// these brokers.
type document struct {
	*site
	text    string
	brokers string
	kcat    bool                   // whether to use kcat; without, its file is sent by tenure
	consume func() []kafka.Message // returns everything that is on hr.events
	said    map[string]result      // by command
}

// try runs all commands, in the root of the repository.
func (d *document) try() {
	root := filepath.Join(sourceDir, "..", "..")
	text, err := os.ReadFile(filepath.Join(root, "docs", "hr-events.md"))
	require.NoError(d.t, err)
	d.text, d.said = string(text), map[string]result{}
	settings := strings.Replace(configuration, "127.0.0.1:1", d.brokers, 1)
	for _, m := range block.FindAllStringSubmatch(d.text, -1) {
		if m[1] == "yaml" {
			settings += m[2]
		}
	}
	d.write("tenure.yaml", settings)
	d.t.Setenv("TENURE_CONFIG", filepath.Join(d.dir, "tenure.yaml"))
	d.t.Setenv("KAFKA_BROKERS", d.brokers)
	d.t.Chdir(root)
	for _, m := range block.FindAllStringSubmatch(d.text, -1) {
		if m[1] != "sh" {
			continue
		}
		for line := range strings.Lines(m[2]) {
			line = strings.TrimSpace(line)
			d.said[line] = d.do(line)
		}
	}
}

func (d *document) do(line string) result {
	words := strings.Fields(line)
	switch {
	case words[0] == "make":
		makefile, err := os.ReadFile("Makefile")
		require.NoError(d.t, err)
		require.Contains(d.t, string(makefile), "\n"+words[1]+":")
		return result{}
	case words[0] == "bin/tenure":
		d.receive()
		return d.run(words[1:]...)
	case words[0] == "examples/producer-kcat/send.sh" && !d.kcat:
		return d.run("event", "send", "examples/producer-kcat/event.json")
	default:
		out, err := exec.CommandContext(d.t.Context(), words[0], words[1:]...).CombinedOutput()
		require.NoError(d.t, err, "%s: %s", line, out)
		return result{stdout: string(out)}
	}
}

// receive does the starter's part: it writes the events on the topic to the ledger.
func (d *document) receive() {
	l := d.ledger()
	defer func() { require.NoError(d.t, l.Close()) }()
	for _, m := range d.consume() {
		record := source.Record{Key: m.Key, Value: m.Value, Headers: map[string]string{}}
		for _, h := range m.Headers {
			record.Headers[h.Key] = string(h.Value)
		}
		events, warnings, err := cloudevents.Decode(record)
		require.NoError(d.t, err)
		require.Empty(d.t, warnings)
		_, err = l.Record(d.t.Context(), []ledger.Received{{Event: events[0], At: time.Now()}})
		require.NoError(d.t, err)
	}
}

// check compares the results with what the document says.
func (d *document) check() {
	for line, got := range d.said {
		if !strings.Contains(line, "--snapshot") {
			assert.Equal(d.t, service.ExitDone, got.code, "%s: %s", line, got.err)
		}
	}
	timeline := d.said["bin/tenure person timeline 10004"].stdout
	assert.Contains(d.t, timeline, "hire-10004-1")
	assert.Contains(d.t, timeline, "end-10004-1")
	compared := d.said["bin/tenure event send --snapshot examples/snapshot/people.csv --as-of 2026-06-01T06:00:00Z"]
	assert.Equal(d.t, service.ExitAttention, compared.code, compared.err)
	assert.Regexp(d.t, `10001 +2 +hired +2026-02-01`, compared.stdout)
	assert.Contains(d.t, compared.stdout, "--rehire 10004")

	murmur := map[int]bool{}
	for _, m := range d.consume() {
		if string(m.Key) == "10004" {
			murmur[m.Partition] = true
		}
	}
	assert.Len(d.t, murmur, 1, "one person, one partition, whoever sends")
}

func TestHREventsDocument(t *testing.T) {
	s := newSite(t)
	cluster := s.broker("hr.events")
	d := &document{site: s, brokers: cluster.ListenAddrs()[0], consume: func() []kafka.Message { return consume(t, cluster, "hr.events") }}
	d.try()
	d.check()
	for _, m := range block.FindAllStringSubmatch(d.text, -1) {
		if m[1] == "json" {
			assert.True(t, json.Valid([]byte(m[2])))
			s.write("example.json", m[2])
			assert.Equal(t, service.ExitDone, s.run("event", "validate", filepath.Join(s.dir, "example.json")).code)
		}
	}
}

// The documentation says what to do about every question that an operator may be asked
// about an account.
func TestEveryQuestionAboutAnAccountIsInTheDocs(t *testing.T) {
	docs := func(name string) string {
		raw, err := os.ReadFile(filepath.Join("../../docs", name))
		require.NoError(t, err)
		return string(raw)
	}
	operating, runbook := docs("operating.md"), docs("runbooks/whose-account.md")
	for _, code := range []string{provision.CodeWhose, provision.CodeNotTheirs, provision.CodeUnproven, provision.CodeContested} {
		assert.Contains(t, operating, "| `"+code+"` |")
		assert.Contains(t, runbook, "## `"+code+"`")
	}
	for _, code := range []string{
		provision.CodeProtected, provision.CodeSpared, provision.CodeNoRecipient, provision.CodeNotConverging,
		provision.CodeUnknownApp, provision.CodeNotKept, provision.CodeNoSeat,
	} {
		assert.Contains(t, operating, "| `"+code+"` |")
	}
}

// make man writes the manual, by this program with another main function.
func TestEveryCommandHasAManualPage(t *testing.T) {
	dir, program := t.TempDir(), filepath.Join(t.TempDir(), "worker")
	const help = "#!/bin/sh\nprintf 'Does the work.\\n\\nUsage: worker [flags]\\n\\n  -only part\\n    \\tone part only\\n' >&2\n"
	require.NoError(t, os.WriteFile(program, []byte(help), 0o700))
	out, err := exec.CommandContext(t.Context(), "go", "run", "-tags", "man", ".", dir, program).CombinedOutput()
	require.NoError(t, err, "%s", out)
	page := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name+".1"))
		require.NoError(t, err)
		return strings.ReplaceAll(string(text), `\-`, "-")
	}
	walk((&cli{}).root(), func(cmd *cobra.Command) {
		text := page(strings.ReplaceAll(cmd.CommandPath(), " ", "-"))
		assert.Contains(t, text, ".SH SYNOPSIS", cmd.CommandPath())
		assert.Contains(t, text, "--output", cmd.CommandPath())
	})
	assert.NotContains(t, page("tenure-dlq-discard"), "--yes", "old spellings are not shown")
	worker := page("worker")
	for _, said := range []string{"worker - Does the work.", `\fB-only\fP part`, "one part only"} {
		assert.Contains(t, worker, said)
	}
}

// The documents name tests that show what they promise: each of them is there.
func TestDocumentsNameTestsThatThereAre(t *testing.T) {
	root := filepath.Join(sourceDir, "..", "..")
	there := map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, "test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, f := range testFunc.FindAllSubmatch(source, -1) {
			there[string(f[1])] = true
		}
		return err
	}))
	named := 0
	for name, text := range documents(t, false) {
		for _, span := range testSpan.FindAllStringSubmatch(text, -1) {
			named++
			assert.True(t, there[span[1]], "%s: there is no test %s", name, span[1])
		}
	}
	require.Greater(t, named, 50)
}

var (
	testFunc = regexp.MustCompile(`(?m)^func (Test[A-Z]\w*)\(`)
	testSpan = regexp.MustCompile("`(?:\\w+\\.)?(Test[A-Z]\\w*)`")
)
