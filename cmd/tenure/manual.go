//go:build man

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra/doc"

	"github.com/tenurehq/tenure/service"
)

// main writes a manual page for each command into a directory: go run -tags man
// ./cmd/tenure DIR [PROGRAM...]. Programs such as worker and starter get a page made
// from what they print with -h. The build tag keeps the code that makes manual pages out
// of the program that people run.
func main() {
	if err := writeManual(os.Args[1:]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		os.Exit(service.ExitFailed)
	}
}

func writeManual(args []string) error {
	if len(args) == 0 {
		return errors.New("say in which directory the manual pages are to be")
	}
	dir := args[0]
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root := (&cli{output: formatTable}).root()
	root.DisableAutoGenTag = true
	header := doc.GenManHeader{Title: "TENURE", Section: "1", Source: "Tenure " + service.Version(), Manual: "Tenure"}
	if err := doc.GenManTree(root, &header, dir); err != nil {
		return err
	}
	for _, program := range args[1:] {
		if err := writeProgramPage(dir, program); err != nil {
			return err
		}
	}
	return nil
}

// writeProgramPage writes the manual page of a program that prints its flags with -h.
func writeProgramPage(dir, program string) error {
	help, err := exec.Command(program, "-h").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s -h: %w", program, err)
	}
	summary, rest, _ := strings.Cut(string(help), "\n\nUsage: ")
	usage, flags, _ := strings.Cut(rest, "\n\n")
	name := filepath.Base(program)
	var page bytes.Buffer
	fmt.Fprintf(&page, "%% \"%s\" \"1\" \"\" \"Tenure %s\" \"Tenure\"\n# NAME\n%s - %s\n\n# SYNOPSIS\n**%s**\n\n# OPTIONS\n",
		strings.ToUpper(name), service.Version(), name, summary, usage)
	for line := range strings.Lines(flags) {
		if text, is := strings.CutPrefix(line, "    \t"); is {
			fmt.Fprintf(&page, "\t%s\n\n", strings.TrimSpace(text))
			continue
		}
		flag, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		fmt.Fprintf(&page, "**%s** %s\n", flag, value)
	}
	page.WriteString("\n# SEE ALSO\n**tenure(1)**\n")
	return os.WriteFile(filepath.Join(dir, name+".1"), md2man.Render(page.Bytes()), 0o644)
}
