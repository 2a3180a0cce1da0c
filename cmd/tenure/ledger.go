package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/open"
	"github.com/tenurehq/tenure/operator"
)

func (c *cli) ledgerCommand() *cobra.Command {
	return noun("ledger", "Move the ledger to another database", c.ledgerExportCommand(), c.ledgerImportCommand())
}

// standardStream is the name that stands for standard input or output.
const standardStream = "-"

func (c *cli) ledgerExportCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "export FILE|-",
		Short: "Write all that the ledger knows to a file",
		Long: `Write all that the ledger knows to a file, which only its owner can read, or to
standard output (-).

It is everything as it is at one moment: starter and worker may go on meanwhile,
but what they write after that moment is not in the file. The file holds names, and
who has what. It can be read into a new ledger of either kind by the version of
Tenure that wrote it.

The ledger's audit record says who exported it, when, how many rows, and the digest
of the export: it is what import prints, too.`,
		Example: `  tenure ledger export tenure-2026-11-26.jsonl
  tenure ledger export - | gzip > tenure-2026-11-26.jsonl.gz`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := asking(name)
			if err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(_ *config.Config, o *operator.Operator) error {
				return c.exportLedger(cmd.Context(), o, args[0], operator.Request{Actor: who})
			})
		},
	}
	operatorFlag(cmd, &name)
	return c.reads(cmd)
}

func (c *cli) exportLedger(ctx context.Context, o *operator.Operator, path string, by operator.Request) error {
	var done ledger.Export
	err := writing(path, c.out, func(w io.Writer) (err error) {
		progress, finish := c.rows("exporting")
		defer finish()
		done, err = o.Export(ctx, by, w, progress)
		return err
	})
	if err != nil {
		return err
	}
	return c.moved("exported", done, "to", path)
}

func (c *cli) ledgerImportCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Read what ledger export wrote into a new ledger",
		Long: `Read what ledger export wrote, from a file or standard input (-), into the ledger
that the configuration names. It is made if it is missing, and must hold nothing
yet: stop starter and worker first, and start them with that configuration
afterwards.

All of it is imported or, if anything is wrong (a file that was cut or changed, a
connection that breaks), nothing. The audit record that came with it goes on with
who imported it, when, how many rows, and the digest of the export.`,
		Example: `  tenure ledger import tenure-2026-11-26.jsonl --config postgres.yaml
  gunzip -c tenure-2026-11-26.jsonl.gz | tenure ledger import -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := asking(name)
			if err != nil {
				return err
			}
			cfg, err := c.config(config.PartLedger)
			if err != nil {
				return err
			}
			from, err := reading(args[0], c.in)
			if err != nil {
				return err
			}
			defer func() { _ = from.Close() }() // it was read
			l, err := open.Open(cmd.Context(), cfg.Ledger.URL)
			if err != nil {
				return fmt.Errorf("%w (check ledger.url in %s)", err, cfg.Path)
			}
			progress, finish := c.rows("importing")
			o, leave := operatorOn(cfg, l)
			done, err := o.Import(cmd.Context(), operator.Request{Actor: who}, from, progress)
			finish()
			leave()
			if err = errors.Join(err, l.Close()); err != nil {
				return err
			}
			return c.moved("imported", done, "into", open.Address(cfg.Ledger.URL))
		},
	}
	operatorFlag(cmd, &name)
	return c.reads(cmd)
}

// moved says what was done, on the stream that does not carry the export.
func (c *cli) moved(what string, e ledger.Export, where, place string) error {
	if place == standardStream {
		place = "standard output"
		if c.output != formatTable {
			written := *c
			written.out = c.err
			return written.report(e)
		}
	} else if c.output != formatTable {
		return c.report(e)
	}
	c.tell("%s %d rows of %d tables %s %s: %d people, %d events, %d audit rows (schema %d, sha256 %s)\n",
		what, e.Total(), len(e.Rows), where, place, e.Rows["people"], e.Rows["events"], e.Rows["audit"], e.Schema, e.SHA256)
	return nil
}

// rows returns a progress bar of rows, which is shown on a terminal only.
func (c *cli) rows(doing string) (progress ledger.Progress, finish func()) {
	var bar *progressbar.ProgressBar
	progress = func(done, total int64) {
		if bar == nil {
			bar = c.progress(int(total), doing, "rows")
		}
		_ = bar.Set64(done)
	}
	return progress, func() {
		if bar != nil {
			_ = bar.Finish()
		}
	}
}

// writing has f write a file that only its owner can read. The file appears when all of
// it is written, and must not exist before.
func writing(path string, out io.Writer, f func(io.Writer) error) (err error) {
	if path == standardStream {
		return f(out)
	}
	if exists(path) {
		return fmt.Errorf("%q is there already: remove it, or give another name", path)
	}
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part.Name()))
		}
	}()
	err = f(part)
	if err == nil {
		err = part.Sync()
	}
	if err = errors.Join(err, part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}

func reading(path string, in io.Reader) (io.ReadCloser, error) {
	if path == standardStream {
		return io.NopCloser(in), nil
	}
	return os.Open(path)
}
