package figures_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tenurehq/tenure/figures"
	"github.com/tenurehq/tenure/ledger"
)

var march = time.Date(2027, time.March, 1, 0, 0, 0, 0, time.UTC)

// row returns the row of an account that was turned on or off after some time.
func row(person, app string, off bool, since time.Time, took time.Duration) ledger.AuditRow {
	state := ledger.LinkActive
	if off {
		state = ledger.LinkDisabled
	}
	return ledger.AuditRow{
		At: since.Add(took), PersonID: person, App: app, Action: "any", Actor: ledger.ActorTenure,
		Detail: map[string]any{
			ledger.DetailSince: since.Format(time.RFC3339Nano), ledger.DetailState: string(state), ledger.DetailHas: []any{},
			ledger.DetailDepartment: "Sales",
		},
	}
}

// of returns the figures of that name.
func of(all []figures.Figure, name figures.Name) (some []figures.Figure) {
	for _, f := range all {
		if f.Figure == name {
			some = append(some, f)
		}
	}
	return some
}

func question(by ...figures.By) figures.Question {
	return figures.Question{From: march, Until: march.AddDate(0, 1, 0), Now: march.AddDate(0, 2, 0), By: by}
}

func TestMediansAreNotMeans(t *testing.T) {
	c := figures.New(question())
	for i := range 99 {
		c.Row(row(fmt.Sprint(i), "wiki", true, march, time.Minute))
	}
	c.Row(row("late", "wiki", true, march, 20*24*time.Hour))
	f := of(c.Figures(), figures.TimeToDeprovision)[0]
	assert.Equal(t, figures.Times{
		Count: 100, Median: 60, P95: 60, Longest: 20 * 24 * 3600, Within: 99, Late: 1,
		People: 100, PeopleMedian: 60, PeopleP95: 60,
	}, *f.Times)
}

// A person who waits for the last of several accounts has waited that long.
func TestPeopleWaitForTheLastAccount(t *testing.T) {
	c := figures.New(question())
	c.Waiting(ledger.Summary{PersonID: "eve", Waits: map[string]ledger.Wait{"wiki": {Off: true, Since: march}}})
	c.Row(row("ada", "wiki", true, march, time.Minute))
	c.Row(row("ada", "mail", true, march, time.Hour))
	c.Row(row("eve", "mail", true, march, time.Second))
	f := of(c.Figures(), figures.TimeToDeprovision)[0]
	assert.Equal(t, []any{3, int64(60), 1, int64(3600)}, []any{f.Count, f.Median, f.People, f.PeopleMedian}, "eve has an account that is on")
	c = figures.New(question(figures.ByApp))
	c.Row(row("ada", "wiki", true, march, time.Minute))
	assert.Zero(t, of(c.Figures(), figures.TimeToDeprovision)[0].People)
}

// What is not done is not forgotten: the month in which the clock started counts.
func TestWhatIsNotDoneCounts(t *testing.T) {
	c := figures.New(question(figures.ByMonth))
	c.Waiting(ledger.Summary{PersonID: "bob", Department: "Sales", Waits: map[string]ledger.Wait{
		"wiki": {Off: true, Since: march.Add(time.Hour)}, "mail": {Off: true, Since: march.Add(-time.Hour)},
	}})
	c.Waiting(ledger.Summary{PersonID: "orphan:f-9", Waits: map[string]ledger.Wait{"wiki": {Off: true, Since: march}}})
	c.Row(row("ada", "wiki", true, march.AddDate(0, 1, 0).Add(-time.Second), 48*time.Hour)) // done in April
	c.Row(row("eve", "wiki", true, march.AddDate(0, 1, 0), time.Hour))                      // of April
	all := of(c.Figures(), figures.TimeToDeprovision)
	assert.Len(t, all, 1)
	assert.Equal(t, []any{"2027-03", 1, 0, 2, 1}, []any{all[0].Month, all[0].Count, all[0].Within, all[0].Late, all[0].Open})
	assert.Equal(t, int64(march.AddDate(0, 2, 0).Sub(march.Add(time.Hour)).Seconds()), all[0].Oldest)

	c = figures.New(question())
	c.Waiting(ledger.Summary{PersonID: "bob", Waits: map[string]ledger.Wait{"wiki": {Off: true, Since: march}}})
	c.Row(row("bob", "wiki", true, march, time.Hour))
	assert.Zero(t, of(c.Figures(), figures.TimeToDeprovision)[0].Open, "it is done meanwhile")
}

