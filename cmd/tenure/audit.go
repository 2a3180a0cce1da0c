package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/operator"
)

func (c *cli) auditCommand() *cobra.Command {
	return noun("audit", "Verify the audit record, and make evidence from it",
		c.auditVerifyCommand(), c.auditPackCommand(), c.auditCheckpointCommand(), c.auditExportCommand(), c.auditKeyCommand(), c.auditRestartCommand())
}

// auditOptions holds the flags with which a record is verified.
type auditOptions struct {
	keys        []string
	checkpoints []string
}

func (c *cli) auditVerifyCommand() *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use:   "verify [FOLDER]",
		Short: "Verify the audit record from its rows up, or a pack of evidence",
		Long: `Verify the audit record from its rows up: each row gives its leaf, the leaves give
the tiles and the root, and every checkpoint has to have that root.

A checkpoint that somebody kept elsewhere (--checkpoint) shows what the ledger cannot
show by itself: that its newest rows are gone, that a backup was restored, or that
the whole log was made anew. The file may have any number of checkpoints, as
audit.publish adds them to a file.

With a FOLDER that tenure audit export or tenure audit pack wrote, neither a
configuration nor a ledger is needed. Give the key then (--key), as tenure audit key
printed it. Of a pack, it names the file that was altered.

The exit status is 3 if anything is wrong. docs/evidence.md says what each finding
means, and what this does not prove.`,
		Example: `  tenure audit verify
  tenure audit verify --checkpoint /mnt/worm/tenure-checkpoints
  tenure audit verify record --key example.com/tenure+12ab34cd+AQID...
  tenure audit verify q1 --key example.com/tenure+12ab34cd+AQID... --checkpoint kept.txt`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && isPack(args[0]) {
				return c.verifyPack(args[0], o)
			}
			if len(args) == 1 {
				return c.verifyFolder(cmd.Context(), args[0], o)
			}
			return c.view(cmd.Context(), func(cfg *config.Config, v *operator.Viewer) error {
				options, err := o.options(cfg)
				if err != nil {
					return err
				}
				head, err := v.Ledger.CountLog(cmd.Context())
				if err != nil {
					return err
				}
				finish := c.verifying(&options, head.Size)
				report, err := v.VerifyRecord(cmd.Context(), options)
				finish()
				return c.verified(report, err)
			})
		},
	}
	cmd.Flags().StringArrayVar(&o.keys, "key", nil, "`key` by which checkpoints are verified, as tenure audit key printed it; may be given again (default: that of audit.key)")
	cmd.Flags().StringArrayVar(&o.checkpoints, "checkpoint", nil, "`file` of checkpoints that were kept elsewhere; may be given again")
	return c.reads(cmd)
}

// options reads the keys and the checkpoints. The configuration may be nil.
func (o auditOptions) options(cfg *config.Config) (audit.Options, error) {
	options := audit.Options{MustBeSigned: len(o.keys) > 0}
	keys := slices.Clone(o.keys)
	if cfg != nil {
		options.Origin = cfg.Audit.Origin
		if signs, err := cfg.Audit.Key.Reveal(); err == nil && signs != "" {
			verifies, err := audit.Verifies(signs)
			if err != nil {
				return audit.Options{}, usagef("audit.key: %w", err)
			}
			keys = append(keys, verifies)
		}
	}
	var verifiers []note.Verifier
	for _, key := range slices.Compact(slices.Sorted(slices.Values(keys))) {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			return audit.Options{}, usagef("--key %s: it is no key that verifies, as tenure audit key prints it", key)
		}
		verifiers = append(verifiers, verifier)
	}
	if len(verifiers) > 0 {
		options.Verifiers = note.VerifierList(verifiers...)
	}
	for _, path := range o.checkpoints {
		text, err := os.ReadFile(path)
		if err != nil {
			return audit.Options{}, usagef("--checkpoint: %w", err)
		}
		notes := audit.Split(text)
		if !slices.ContainsFunc(notes, func(n string) bool { _, _, err := audit.Open(n, nil); return err == nil }) {
			return audit.Options{}, usagef("--checkpoint %q: there is no checkpoint in it", path)
		}
		options.Kept = append(options.Kept, notes...)
	}
	return options, nil
}

func (c *cli) verifyFolder(ctx context.Context, path string, o auditOptions) error {
	options, err := o.options(nil)
	if err != nil {
		return err
	}
	source, rows, err := audit.Folder(os.DirFS(path))
	if err != nil {
		return fmt.Errorf("%q: %w", path, err)
	}
	defer func() { _ = rows.Close() }() // they were read
	finish := c.verifying(&options, -1)
	report, err := audit.Verify(ctx, source, options)
	finish()
	return c.verified(report, err)
}

// verifying shows how far a verification is, on a terminal only.
func (c *cli) verifying(o *audit.Options, leaves int64) (finish func()) {
	var bar *progressbar.ProgressBar
	o.Progress = func(done int64) {
		if bar == nil {
			bar = c.progress(int(leaves), "verifying", "rows")
		}
		_ = bar.Set64(done)
	}
	return func() {
		if bar != nil {
			_ = bar.Finish()
		}
	}
}

