// Command configdoc writes docs/configuration.md, the reference of tenure.yaml,
// from the schema of the configuration: `make docs`.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: configdoc SCHEMA OUT")
		os.Exit(2)
	}
	if err := generate(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "configdoc:", err)
		os.Exit(1)
	}
}

func generate(schema, out string) error {
	source, err := os.ReadFile(schema)
	if err != nil {
		return err
	}
	page, err := render(source)
	if err != nil {
		return err
	}
	return os.WriteFile(out, page, 0o644) //nolint:gosec // a page of documentation
}
