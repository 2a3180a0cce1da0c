// Command licences writes docs/licences.csv: the licences of the modules that are built into
// the released programs and into the tests. It fails if a licence is missing or not allowed.
// With --check it writes nothing and reads no licences, and fails if the report does not list
// the modules that are built in now. `make licences` runs it in the project's root.
package main

import (
	"bytes"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const reportFile = "docs/licences.csv"

//go:embed accepted.yaml
var acceptedYAML []byte

// build is a set of packages whose modules are reported.
type build struct {
	purpose  purpose
	folder   string // folder of the Go module
	packages []string
	tests    bool
}

// builds lists the released programs first: a module in several builds counts for the first.
var builds = []build{
	{purpose: ships, folder: ".", packages: []string{"./worker", "./starter", "./cmd/tenure"}},
	{purpose: tests, folder: ".", packages: []string{"./..."}, tests: true},
	{purpose: tests, folder: "dev", packages: []string{"./..."}, tests: true},
}

func main() {
	tool := flag.String("tool", "go-licenses", "the `program` go-licenses")
	check := flag.Bool("check", false, "only see whether the report is of what is built in")
	flag.Parse()
	if err := run(*tool, *check); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func run(tool string, check bool) error {
	policy, err := readPolicy(acceptedYAML)
	if err != nil {
		return fmt.Errorf("accepted.yaml: %w", err)
	}
	if check {
		return checkReport(policy)
	}
	var found report
	for _, b := range builds {
		modules, err := b.modules()
		if err != nil {
			return err
		}
		libraries, err := b.libraries(tool)
		if err != nil {
			return err
		}
		found.add(b.purpose, modules, libraries)
	}
	rows, err := policy.judge(found)
	if err != nil {
		return err
	}
	fmt.Printf("%d modules, all of them fit: %s\n", len(rows), reportFile)
	return os.WriteFile(reportFile, encode(rows), 0o644) //nolint:gosec // documentation is for everybody to read
}

// checkReport fails if the report does not list exactly the modules that are built in, or has
// a licence that the policy does not allow.
func checkReport(policy policy) error {
	written, err := os.ReadFile(reportFile)
	if err != nil {
		return fmt.Errorf("%w: run make licences", err)
	}
	rows, err := decode(written)
	if err != nil {
		return fmt.Errorf("%s: %w", reportFile, err)
	}
	var now report
	for _, b := range builds {
		modules, err := b.modules()
		if err != nil {
			return err
		}
		now.add(b.purpose, modules, nil)
	}
	return errors.Join(compare(rows, now), policy.judgeRows(rows))
}

// modules returns the third-party modules with packages in the build.
func (b build) modules() ([]module, error) {
	arguments := []string{"list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}"}
	if b.tests {
		arguments = append(arguments, "-test")
	}
	out, err := output(b.folder, nil, "go", append(arguments, b.packages...)...)
	if err != nil {
		return nil, err
	}
	return parseModules(string(out)), nil
}

// libraries returns the libraries that go-licenses finds in the build.
func (b build) libraries(tool string) ([]library, error) {
	folder, err := os.MkdirTemp("", "licences")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	template := filepath.Join(folder, "template")
	if err := os.WriteFile(template, []byte(libraryTemplate), 0o600); err != nil {
		return nil, err
	}
	root, err := output(b.folder, nil, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	// go-licenses recognises the standard library by the variable GOROOT.
	environment := append(os.Environ(), "GOROOT="+strings.TrimSpace(string(root)))
	arguments := []string{"report", "--ignore", ours, "--template", template}
	if b.tests {
		arguments = append(arguments, "--include_tests")
	}
	out, err := output(b.folder, environment, tool, append(arguments, b.packages...)...)
	if err != nil {
		return nil, err
	}
	libraries, err := parseLibraries(out)
	if err != nil {
		return nil, err
	}
	for i, l := range libraries {
		if l.path == "" {
			continue
		}
		entries, err := os.ReadDir(filepath.Dir(l.path))
		if err != nil {
			return nil, err
		}
		libraries[i].texts = licenceTexts(entries)
	}
	return libraries, nil
}

// output runs a program and returns its output. It shows warnings only if the program fails,
// because go-licenses warns about every assembler file.
func output(folder string, environment []string, program string, arguments ...string) ([]byte, error) {
	if abs, err := filepath.Abs(program); err == nil && strings.ContainsRune(program, filepath.Separator) {
		program = abs
	}
	command := exec.Command(program, arguments...)
	command.Dir, command.Env = folder, environment
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(arguments, " "), err, complaints.String())
	}
	return out, nil
}