// verified shows what was found.
func (c *cli) verified(r *audit.Report, err error) error {
	if err != nil {
		return err
	}
	err = c.print(r, func(p *page) { drawReportOfRecord(p, r) })
	if err == nil && !r.Sound() {
		err = errAttention
	}
	return err
}

func drawReportOfRecord(p *page, r *audit.Report) {
	if r.Sound() {
		p.note("The audit record is sound: %s, %s.\n", words.Count(int(r.Leaves), "row"), words.Count(int(r.Checkpoints), "checkpoint"))
		if r.Restored > 0 {
			p.note("%s\n", p.paint("But a checkpoint that was given is of what a restore has lost, as the record says: ask whether there was one."))
		}
	} else {
		p.note("%s\n", p.paint("The audit record is not sound."))
	}
	fields := []field{{"log", r.Origin}, {"rows in it", fmt.Sprint(r.Leaves)}, {"root", r.Root}}
	signed := fmt.Sprintf("%d, of which %d are signed", r.Checkpoints, r.Signed)
	if r.Unverified > 0 {
		signed += fmt.Sprintf(" and %d have signatures that could not be verified: give the key with --key", r.Unverified)
	}
	fields = append(fields, field{"checkpoints", signed}, field{"covered", fmt.Sprintf("%d rows", r.Covered)})
	if r.Newest != nil {
		fields = append(fields, field{"newest", r.Newest.Format(time.RFC3339)})
	}
	if r.Kept > 0 {
		fields = append(fields, field{"kept elsewhere", words.Count(int(r.Kept), "checkpoint")})
	}
	if r.Cut > 0 {
		fields = append(fields, field{"cut", fmt.Sprintf("%d of those that were given end before their signature, as after a crash: they prove nothing", r.Cut)})
	}
	if r.Restored > 0 {
		fields = append(fields, field{"restored", fmt.Sprintf("%d of them are of what a restore has lost, as the record says", r.Restored)})
	}
	fields = append(fields, field{"redacted", fmt.Sprintf("%d rows, as the record says", r.Redacted)}, field{"not in it yet", fmt.Sprintf("%d rows", r.Waiting)})
	p.fields(fields...)
	if r.Sound() {
		return
	}
	p.table("Findings", "finding,first leaf,what", rowsOf(r.Findings, func(f audit.Finding) []string {
		leaf := ""
		if f.Leaf >= 0 {
			leaf = fmt.Sprint(f.Leaf)
		}
		return []string{string(f.Kind), leaf, f.What}
	}))
	for _, kind := range audit.Kinds {
		if shown := countOf(r.Findings, kind); r.Counts[kind] > shown {
			p.note("%s: %d in all, of which the first %d are shown", kind, r.Counts[kind], shown)
		}
	}
}

func countOf(findings []audit.Finding, kind audit.Kind) (n int64) {
	for _, f := range findings {
		if f.Kind == kind {
			n++
		}
	}
	return n
}

// headView is the newest checkpoint as JSON has it.
type headView struct {
	Origin    string          `json:"origin"`
	Size      int64           `json:"size"`
	Root      string          `json:"root"`
	At        time.Time       `json:"at"`
	Note      string          `json:"note"`
	Leaves    int64           `json:"leaves"`
	Waiting   int64           `json:"waiting"`
	Published []publishedView `json:"published"`
}

type publishedView struct {
	Place   string    `json:"place"`
	Size    int64     `json:"size"`
	At      time.Time `json:"at"`
	Receipt string    `json:"receipt,omitempty"`
}

func (c *cli) auditCheckpointCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "checkpoint",
		Short: "Print the newest checkpoint of the audit record",
		Long: `Print the newest checkpoint of the audit record, as a signed note. Keep it where those
who administer Tenure cannot change it: whoever has it can show later that nothing
before it was changed (tenure audit verify --checkpoint FILE).

With -o json, it also says where checkpoints were published, and what none covers yet.`,
		Example: `  tenure audit checkpoint >> checkpoints.txt
  tenure audit checkpoint -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.view(cmd.Context(), func(_ *config.Config, v *operator.Viewer) error {
				head, err := v.RecordHead(cmd.Context())
				if err != nil {
					return err
				}
				view := headView{
					Origin: head.Origin, Size: head.Size, Root: fmt.Sprintf("%x", head.Root[:]), At: head.At, Note: head.Note,
					Leaves: head.Leaves, Waiting: head.Waiting, Published: []publishedView{},
				}
				for _, p := range head.Published {
					view.Published = append(view.Published, publishedView(p))
				}
				return c.print(view, func(p *page) {
					for line := range strings.Lines(head.Note) {
						p.note("%s", strings.TrimSuffix(line, "\n"))
					}
				})
			})
		},
	}
	return c.reads(cmd)
}

// newFile makes a file that only its owner can read, with the folders above it.
func newFile(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

func (c *cli) auditKeyCommand() *cobra.Command {
	var origin string
	cmd := &cobra.Command{
		Use:   "key FILE",
		Short: "Make a key that signs checkpoints of the audit record",
		Long: `Make a key that signs checkpoints of the audit record, for audit.key. It is written to a
