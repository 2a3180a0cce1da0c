package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tenurehq/tenure/dev/topology"
	"github.com/tenurehq/tenure/ledger"
)

// governance asks for access, decides about it and has apps scanned, by the command line,
// while everything else is going on. What it asks for ends by itself after a moment.
type governance struct {
	people []string // who asks, one after the other
	next   int
	asks   bool      // false: nobody asks for more
	scan   time.Time // when apps are scanned next
}

const (
	// onCallFor is how long somebody has what they ask for.
	onCallFor = "20s"
	scanEvery = 20 * time.Second
)

// governed returns the governance of a company: everybody asks who is there in the end.
func governed(h *history) *governance {
	g := &governance{asks: true}
	for _, person := range slices.Sorted(maps.Keys(h.people)) {
		if h.people[person].Active {
			g.people = append(g.people, person)
		}
	}
	return g
}

// decider returns who decides where nobody else can: somebody who is there in the end.
func (h *history) decider() string {
	for _, person := range slices.Sorted(maps.Keys(h.people)) {
		if h.people[person].Active {
			return person
		}
	}
	return ""
}

// turn does what is to be done now. What fails is tried again in the next turn: most of the
// time something that it needs is away, and who is not hired yet cannot ask.
func (g *governance) turn(ctx context.Context, t *topology.Topology) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if g.asks && len(g.people) > 0 {
		person := g.people[g.next%len(g.people)]
		g.next++
		_, _ = t.Run(ctx, "request", "new", person, topology.RoleOnCall, "--for", onCallFor, "--reason", "this is a drill", "--apply")
	}
	g.decide(ctx, t)
	if time.Now().Before(g.scan) {
		return
	}
	g.scan = time.Now().Add(scanEvery)
	for _, app := range []string{topology.AppDirectory, topology.AppWiki} {
		_, _ = t.Run(ctx, "app", "scan", app)
	}
}

// decide approves what waits for somebody's word.
func (g *governance) decide(ctx context.Context, t *topology.Topology) {
	said, _ := t.Run(ctx, "request", "list", "-o", "json") // its exit status says that one waits
	var waiting []struct{ Request string }
	if json.Unmarshal(said, &waiting) != nil {
		return // it is away
	}
	for _, w := range waiting {
		said, _ := t.Run(ctx, "request", "show", w.Request, "-o", "json")
		var shown struct{ Deciders []struct{ Person string } }
		if json.Unmarshal(said, &shown) != nil || len(shown.Deciders) == 0 {
			continue
		}
		_, _ = t.Run(ctx, "request", "approve", w.Request, "--as", shown.Deciders[0].Person, "--reason", "this is a drill", "--apply")
	}
}

// judgeRequests checks that each request came to an end, that who was given something has
// lost it when its time was over, and that nothing was given twice.
func (v *verdict) judgeRequests(ctx context.Context, store ledger.Ledger) error {
	granted := map[string]int{} // by request
	for x, err := range ledger.AllExceptions(ctx, store, ledger.ExceptionFilter{}, 0) {
		if err != nil {
			return err
		}
		granted[x.Origin]++
		if x.EndedAt.IsZero() {
			v.wrongly("ledger: x-%d (%s) of person %s has not ended", x.ID, x.Origin, x.PersonID)
		}
	}
	for r, err := range ledger.AllRequests(ctx, store, ledger.RequestFilter{}, 0) {
		if err != nil {
			return err
		}
		name := fmt.Sprintf("r-%d", r.ID)
		switch {
		case r.Undecided():
			v.lose("ledger: %s of person %s is not decided", name, r.PersonID)
		case r.State == ledger.RequestApproved && granted[name] == 0:
			v.lose("ledger: %s of person %s was approved, and nothing was given", name, r.PersonID)
		case granted[name] > 1:
			v.twice("ledger: %s of person %s was given %d times", name, r.PersonID, granted[name])
		}
		if !r.ProvenAt.IsZero() {
			v.granted++
		}
		delete(granted, name)
	}
	for origin := range granted {
		v.wrongly("ledger: something was given by %q, for which nobody has asked", origin)
	}
	return nil
}

// judgeScans checks that no scan is left behind, and that the last ones found nothing: no
// account differs from what Tenure knows.
func (v *verdict) judgeScans(ctx context.Context, store ledger.Ledger) error {
	for _, app := range []string{topology.AppDirectory, topology.AppWiki} {
		scans, err := store.Scans(ctx, app, 1000)
		if err != nil {
			return err
		}
		for i, s := range scans {
			switch {
			case s.State == ledger.ScanDone:
				v.scans++
			case s.State.Unfinished() && i > 0: // the newest may be under way
				v.lose("ledger: scan %d of %s has not ended", s.ID, app)
			}
		}
	}
	for f, err := range ledger.AllFindings(ctx, store, ledger.FindingFilter{}) {
		if err != nil {
			return err
		}
		v.wrongly("ledger: f-%d: %s %s %s of account %s is %s", f.ID, f.App, f.Kind, f.What, f.AccountID, f.State)
	}
	return nil
}
