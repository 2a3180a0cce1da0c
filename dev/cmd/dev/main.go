// Command dev runs Tenure's embedded stack. See `dev --help`.
package main

import (
	"os"
	_ "time/tzdata" // people live in zones that not every machine knows

	"github.com/tenurehq/tenure/dev/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
