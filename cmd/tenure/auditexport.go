package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/audit/export"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/service"
)

func (c *cli) auditExportCommand() *cobra.Command {
	const form, first, last = "format", "from", "to"
	var format string
	rows := operator.RowsOf{To: math.MaxInt64, Version: service.Version()}
	cmd := &cobra.Command{
		Use:   "export FOLDER | --format FORMAT [FILE|-]",
		Short: "Write the audit record and its log to plain files, or its rows for other systems",
		Long: `Write the audit record and its log to plain files in a new folder, which only its owner
can read: every row, the leaves and tiles as C2SP tlog-tiles has them, and all
checkpoints. Whoever has the folder can verify it without Tenure, or with it
(tenure audit verify FOLDER): docs/evidence.md describes the files.

With --format, write the rows to a new file or to standard output, one a line and in
the order of the log's leaves, just as audit.export sends them: docs/export.md. A row
that is not what its leaf says, or is not there, is written as such; the exit status
is 3 then.

Both hold the IDs of people, and the reasons that operators gave.`,
		Example: `  tenure audit export record-2026-12
  tenure audit verify record-2026-12 --key example.com/tenure+12ab34cd+AQID...
  tenure audit export --format ocsf | gzip > record.ndjson.gz
  tenure audit export --format cef --from 4711 --to 5000 rows.cef`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed(form) {
				for _, flag := range []string{first, last} {
					if cmd.Flags().Changed(flag) {
						return usagef("--%s is for --%s: a folder has the whole record, or it could not be verified", flag, form)
					}
				}
				if len(args) == 0 {
					return usagef("name a new folder, or give --%s", form)
				}
				return c.exportRecord(cmd.Context(), args[0])
			}
			var known bool
			if rows.Format, known = export.Named(format); !known {
				return cmp.Or(oneOf(form, format, export.Names()), usagef("--%s must not be empty", form))
			}
			if rows.From < 0 || rows.To < rows.From {
				return usagef("--%s and --%s are the first and the last leaf, counted from 0", first, last)
			}
			return c.exportRows(cmd.Context(), rows, append(args, standardStream)[0])
		},
	}
	cmd.Flags().StringVar(&format, form, "", "`format` of rows for other systems: jsonl, ocsf or cef")
	cmd.Flags().Int64Var(&rows.From, first, 0, "with --format: `leaf` of the first row")
	cmd.Flags().Int64Var(&rows.To, last, rows.To, "with --format: `leaf` of the last row (default: the newest)")
	cmd.Flags().Lookup(last).DefValue = "0" // not shown: the largest number there is says nothing to anybody
	complete(cmd, form, export.Names())
	return c.reads(cmd)
}

// exportRecord writes the record and its log to a folder.
func (c *cli) exportRecord(ctx context.Context, folder string) error {
	return c.view(ctx, func(_ *config.Config, v *operator.Viewer) error {
		if exists(folder) {
			return fmt.Errorf("%q is there already: remove it, or give another name", folder)
		}
		leaves, err := v.ExportRecord(ctx, func(name string) (io.WriteCloser, error) {
			return newFile(filepath.Join(folder, filepath.FromSlash(name)))
		})
		if err != nil {
			return err
		}
		c.tell("exported %d rows to %s\n", leaves, folder)
		return c.report(struct {
			Leaves int64  `json:"leaves"`
			Folder string `json:"folder"`
		}{leaves, folder})
	})
}

// exportRows writes rows for other systems to a file or to standard output.
func (c *cli) exportRows(ctx context.Context, rows operator.RowsOf, path string) error {
	return c.view(ctx, func(cfg *config.Config, v *operator.Viewer) error {
		rows.Origin = cfg.Audit.Origin
		var done operator.RowsExported
		err := writing(path, c.out, func(w io.Writer) (err error) {
			done, err = v.ExportRows(ctx, rows, w)
			return err
		})
		if err != nil {
			return err
		}
		c.tell("exported %d rows in %d messages\n", done.Leaves, done.Messages)
		if path != standardStream {
			err = c.report(done)
		}
		if done.Tampered > 0 {
			c.tell("%d of them are not what their leaves say, or are not there: verify the record (tenure audit verify)\n", done.Tampered)
			return errAttention
		}
		return err
	})
}
