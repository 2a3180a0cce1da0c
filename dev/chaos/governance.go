package chaos

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tenurehq/tenure/dev/topology"
)

// governance asks for access, decides about it, has apps scanned and holds reviews, by the
// command line, while everything else is going on. What is asked for ends by itself after a
// moment, or stays until a review takes it.
type governance struct {
	people []string // who asks, one after the other
	next   int
	asks   bool      // false: nobody asks for more
	scan   time.Time // when apps are scanned next
	review time.Time // when a review is held next
}

const (
	// briefly is how long every other one has what they ask for. The others have it for longer
	// than the history lasts, and lose it by a review.
	briefly = "20s"
	longer  = "1h"

	drill = "this is a drill"
)

const (
	scanEvery   = 20 * time.Second
	reviewEvery = 30 * time.Second
)

// governed returns the governance of a company: everybody asks who is there in the end, but
// for the one who decides.
func governed(h *history) *governance {
	g := &governance{asks: true}
	for _, person := range slices.Sorted(maps.Keys(h.people)) {
		if h.people[person].Active && person != h.decider() {
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
		person, lasts := g.people[g.next%len(g.people)], []string{briefly, longer}[g.next%2]
		g.next++
		_, _ = t.Run(ctx, "request", "new", person, topology.RoleOnCall, "--for", lasts, "--reason", drill, "--apply")
	}
	g.decide(ctx, t)
	g.holds(ctx, t)
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
		_, _ = t.Run(ctx, "request", "approve", w.Request, "--as", shown.Deciders[0].Person, "--reason", drill, "--apply")
	}
}

// holds starts a review if none is open, and otherwise has one item decided and the review
// closed: silence decides the rest.
func (g *governance) holds(ctx context.Context, t *topology.Topology) {
	said, _ := t.Run(ctx, "review", "list", "-o", "json") // its exit status says that one is open
	var reviews []struct{ Review, State string }
	if json.Unmarshal(said, &reviews) != nil {
		return // it is away
	}
	under := false
	for _, r := range reviews {
		under = under || r.State != "closed"
		if r.State == "open" {
			g.revokeOne(ctx, t, r.Review)
			_, _ = t.Run(ctx, "review", "close", r.Review, "--reason", drill, "--apply")
		}
	}
	if !under && time.Now().After(g.review) && (g.asks || granted(ctx, t)) {
		g.review = time.Now().Add(reviewEvery)
		_, _ = t.Run(ctx, "review", "start", topology.ReviewDrill, "--reason", drill, "--apply")
	}
}

// granted reports whether somebody has what they have asked for.
func granted(ctx context.Context, t *topology.Topology) bool {
	said, err := t.Run(ctx, "exception", "list", "-o", "json")
	var open []struct{}
	return err == nil && json.Unmarshal(said, &open) == nil && len(open) > 0
}

// revokeOne has whoever is asked about the first item of a review decide about it.
func (g *governance) revokeOne(ctx context.Context, t *topology.Topology, review string) {
	said, _ := t.Run(ctx, "review", "show", review, "--open", "-o", "json")
	var shown struct {
		List []struct {
			Item     int64
			Reviewer string
		}
	}
	if json.Unmarshal(said, &shown) != nil || len(shown.List) == 0 || shown.List[0].Reviewer == "" {
		return
	}
	one := shown.List[0]
	_, _ = t.Run(ctx, "review", "decide", review, "revoke", strconv.FormatInt(one.Item, 10), "--as", one.Reviewer, "--reason", drill, "--apply")
}
