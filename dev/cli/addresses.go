package cli

import (
	"io"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/tenurehq/tenure/dev/stack"
)

// printAddresses prints where everything is.
func printAddresses(out io.Writer, s *stack.Stack) {
	t := table.NewWriter()
	t.SetOutputMirror(out)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	t.SetStyle(style)
	for _, endpoint := range s.Endpoints() {
		t.AppendRow(table.Row{endpoint.What, endpoint.Address, endpoint.Note})
	}
	t.Render()
}