file that only its owner can read. What is printed is the key by which anybody
verifies: give it to your auditor.

Without the file, nobody can sign for this log any more. Whoever has it can sign a
log that was made up, but cannot change what was published before.`,
		Example: `  tenure audit key /etc/tenure/audit.signer --origin example.com/tenure`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			signs, verifies, err := audit.NewKey(origin)
			if err != nil {
				return usagef("--origin %q cannot be the name of a log: it is one word, without +", origin)
			}
			file, err := newFile(args[0])
			if errors.Is(err, os.ErrExist) {
				return fmt.Errorf("%q is there already: remove it, or give another name", args[0])
			}
			if err != nil {
				return err
			}
			_, err = file.WriteString(signs + "\n")
			if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
				return err
			}
			return c.print(struct {
				Origin string `json:"origin"`
				Key    string `json:"key"` // that verifies
			}{origin, verifies}, func(p *page) { p.note("%s", verifies) })
		},
	}
	cmd.Flags().StringVar(&origin, "origin", "", "`name` of the log, as in audit.origin")
	_ = cmd.MarkFlagRequired("origin")
	return c.reads(cmd)
}

func (c *cli) auditRestartCommand() *cobra.Command {
	var name, reason, checkpoint string
	var a applying
	cmd := &cobra.Command{
		Use:   "restart",
		Short: "Go on with the audit record's log under another name, after a restore",
		Long: `Go on with the audit record's log under another name, after the ledger was restored from
a backup. The restored log lacks what was written since the backup, and checkpoints
of that are outside. Under its old name it would be a second log that contradicts
them. Under the new one (example.com/tenure/2) it begins with a row that says who
restarted it, and why.

With --checkpoint, that row also says up to where something was lost: give the newest
checkpoint that you have. Whoever has one up to there is told that a restore explains
it (tenure audit verify). Stop the workers before, and start them afterwards.`,
		Example: `  tenure audit restart --reason "restored the backup of 2 March" --checkpoint /mnt/worm/tenure-checkpoints
  tenure audit restart --reason "restored the backup of 2 March" --checkpoint /mnt/worm/tenure-checkpoints --apply`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := onRecord(&name, reason); err != nil {
				return err
			}
			return c.operate(cmd.Context(), func(cfg *config.Config, o *operator.Operator) error {
				known, err := newestIn(checkpoint, cfg)
				if err != nil {
					return err
				}
				return c.restartLog(cmd.Context(), o, a, operator.Request{Actor: name, Reason: reason}, cfg.Audit.Origin, known)
			})
		},
	}
	operatorFlag(cmd, &name)
	cmd.Flags().StringVar(&reason, "reason", "", "`why`, for the record")
	cmd.Flags().StringVar(&checkpoint, "checkpoint", "", "`file` of checkpoints that were kept elsewhere")
	a.flags(cmd)
	return c.reads(cmd)
}

// newestIn returns the largest checkpoint of a file; nil if no file is named.
func newestIn(path string, cfg *config.Config) (*audit.Checkpoint, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // none is a value
	}
	o, err := auditOptions{checkpoints: []string{path}}.options(cfg)
	if err != nil {
		return nil, err
	}
	var newest *audit.Checkpoint
	for _, text := range o.Kept {
		c, signature, err := audit.Open(text, o.Verifiers)
		bad := err != nil || o.Verifiers != nil && signature != audit.Signed
		if bad && audit.IsCut(text, cfg.Audit.Origin) {
			continue
		}
		if bad {
			return nil, usagef("--checkpoint %q: one of its checkpoints is not signed by the key of this log", path)
		}
		if newest == nil || c.Size >= newest.Size {
			newest = &c
		}
	}
	return newest, nil
}

func (c *cli) restartLog(ctx context.Context, o *operator.Operator, a applying, by operator.Request, origin string, known *audit.Checkpoint) error {
	would, err := o.RestartOfLog(ctx, origin, known)
	if err == nil && a.does() {
		would, err = o.RestartLog(ctx, by, origin, known)
	}
	if err != nil {
		return err
	}
	err = c.print(struct {
		audit.Restart
		Origin string `json:"origin"`
	}{would.Restart, would.Origin}, func(p *page) {
		fields := []field{{"log from then on", would.Origin}, {"rows in it", fmt.Sprint(would.Size)}}
		if would.Lost > would.Size {
			fields = append(fields, field{"lost", fmt.Sprintf("%d rows, up to the checkpoint of size %d", would.Lost-would.Size, would.Lost)})
		}
		p.fields(fields...)
	})
	if err != nil || a.does() {
		return err
	}
	return c.onlyShown(a, "the log would go on as %s", would.Origin)
}
