package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"github.com/tenurehq/tenure/audit/pack"
	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/figures"
	"github.com/tenurehq/tenure/internal/words"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/operator/evidence"
	"github.com/tenurehq/tenure/service"
)

// packAsked holds the flags of the command.
type packAsked struct {
	person, review, operator string
	figuresAsked             // app, from, until, month and within
}

func (c *cli) auditPackCommand() *cobra.Command {
	var asked packAsked
	cmd := &cobra.Command{
		Use:   "pack FOLDER",
		Short: "Make a pack of evidence for an auditor",
		Long: `Make a pack of evidence for an auditor, in a new folder, which only its owner can read:
about everybody in a time (--from and --until, or --month), in one app (--app), about one
person, or about one review. It holds the whole population and no sample.

evidence.html is a page that a human can print. The files beside it hold the same as JSON
lines: who left, joined and moved, HR's records, what was done in each app and how it was
proven, what was late and whose time that was, requests, exceptions, reviews, what apps
have, and whether all of it ties out. rows.jsonl has the rows of the audit record behind
them, with the proof that they are in its log. The manifest is signed with audit.key.

Whoever has the key that verifies can verify the pack on any machine, without a
configuration: tenure audit verify FOLDER --key KEY. docs/evidence.md describes the files.

The exit status is 3 if something does not tie out: the page says what. A pack holds IDs,
names, and the reasons that people gave.`,
		Example: `  tenure audit pack q1 --from 2027-01-01 --until 2027-04-01
  tenure audit pack march-wiki --month 2027-03 --app wiki
  tenure audit pack ada --person 10004
  tenure audit pack review-3 --review v-3
  tenure audit verify q1 --key example.com/tenure+12ab34cd+AQID...`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.view(cmd.Context(), func(cfg *config.Config, v *operator.Viewer) error {
				scope, err := asked.scope(cmd.Context(), cfg, v)
				if err != nil {
					return err
				}
				maker, err := asked.maker(cfg, v)
				if err != nil {
					return err
				}
				if exists(args[0]) {
					return fmt.Errorf("%q is there already: remove it, or give another name", args[0])
				}
				if _, err := v.RecordHead(cmd.Context()); err != nil { // without a checkpoint nothing can be proven
					return err
				}
				made, err := maker.Make(cmd.Context(), scope, folder(args[0]))
				if err != nil {
					return errors.Join(err, os.RemoveAll(args[0]))
				}
				return c.packed(args[0], made)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&asked.person, "person", "", "about this `person`, by ID")
	f.StringVar(&asked.review, "review", "", "about this `review`, such as v-3")
	f.StringVar(&asked.from, "from", "", "from this `day` on")
	f.StringVar(&asked.until, "until", "", "before this `day` (default: now)")
	f.StringVar(&asked.month, "month", "", "of this `month`, such as 2027-03")
	f.StringVar(&asked.app, "app", "", "only of this `app`")
	f.DurationVar(&asked.within, "within", figures.Within, "the `time` within which access is to be given and taken")
	operatorFlag(cmd, &asked.operator)
	cmd.MarkFlagsOneRequired("person", "review", "from", "month")
	for _, pair := range [][2]string{
		{"person", "review"}, {"person", "from"}, {"person", "until"}, {"person", "month"}, {"review", "from"}, {"review", "until"}, {"review", "month"}, {"review", "app"},
		{"month", "from"}, {"month", "until"},
	} {
		cmd.MarkFlagsMutuallyExclusive(pair[0], pair[1])
	}
	return c.reads(cmd)
}

// scope returns what the pack is about.
func (a packAsked) scope(ctx context.Context, cfg *config.Config, v *operator.Viewer) (evidence.Scope, error) {
	q, err := a.question(cfg)
	if err != nil {
		return evidence.Scope{}, err
	}
	scope := evidence.Scope{Person: a.person, App: a.app}
	switch {
	case a.person != "":
		_, err = v.Person(ctx, a.person)
	case a.review != "":
		id, ok := ledger.ReviewID(a.review)
		if !ok {
			return scope, usagef("--review wants the name of a review, such as v-3, and not %q", a.review)
		}
		found, err := v.Ledger.Reviews(ctx, ledger.ReviewFilter{ID: id}, 0, 1)
		if err != nil {
			return scope, err
		}
		if len(found) == 0 {
			return scope, fmt.Errorf("there is no review %s: see tenure review list --all", a.review)
		}
		scope.Review = a.review
	default:
		scope.From, scope.Until = q.From.UTC(), q.Until.UTC()
	}
	return scope, err
}

// maker returns what makes the pack.
func (a packAsked) maker(cfg *config.Config, v *operator.Viewer) (evidence.Maker, error) {
	by, err := asking(a.operator)
	if err != nil {
		return evidence.Maker{}, err
	}
	m := evidence.Maker{
		Ledger: v.Ledger, Policy: cfg.Policy, Now: v.Clock.Now(), By: by, Log: cfg.Audit.Origin, Within: a.within,
		Zone: cmp.Or(cfg.Governance.TimeZone, time.UTC), Fresh: cfg.Governance.Freshness, Version: service.Version(),
	}
	for name := range cfg.Apps {
		m.Apps = append(m.Apps, name)
	}
	slices.Sort(m.Apps)
	if text, err := os.ReadFile(cfg.Path); err == nil {
		sum := sha256.Sum256(text)
		m.Configuration = hex.EncodeToString(sum[:])
	}
	signs, err := cfg.Audit.Key.Reveal()
	if err != nil {
		return m, fmt.Errorf("audit.key cannot be read, and signs the pack: make it on a machine that has the key (%w)", err)
	}
	if signs == "" {
		return m, nil
	}
	signer, err := note.NewSigner(signs)
	if err != nil {
		return m, usagef("audit.key is no key as tenure audit key writes it")
	}
	m.Signers = []note.Signer{signer}
	return m, nil
}

// packed shows what became of a pack.
func (c *cli) packed(path string, made evidence.Made) error {
	err := c.print(made, func(p *page) {
		p.note("The pack is in %s: open %s.\n", path, filepath.Join(path, "evidence.html"))
		signed := "with the key of the record's checkpoints"
		if !made.Signed {
			signed = "no: there is no audit.key, so nobody can tell who made it"
		}
		p.fields(field{"rows of the record", fmt.Sprint(made.Rows)}, field{"log", fmt.Sprintf("%s, %d rows", made.Log, made.Size)},
			field{"signed", signed}, field{"manifest", "SHA-256 " + made.Manifest})
		p.table("Is it all?", "verdict,what was compared,of", rowsOf(made.Checks, func(k evidence.Check) []string {
			return []string{string(k.Verdict), k.Check, k.Of}
		}))
	})
	if err == nil && slices.ContainsFunc(made.Checks, func(k evidence.Check) bool { return k.Verdict == evidence.TiesNot }) {
		err = errAttention
	}
	return err
}

// folder is a folder on disk that a pack is written to.
type folder string

// Create implements evidence.Folder.
func (f folder) Create(name string) (io.WriteCloser, error) {
	return newFile(filepath.Join(string(f), filepath.FromSlash(name)))
}

// Open implements evidence.Folder.
func (f folder) Open(name string) (io.ReadCloser, error) {
	return os.Open(filepath.Join(string(f), filepath.FromSlash(name)))
}

// verifyPack verifies a pack of evidence.
func (c *cli) verifyPack(path string, o auditOptions) error {
	options, err := o.options(nil)
	if err != nil {
		return err
	}
	r, err := pack.Verify(os.DirFS(path), options)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	err = c.print(r, func(p *page) { drawPack(p, r, len(o.keys) > 0) })
	if err == nil && !r.Sound() {
		err = errAttention
	}
	return err
}

func drawPack(p *page, r *pack.Report, withKey bool) {
	if r.Sound() {
		p.note("The pack is sound: %s, %s of the audit record.\n", words.Count(r.Files, "file"), words.Count(int(r.Rows), "row"))
		if r.Restored > 0 {
			p.note("%s\n", p.paint("But a checkpoint that was given is of what a restore has lost, as the record says: ask whether there was one."))
		}
	} else {
		p.note("%s\n", p.paint("The pack is not sound."))
	}
	signed := "by a key that was given"
	if !r.Signed {
		signed = "not verified: give the key with --key, or anybody may have made it"
		if withKey {
			signed = "not by a key that was given"
		}
	}
	fields := []field{
		{"log", r.Log}, {"made", words.Instant(r.At)}, {"signed", signed}, {"rows in the log", fmt.Sprint(r.Size)}, {"root", r.Root},
		{"redacted", fmt.Sprintf("%d rows, as the record says", r.Redacted)},
	}
	if r.Kept+r.Restored > 0 {
		fields = append(fields, field{"kept elsewhere", fmt.Sprintf("%d checkpoints agree", r.Kept)})
	}
	if r.Cut > 0 {
		fields = append(fields, field{"cut", fmt.Sprintf("%d of those that were given end before their signature, as after a crash: they prove nothing", r.Cut)})
	}
	if r.Restored > 0 {
		fields = append(fields, field{"restored", fmt.Sprintf("%d checkpoints are of what a restore has lost, as the record says", r.Restored)})
	}
	p.fields(fields...)
	if r.Sound() {
		return
	}
	p.table("Findings", "finding,file,what", rowsOf(r.Findings, func(f pack.Finding) []string { return []string{string(f.Kind), f.File, f.What} }))
}

// isPack reports whether a folder holds a pack, and no exported record.
func isPack(path string) bool { return exists(filepath.Join(path, pack.FileManifest)) }
