package provision_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/memory"
	"github.com/tenurehq/tenure/figures"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/reconcile"
	"github.com/tenurehq/tenure/reconcile/scan"
)

// outcome is a change that was done, or that came to need an operator.
type outcome struct {
	app, department string
	at              time.Time
	failed          bool
}

// strays puts accounts into apps that the test made itself: they are nobody's, whatever Tenure says.
func (w *town) strays(random *rand.Rand) {
	for app := range w.apps {
		if random.IntN(2) == 0 {
			w.apps[app].Put(connector.Account{Username: fmt.Sprintf("stray-%d", w.now.Unix()), Active: random.IntN(3) > 0})
		}
	}
}

// scans scans an app, and notes what it showed if it did to the end.
func (w *town) scans(app string) {
	w.t.Helper()
	opened, err := memory.Kind.Open(w.t.Context(), connector.Env{App: w.t.Name() + "/" + app}, nil)
	require.NoError(w.t, err)
	s := scan.Scanner{Ledger: w.engine.Ledger, Policy: w.engine.Policy, Clock: w.engine.Clock, Log: zap.NewNop(), Apps: map[string]scan.App{app: {
		Terms: reconcile.Terms{Shrink: 1, Grace: 1, Flapping: 3, Reactions: map[reconcile.Kind]reconcile.Reaction{reconcile.Orphan: reconcile.Ask}},
		Open:  func(context.Context) (connector.Connector, error) { return opened, nil },
	}}}
	key := w.now.String()
	progress, err := s.Go(w.t.Context(), app, key, func() {}, func([]string) {})
	if w.down[app] {
		require.Error(w.t, err)
		_, err = s.GiveUp(w.t.Context(), app, key)
		require.NoError(w.t, err)
		return
	}
	require.NoError(w.t, err)
	require.Equal(w.t, ledger.ScanDone, progress.State)
	shown := rate{app: app, at: w.now}
	for _, account := range w.apps[app].Accounts() {
		if account.Active {
			shown.whole++
			if account.ExternalID == "" {
				shown.part++
			}
		}
	}
	w.shown = append(w.shown, shown)
}

// rate is a share at an instant.
type rate struct {
	app         string
	at          time.Time
	part, whole int
}

// reviews holds a review that closes now, in which some items are decided by humans and the others
// by silence. The test draws who decides.
func (w *town) reviews(random *rand.Rand) {
	w.t.Helper()
	ctx, l, at := w.t.Context(), w.engine.Ledger, w.now
	r, err := l.BeginReview(ctx, ledger.Review{
		Name: "monthly", Key: at.String(), StartedBy: "olga", StartedAt: at, EndsAt: at.Add(time.Hour), LookAt: at, Terms: `{"name":"monthly"}`,
	})
	require.NoError(w.t, err)
	var items []ledger.FrozenItem
	for i := range 6 {
		item := ledger.FrozenItem{ReviewItem: ledger.ReviewItem{Key: fmt.Sprint("k", i), Kind: "access", App: []string{"mail", "wiki", ""}[i%3], Reviewer: "p0", Authority: "owner", Facts: []byte(`{}`)}}
		if item.App == "" {
			item.Kind, item.Role = "role", "engineers"
		}
		items = append(items, item)
	}
	_, err = l.FreezeReview(ctx, ledger.FrozenPage{Review: r.ID, Next: "end", Digest: "d", At: at, Items: items})
	require.NoError(w.t, err)
	r, err = l.OpenReview(ctx, ledger.ReviewOpening{Review: r.ID, At: at, Place: "end", LookAt: at})
	require.NoError(w.t, err)
	for i, item := range items {
		decided := rate{app: item.App, at: at, whole: 1}
		if random.IntN(3) > 0 {
			decided.part = 1
			_, err = l.DecideItem(ctx, ledger.ItemDecision{Review: r.ID, Item: int64(i) + 1, Verdict: ledger.VerdictKeep, By: "p0", Authority: "owner", Operator: "p0", Reason: "right", At: at})
			require.NoError(w.t, err)
		}
		w.decided = append(w.decided, decided)
	}
	r.State = ledger.ReviewClosing
	r, err = l.ChangeReview(ctx, ledger.ReviewChange{Review: r, At: at})
	require.NoError(w.t, err)
	_, err = l.DecideRest(ctx, ledger.RestDecision{Review: r.ID, Verdict: func(ledger.ReviewItem) ledger.ItemVerdict { return ledger.VerdictKeep }, At: at, Reason: "silence"}, 100)
	require.NoError(w.t, err)
	r.State, r.ClosedAt = ledger.ReviewClosed, at
	_, err = l.ChangeReview(ctx, ledger.ReviewChange{Review: r, At: at})
	require.NoError(w.t, err)
}

