package evidence

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/tenurehq/tenure/audit"
	"github.com/tenurehq/tenure/audit/pack"
	"github.com/tenurehq/tenure/figures"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

// Scope says what a pack is about: one person, one review, or all people in a time.
type Scope struct {
	Person string `json:"person,omitempty"`
	Review string `json:"review,omitempty"` // its name: "v-3"
	App    string `json:"app,omitempty"`    // only this app; empty: all
	// From and Until bound the time: at or after From, and before Until. They are zero if it is
	// about a person or a review, which means all of the record.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// holds reports whether an instant is in the scope's time.
func (s Scope) holds(at time.Time) bool {
	return !at.IsZero() && !at.Before(s.From) && (s.Until.IsZero() || at.Before(s.Until))
}

// of reports whether something of an app is in the scope. What is of no app always is.
func (s Scope) of(app string) bool { return s.App == "" || app == "" || s.App == app }

// everybody reports whether the scope is a time, and not a person or a review.
func (s Scope) everybody() bool { return s.Person == "" && s.Review == "" }

// Folder is where a pack is written.
type Folder interface {
	Create(name string) (io.WriteCloser, error)
	Open(name string) (io.ReadCloser, error)
}

// Maker makes packs. All fields are needed, except Signers, Version and Configuration.
type Maker struct {
	Ledger ledger.Reader
	Policy *policy.Policy
	Now    time.Time
	By     string         // who asks for it
	Log    string         // name of the audit record's log
	Within time.Duration  // within which access is to be given and taken
	Zone   *time.Location // of days and months
	Apps   []string       // that are configured, by name
	Fresh  time.Duration  // how old the last complete scan of an app may be
	// Signers sign the manifest; without one nothing is signed.
	Signers       []note.Signer
	Version       string // of Tenure
	Configuration string // digest of the configuration
}

// About is what pack.json says: what was asked for, and what is in the pack.
type About struct {
	Log           string    `json:"log"`
	Size          int64     `json:"size"` // of the log, up to the checkpoint
	Root          string    `json:"root"` // in hexadecimal
	Checkpoint    time.Time `json:"checkpoint,omitzero"`
	At            time.Time `json:"at"` // when the pack was made
	By            string    `json:"by"`
	Scope         Scope     `json:"scope"`
	WithinSeconds int64     `json:"withinSeconds"`
	Zone          string    `json:"zone"`
	Version       string    `json:"version,omitempty"`
	Configuration string    `json:"configuration,omitempty"`
	Signed        bool      `json:"signed"`
	Files         []Listed  `json:"files"`
}

// Listed is a file of JSON lines.
type Listed struct {
	Name  string `json:"name"`
	What  string `json:"what"`
	Lines int    `json:"lines"`
}

// Made is what became of a pack.
type Made struct {
	About
	Manifest string  `json:"manifest"` // SHA-256 of it, in hexadecimal
	Rows     int64   `json:"rows"`
	Checks   []Check `json:"checks"`
}

// The files that evidence adds to those of every pack.
const (
	fileAbout  = "pack.json"
	filePage   = "evidence.html"
	fileTieOut = "tieout.jsonl"
)

// files lists the files of JSON lines in the order in which the page shows them, with what they
// hold.
var files = []struct{ name, what string }{
	{fileTieOut, "is it all? What was counted in one place against what was counted in another"},
	{"figures.jsonl", "the five figures"},
	{"turns.jsonl", "the rows behind the figures: each account that was turned on or off, and each change that was done or needed an operator"},
	{"leavers.jsonl", "everybody who left, with HR's record"},
	{"leavers-access.jsonl", "for each leaver and app: what was to be done, and its proofs"},
	{"joiners.jsonl", "everybody who joined, with HR's record"},
	{"joiners-access.jsonl", "for each joiner and app: why they got access, and when it was proven"},
	{"movers.jsonl", "everybody whose position changed, with HR's record"},
	{"movers-access.jsonl", "what was given and taken because of that"},
	{"events.jsonl", "every event of HR, and what came of it"},
	{"letters.jsonl", "records of HR that could not be read"},
	{"tasks.jsonl", "what humans were asked to do in apps, and said that they did"},
	{"requests.jsonl", "requests for access, with everybody who was asked and what they said"},
	{"exceptions.jsonl", "exceptions to policy: grants, withholdings, acceptances and waivers"},
	{"duties.jsonl", "rules of separation of duties"},
	{"findings.jsonl", "what scans found to differ from the record"},
	{"reviews.jsonl", "reviews of access"},
	{"review-items.jsonl", "every item of these reviews, and who decided what, why"},
	{"review-accesses.jsonl", "what these items are about: each account and entitlement, and when it was gone"},
	{"scans.jsonl", "the last complete scan of each app"},
	{"accounts.jsonl", "every account that the app showed in that scan"},
}

// maker makes one pack.
type maker struct {
	Maker
	Scope
	ctx     context.Context //nolint:containedctx // lives exactly as long as the making of a pack
	folder  Folder
	out     *pack.Writer
	open    map[string]*listing
	lines   map[string]int
	beyond  map[int64]bool // rows outside of the scope's time that the evidence names
	rows    rowCount
	streams map[stream]offsets
	effects map[string]int // events by what came of them
	tally   tally
	cohorts map[int64]ledger.Cohort
	scanned []Scan
	checks  []Check
	people  map[string]bool // whose rows belong to the pack of a person
}

// listing is a file of JSON lines that is being written.
type listing struct {
	to      io.WriteCloser
	encoder *json.Encoder
}

// Make makes a pack in a folder that is empty.
func (m Maker) Make(ctx context.Context, scope Scope, folder Folder) (Made, error) {
	k := &maker{
		Maker: m, Scope: scope, ctx: ctx, folder: folder, out: &pack.Writer{Create: folder.Create},
		open: map[string]*listing{}, lines: map[string]int{}, beyond: map[int64]bool{}, streams: map[stream]offsets{},
		effects: map[string]int{}, people: map[string]bool{},
	}
	k.Now = k.Now.UTC().Truncate(time.Microsecond)
	for _, step := range []func() error{k.readCohorts, k.readPeople, k.readIntake, k.readGovernance, k.readReviews, k.readScans, k.readFigures} {
		if err := step(); err != nil {
			return Made{}, errors.Join(err, k.closeAll())
		}
	}
	return k.seal()
}

// seal writes the rows of the record, what ties out, the page and the manifest.
func (k *maker) seal() (made Made, err error) {
	var checkpoint audit.Checkpoint
	err = k.Ledger.ReadRecord(k.ctx, func(s audit.Source) (err error) {
		if k.rows.begun { // the files are there already
			return errors.New("the connection broke meanwhile: make the pack again, in another folder")
		}
		k.rows.begun = true
		if k.rows.waiting, err = s.Waiting(k.ctx); err != nil {
			return err
		}
		checkpoint, err = k.out.Rows(k.ctx, s, k.wanted)
		return err
	})
	if err != nil {
		return Made{}, errors.Join(err, k.closeAll())
	}
	about := About{
		Log: k.Log, Size: checkpoint.Size, Root: fmt.Sprintf("%x", checkpoint.Root[:]), Checkpoint: checkpoint.At, At: k.Now, By: k.By, Scope: k.Scope,
		WithinSeconds: int64(k.Within.Seconds()), Zone: k.Zone.String(), Version: k.Version, Configuration: k.Configuration, Signed: len(k.Signers) > 0,
	}
	if err := errors.Join(k.tieOut(checkpoint.Size), k.closeAll()); err != nil {
		return Made{}, err
	}
	for _, f := range files {
		if n, there := k.lines[f.name]; there {
			about.Files = append(about.Files, Listed{f.name, f.what, n})
		}
	}
	text, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		return Made{}, err
	}
	if err := errors.Join(k.out.Write(fileAbout, append(text, '\n')), k.page(about)); err != nil {
		return Made{}, err
	}
	manifest, err := k.out.Seal(k.Log, k.Now, k.Signers...)
	return Made{About: about, Manifest: digest(manifest), Rows: k.rows.taken, Checks: k.checks}, err
}

