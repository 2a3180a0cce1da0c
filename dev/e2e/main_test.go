// Package e2e tests everything together: the real programs on the embedded stack.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	_ "time/tzdata"

	"github.com/tenurehq/tenure/dev/cli"
)

// binaries is the directory of the programs: worker, starter and tenure, built from this
// checkout, and dev, which is this test binary.
var binaries string

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "dev" {
		os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	code := 1
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, "cannot build what is tested:", err)
	} else {
		code = m.Run()
	}
	_ = os.RemoveAll(binaries)
	os.Exit(code)
}

func build() (err error) {
	if binaries, err = os.MkdirTemp("", "tenure-e2e-"); err != nil {
		return err
	}
	this, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.Symlink(this, filepath.Join(binaries, "dev")); err != nil {
		return err
	}
	command := exec.Command("go", "build", "-o", binaries, "./worker", "./starter", "./cmd/tenure")
	command.Dir = filepath.Join("..", "..")
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	return command.Run()
}
