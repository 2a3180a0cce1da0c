// Command configdoc writes schemas/config.schema.json and docs/configuration.md, the schema
// and the reference of tenure.yaml, from the declarations in config. `make docs` runs it in
// the project's root.
package main

import (
	"fmt"
	"os"

	"github.com/tenurehq/tenure/config"
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
	reference, err := render(config.Document())
	if err != nil {
		return err
	}
	if err := os.WriteFile(referenceFile, reference, 0o644); err != nil { //nolint:gosec // documentation is for everybody to read
		return err
	}
	schema, err := schemaOf(config.Document())
	if err != nil {
		return err
	}
	return os.WriteFile(schemaFile, schema, 0o644) //nolint:gosec // as above
}