// emit adds a line to a file.
func (k *maker) emit(name string, line any) error {
	l, err := k.listing(name)
	if err != nil {
		return err
	}
	k.lines[name]++
	return l.encoder.Encode(line)
}

// listing returns a file, which is made if it is not there.
func (k *maker) listing(name string) (*listing, error) {
	if l, there := k.open[name]; there {
		return l, nil
	}
	to, err := k.out.File(name)
	if err != nil {
		return nil, err
	}
	l := &listing{to, json.NewEncoder(to)}
	l.encoder.SetEscapeHTML(false)
	k.open[name] = l
	if _, there := k.lines[name]; !there {
		k.lines[name] = 0
	}
	return l, nil
}

// closeAll closes the files.
func (k *maker) closeAll() error {
	var errs []error
	for _, l := range k.open {
		errs = append(errs, l.to.Close())
	}
	clear(k.open)
	return errors.Join(errs...)
}

// lines yields the lines of a file that was written.
func lines[T any](folder Folder, name string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		f, err := folder.Open(name)
		if err != nil {
			yield(none, err)
			return
		}
		defer func() { _ = f.Close() }() // it was read
		d := json.NewDecoder(bufio.NewReader(f))
		for d.More() {
			var line T
			if err := d.Decode(&line); err != nil {
				yield(none, err)
				return
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// cite notes the rows of the record that a line names. Rows of the scope's time are in the pack
// anyway.
func (k *maker) cite(rows ...ledger.AuditRow) []int64 {
	seqs := make([]int64, 0, len(rows))
	for _, r := range rows {
		if r.Seq == 0 {
			continue
		}
		if !k.holds(r.At) {
			k.beyond[r.Seq] = true
		}
		seqs = append(seqs, r.Seq)
	}
	return seqs
}

// rowCount counts the rows of the record.
type rowCount struct {
	begun       bool
	first, last int64 // leaves of the scope's time; first is -1 if there are none
	taken       int64 // rows in the pack
	inTime      int64 // rows of the scope's time
	waiting     int64 // rows that have no leaf
}

// wanted reports whether a row belongs to the pack.
func (k *maker) wanted(e audit.Entry) bool {
	row := *e.Row
	in := k.beyond[row.Seq]
	switch {
	case k.Person != "":
		in = in || k.people[row.Person]
	case k.Review != "":
		in = in || row.Key == "review:"+k.Review || strings.HasPrefix(row.Key, "review:"+k.Review+"/")
	case k.holds(time.UnixMicro(row.At)):
		if k.rows.inTime == 0 {
			k.rows.first = e.N
		}
		k.rows.inTime++
		k.rows.last = e.N
		in = in || k.of(row.App)
	}
	if in {
		k.rows.taken++
	}
	return in
}

// readCohorts reads the mass changes that were held.
func (k *maker) readCohorts() error {
	all, err := k.Ledger.Cohorts(k.ctx, ledger.CohortFilter{})
	k.cohorts = map[int64]ledger.Cohort{}
	for _, c := range all {
		k.cohorts[c.ID] = c
	}
	return err
}

// readFigures computes the five figures, and lists the rows behind them.
func (k *maker) readFigures() error {
	if !k.everybody() {
		return nil
	}
	q := figures.Question{From: k.From, Until: k.Until, Now: k.Now, App: k.App, Within: k.Within, Zone: k.Zone}
	for _, by := range [][]figures.By{nil, {figures.ByApp}, {figures.ByMonth}} {
		q.By = by
		all, err := figures.Read(k.ctx, k.Ledger, q)
		if err != nil {
			return err
		}
		for _, f := range all {
			if by != nil && f.App == "" && f.Month == "" {
				continue
			}
			if err := k.emit("figures.jsonl", f); err != nil {
				return err
			}
		}
	}
	for row, err := range ledger.AllAuditSince(k.ctx, k.Ledger, k.From) {
		if err != nil {
			return err
		}
		if t, ok := k.turnOf(row); ok {
			if err := k.emit("turns.jsonl", t); err != nil {
				return err
			}
		}
	}
	return nil
}

// Turn is a row behind the figures.
type Turn struct {
	Row        int64     `json:"row"`
	Figure     string    `json:"figure"`
	Person     string    `json:"person"`
	App        string    `json:"app"`
	Department string    `json:"department,omitempty"`
	Since      time.Time `json:"since,omitzero"`
	At         time.Time `json:"at"`
	Seconds    int64     `json:"seconds,omitempty"`
	Held       bool      `json:"held,omitempty"`
	ByHand     bool      `json:"byHand,omitempty"`
	Failed     bool      `json:"failed,omitempty"` // a change that came to need an operator
}

// turnOf returns what a row adds to a figure.
func (k *maker) turnOf(row ledger.AuditRow) (Turn, bool) {
	if row.App == "" || !k.of(row.App) {
		return Turn{}, false
	}
	if t, ok := figures.TurnOf(row); ok && !ledger.IsOrphan(t.Person) && k.holds(t.Since) {
		k.cite(row)
		name := figures.TimeToProvision
		if t.Off {
			name = figures.TimeToDeprovision
		}
		return Turn{
			Row: row.Seq, Figure: string(name), Person: t.Person, App: t.App, Department: t.Department, Since: t.Since, At: t.At,
			Seconds: seconds(t.At.Sub(t.Since)), Held: t.Held, ByHand: t.ByHand,
		}, true
	}
	if row.Action == ledger.AuditNeedsAttention && k.holds(row.At) {
		return Turn{Row: row.Seq, Figure: string(figures.ProvisioningErrors), Person: row.PersonID, App: row.App, At: row.At, Failed: true}, true
	}
	return Turn{}, false
}

// seconds rounds up, as figures do.
func seconds(d time.Duration) int64 {
	return int64((max(d, 0) + time.Second - 1) / time.Second)
}

// byTime sorts rows by time, and then by number.
func byTime(rows []ledger.AuditRow) {
	slices.SortStableFunc(rows, func(a, b ledger.AuditRow) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Seq, b.Seq)) })
}

// nameOf returns the name by which somebody is called.
func nameOf(s ledger.Summary) string { return strings.TrimSpace(s.GivenName + " " + s.FamilyName) }