// dimensions lists every way in which figures can be told apart.
func dimensions() (all [][]figures.By) {
	for set := range 8 {
		var by []figures.By
		for i, one := range figures.Dimensions() {
			if set>>i&1 == 1 {
				by = append(by, one)
			}
		}
		all = append(all, by)
	}
	return all
}

// key is where something belongs, in words of the test's own.
func key(figure, app, department string, at time.Time, by []figures.By) string {
	if !slices.Contains(by, figures.ByApp) {
		app = ""
	}
	if !slices.Contains(by, figures.ByDepartment) {
		department = ""
	}
	month := ""
	if slices.Contains(by, figures.ByMonth) {
		month = at.Format("2006-01")
	}
	return fmt.Sprint(figure, "|", app, "|", department, "|", month)
}

// shares computes the three rates anew.
func (w *town) shares(by []figures.By) map[string][2]int {
	all := map[string][2]int{}
	add := func(at string, part, whole int) {
		all[at] = [2]int{all[at][0] + part, all[at][1] + whole}
	}
	for _, o := range w.outcomes {
		part := 0
		if o.failed {
			part = 1
		}
		add(key("provisioning_error_rate", o.app, o.department, o.at, by), part, 1)
	}
	for _, d := range w.decided {
		add(key("review_completion_rate", d.app, "", d.at, by), d.part, d.whole)
	}
	last := map[string]rate{} // of each app, or of each app and month
	for _, s := range w.shown {
		of := s.app
		if slices.Contains(by, figures.ByMonth) {
			of += s.at.Format(" 2006-01")
		}
		if was, ok := last[of]; !ok || s.at.After(was.at) {
			last[of] = s
		}
	}
	for _, s := range last {
		add(key("orphaned_account_rate", s.app, "", s.at, by), s.part, s.whole)
	}
	return all
}

// wholes computes anew until when all of somebody's accounts were turned for one cause: how many
// people, and half and 95 % of their times.
func wholes(saw []turned, by []figures.By) map[string][3]int64 {
	type one struct{ key, person, since string }
	longest := map[one]time.Duration{}
	for _, s := range saw {
		figure := "time_to_provision"
		if s.off {
			figure = "time_to_deprovision"
		}
		of := one{key(figure, "", s.department, s.since, by), s.person, s.since.String()}
		longest[of] = max(longest[of], s.at.Sub(s.since))
	}
	took := map[string][]time.Duration{}
	for of, d := range longest {
		took[of.key] = append(took[of.key], d)
	}
	all := map[string][3]int64{}
	for at, list := range took {
		slices.Sort(list)
		n := len(list)
		all[at] = [3]int64{int64(n), int64(list[(n+1)/2-1].Seconds()), int64(list[(n*95+99)/100-1].Seconds())}
	}
	return all
}

// requireFigures compares the figures of the product with those of the test, in every dimension.
func (w *town) requireFigures(from time.Time, saw []turned) {
	w.t.Helper()
	for _, by := range dimensions() {
		got, err := figures.Read(w.t.Context(), w.engine.Ledger, figures.Question{From: from, Until: w.now, Now: w.now, By: by})
		require.NoError(w.t, err)
		timed, shared, people := map[string]figures.Times{}, map[string][2]int{}, map[string][3]int64{}
		for _, f := range got {
			at := fmt.Sprint(f.Figure, "|", f.App, "|", f.Department, "|", f.Month)
			switch {
			case f.Times != nil:
				times := *f.Times
				people[at] = [3]int64{int64(times.People), times.PeopleMedian, times.PeopleP95}
				times.People, times.PeopleMedian, times.PeopleP95 = 0, 0, 0
				timed[at] = times
			default:
				shared[at] = [2]int{f.Part, f.Whole}
				if f.Whole > 0 {
					assert.InDelta(w.t, float64(f.Part)/float64(f.Whole), f.Share.Share, 1e-9)
				}
			}
		}
		assert.Equal(w.t, expected(saw, by), timed, "%v", by)
		assert.Equal(w.t, w.shares(by), shared, "%v", by)
		if !slices.Contains(by, figures.ByApp) {
			assert.Equal(w.t, wholes(saw, by), people, "%v", by)
		}
	}
}

// requireSomethingOfEach requires that there is something of each rate in more than one place, so that
// comparing says anything.
func (w *town) requireSomethingOfEach() {
	w.t.Helper()
	parts := map[string]int{}
	for at, share := range w.shares(figures.Dimensions()) {
		figure, _, _ := strings.Cut(at, "|")
		if share[0] > 0 && share[0] < share[1] {
			parts[figure]++
		}
	}
	for _, figure := range figures.Names()[2:] {
		assert.Greater(w.t, parts[string(figure)], 1, figure)
	}
}
