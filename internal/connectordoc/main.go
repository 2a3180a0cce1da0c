// Command connectordoc writes docs/connectors.md, the reference of the kinds of app, from the
// declarations of the kinds. `make docs` runs it in the project's root.
package main

import (
	"fmt"
	"os"

	"github.com/tenurehq/tenure/connector/catalog"
)

const referenceFile = "docs/connectors.md"

func main() {
	//nolint:gosec // documentation is for everybody to read
	if err := os.WriteFile(referenceFile, render(catalog.Kinds()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "connectordoc:", err)
		os.Exit(1)
	}
}
