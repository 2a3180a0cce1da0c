// Command connectordoc writes docs/connectors.md, the reference of the kinds of
// app, from what the kinds say of themselves: `make docs`. It runs in the
// project's root.
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
