// Command configdoc writes docs/configuration.md, the reference of tenure.yaml,
// from the schema of the configuration: `make docs`. It runs in the project's root.
package main

import (
	"fmt"
	"os"
)

const (
	schemaFile    = "schemas/config.schema.json"
	referenceFile = "docs/configuration.md"
)

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, "configdoc:", err)
		os.Exit(1)
	}
}

func generate() error {
	schema, err := os.ReadFile(schemaFile)
	if err != nil {
		return err
	}
	reference, err := render(schema)
	if err != nil {
		return err
	}
	return os.WriteFile(referenceFile, reference, 0o644) //nolint:gosec // documentation is for everybody to read
}
