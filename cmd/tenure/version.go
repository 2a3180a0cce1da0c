package main

import (
	"runtime"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/service"
)

func (c *cli) versionCommand() *cobra.Command {
	return c.reads(&cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := struct {
				Version string `json:"version"`
				Go      string `json:"go"`
			}{service.Version(), runtime.Version()}
			return c.print(v, func(p *page) { p.note("tenure %s (%s)", v.Version, v.Go) })
		},
	})
}