func TestWhatIsSplitOutIsCountedToo(t *testing.T) {
	c := figures.New(question())
	held, byHand := row("ada", "wiki", true, march, time.Hour), row("bob", "phones", true, march, 2*time.Hour)
	held.Detail[ledger.DetailCohort], byHand.Actor = "c-1", "mary"
	c.Row(held)
	c.Row(byHand)
	f := of(c.Figures(), figures.TimeToDeprovision)[0]
	assert.Equal(t, []int{2, 1, 1}, []int{f.Count, f.Held, f.ByHand})
}

func TestErrorsAreCountedAmongChanges(t *testing.T) {
	asks := ledger.AuditRow{At: march, PersonID: "ada", App: "wiki", Action: ledger.AuditNeedsAttention, Detail: map[string]any{ledger.DetailDepartment: "Sales"}}
	c := figures.New(question(figures.ByApp, figures.ByDepartment))
	c.Row(asks)
	for range 3 {
		c.Row(row("ada", "wiki", false, march, time.Hour))
	}
	c.Row(ledger.AuditRow{At: march, PersonID: "ada", App: "wiki", Action: "retry", Actor: "ops"})
	late := asks
	late.At = march.AddDate(0, 1, 0)
	c.Row(late)
	f := of(c.Figures(), figures.ProvisioningErrors)
	assert.Equal(t, []figures.Figure{{Figure: figures.ProvisioningErrors, App: "wiki", Department: "Sales", Share: &figures.Share{Part: 1, Whole: 4, Share: 0.25}}}, f)
}

// Only the last complete scan of each app counts, and of each month if months are told apart.
func TestTheLastScanCounts(t *testing.T) {
	scans := []ledger.OrphanRate{
		{App: "chat", At: march, Accounts: 10, Orphans: 5}, {App: "wiki", At: march, Accounts: 10, Orphans: 9},
		{App: "wiki", At: march.AddDate(0, 0, 1), Accounts: 30, Orphans: 1}, {App: "wiki", At: march.AddDate(0, 1, 0), Accounts: 1, Orphans: 1},
	}
	for by, want := range map[figures.By][]figures.Share{"": {{Part: 6, Whole: 40, Share: 0.15}}, figures.ByApp: {{Part: 5, Whole: 10, Share: 0.5}, {Part: 1, Whole: 30, Share: 1.0 / 30}}} {
		q := question()
		if by != "" {
			q.By = []figures.By{by}
		}
		c := figures.New(q)
		for _, s := range scans {
			c.Orphans(s)
		}
		var got []figures.Share
		for _, f := range of(c.Figures(), figures.OrphanedAccounts) {
			got = append(got, *f.Share)
		}
		assert.Equal(t, want, got, "%s", by)
	}
}

func TestSilenceIsNoDecision(t *testing.T) {
	c := figures.New(question())
	closed := ledger.Review{ClosedAt: march}
	for _, i := range []ledger.ReviewItem{
		{DecidedBy: "kim", Decision: ledger.VerdictKeep}, {DecidedBy: "kim", Decision: ledger.VerdictRevoke},
		{DecidedBy: ledger.ReviewNobody, Decision: ledger.VerdictRevoke}, {Decision: ledger.VerdictMoot}, {},
	} {
		c.Item(closed, i)
	}
	assert.Equal(t, figures.Share{Part: 2, Whole: 4, Share: 0.5}, *of(c.Figures(), figures.ReviewCompletion)[0].Share)
}
