package worker

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/policy"
)

const (
	// censusEvery is how old the numbers may be. Without it, each scrape of each worker
	// would count the whole ledger.
	censusEvery = 15 * time.Second
	// censusShare bounds what counting costs a large ledger: it may take one part of so many of
	// the time.
	censusShare = 50
	// censusTimeout bounds how long counting may delay a scrape.
	censusTimeout = 5 * time.Second
	// endingWithin is how long before its end a hold counts as ending.
	endingWithin = 7 * 24 * time.Hour
	// page is the number of holds that are read at once.
	page = 500
)

// The descriptions of the numbers that are counted in the ledger: every worker exports
// the same.
var (
	linksDesc     = prometheus.NewDesc("tenure_accounts", "Accounts in the ledger, by app and state: planned, active, disabled, deleted.", []string{"app", "state"}, nil)
	attentionDesc = prometheus.NewDesc("tenure_attention_steps", "Steps that need attention, by app. Without an app: questions about what HR said, or about policy.", []string{"app"}, nil)
	retentionDesc = prometheus.NewDesc("tenure_retention_pending", "Disabled accounts of people who have left, kept until their retention ends, by app.", []string{"app"}, nil)
	approvalsDesc = prometheus.NewDesc("tenure_deletions_waiting", "Deletions that wait for an operator's approval, by app.", []string{"app"}, nil)
	holdsDesc     = prometheus.NewDesc("tenure_hold_people", "People under legal hold, of whom nothing is deleted, by state: ending (the last hold ends within a week), lasting.", []string{"state"}, nil)
	requestsDesc  = prometheus.NewDesc("tenure_requests", "Requests for roles that wait for somebody's word, by state: asked, confirming (an emergency), late (an emergency that nobody has confirmed or disputed in time).", []string{"state"}, nil)
	noticesDesc   = prometheus.NewDesc("tenure_notices", "Notices that wait to be sent, and those that could not be sent for a day, by state: waiting, failed.", []string{"state"}, nil)
	cohortsDesc   = prometheus.NewDesc("tenure_breaker_cohorts", "Mass changes that are held, by kind: each needs an operator's decision.", []string{"kind"}, nil)
	exceptionDesc = prometheus.NewDesc("tenure_exceptions", "Exceptions to policy that have not ended, by kind: grant, withhold, accept, waive.", []string{"kind"}, nil)
	overdueDesc   = prometheus.NewDesc("tenure_people_overdue", "People for whom something is due, by the ledger alone, without progress for longer than sweep.overdue.", nil, nil)
	heldDesc      = prometheus.NewDesc("tenure_breaker_held_people", "People with a held change, because too many were to lose access, or to be given more, at once.", []string{"kind"}, nil)
)

// The descriptions of what scans have found.
var (
	findingsDesc    = prometheus.NewDesc("tenure_findings", "What the last scans have found of accounts that differ from what Tenure knows, by app, kind, state (open: an operator is asked) and whether the account is on.", []string{"app", "kind", "state", "on"}, nil)
	findingAgeDesc  = prometheus.NewDesc("tenure_finding_age_seconds", "How long ago the oldest finding was found about which an operator is asked, by app and kind, by the product's clock.", []string{"app", "kind"}, nil)
	orphansDesc     = prometheus.NewDesc("tenure_orphaned_accounts", "Accounts that are nobody's, by app and whether they are on, by the last complete scan of the app; also those that are to end, or are kept until they are deleted.", []string{"app", "on"}, nil)
	orphanRateDesc  = prometheus.NewDesc("tenure_orphaned_account_ratio", "Enabled accounts that are nobody's among all enabled accounts of an app, by its last complete scan.", []string{"app"}, nil)
	scanEveryDesc   = prometheus.NewDesc("tenure_scan_every_seconds", "How often an app is to be scanned (reconcile.every).", []string{"app"}, nil)
	scanDoubtedDesc = prometheus.NewDesc("tenure_scan_doubted", "1 if the last scan of an app concluded nothing because its list was doubted or did not end, else 0.", []string{"app"}, nil)
	scanAgeDesc     = prometheus.NewDesc("tenure_scan_age_seconds", "Time since the last complete scan of an app that is to be scanned, by the product's clock; since the worker's start, if there was none.", []string{"app"}, nil)
)

// The descriptions of the numbers of licences, as the apps have said them lately. The label
// licence is the name of the entitlement.
var (
	seatsDesc   = licenceDesc("tenure_licence_seats", "Seats of a licence, as its app said at most two hours ago.")
	usedDesc    = licenceDesc("tenure_licence_used_seats", "Seats of a licence that somebody has.")
	freeDesc    = licenceDesc("tenure_licence_free_seats", "Seats of a licence that nobody has.")
	awaitedDesc = licenceDesc("tenure_licence_awaited_seats", "People who are to get a licence now or within apps.NAME.licences.ahead, and have none.")
	lowDesc     = licenceDesc("tenure_licence_low", "1 if fewer seats of a licence are free than apps.NAME.licences.warnBelow or than are awaited, else 0.")
)

func licenceDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, []string{"app", "licence"}, nil)
}

// census exports the numbers of accounts, steps, holds and people in the ledger as metrics.
type census struct {
	ledger interface {
		ledger.Census
		Cohorts(context.Context, ledger.CohortFilter) ([]ledger.Cohort, error)
		Holds(ctx context.Context, f ledger.HoldFilter, after int64, limit int) ([]ledger.Hold, error)
		Licences(ctx context.Context) ([]ledger.Licence, error)
		Requests(ctx context.Context, f ledger.RequestFilter, after int64, limit int) ([]ledger.Request, error)
		CountNotices(ctx context.Context, since time.Time) (ledger.NoticeCounts, error)
		LastScans(ctx context.Context) ([]ledger.Scan, error)
		CountFindings(ctx context.Context) ([]ledger.FindingCount, error)
		OrphanRates(ctx context.Context) ([]ledger.OrphanRate, error)
		Scans(ctx context.Context, app string, limit int) ([]ledger.Scan, error)
	}
	every   map[string]time.Duration // how often apps are to be scanned
	started time.Time                // when the worker started, by clock
	enough  func(app string) ledger.EnoughSeats
	clock   clock.Clock
	apps    []string
	overdue time.Duration // real time: see ledger.LateSince
	log     *zap.Logger

	mu     sync.Mutex
	at     time.Time
	took   time.Duration // to count
	counts counts
}

// counts holds the numbers of one moment.
type counts struct {
	ledger.Counts
	cohorts         []ledger.Cohort // open ones
	licences        []ledger.Licence
	scans           []ledger.Scan // the last of each app
	findings        []ledger.FindingCount
	orphans         []ledger.OrphanRate
	doubted         map[string]bool // apps whose last scan concluded nothing
	ending, lasting int             // people under legal hold
	requests        map[string]int
	notices         ledger.NoticeCounts
	overdue         int
}

// Describe implements prometheus.Collector.
func (c *census) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{linksDesc, attentionDesc, retentionDesc, approvalsDesc, exceptionDesc, holdsDesc, requestsDesc, noticesDesc, cohortsDesc, heldDesc, overdueDesc, seatsDesc, usedDesc, freeDesc, awaitedDesc, lowDesc, findingsDesc, findingAgeDesc, orphansDesc, orphanRateDesc, scanEveryDesc, scanDoubtedDesc, scanAgeDesc} {
		out <- d
	}
}

// Collect implements prometheus.Collector. While the ledger does not answer it exports no
// numbers, because old ones would look like new ones.
func (c *census) Collect(out chan<- prometheus.Metric) {
	counts, err := c.count()
	if err != nil {
		c.log.Warn("the ledger could not be counted, so this scrape lacks its numbers", zap.Error(err))
		return
	}
	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	apps := slices.Clone(c.apps) // and the apps that have left the configuration
	for app := range counts.Links {
		if !slices.Contains(apps, app) {
			apps = append(apps, app)
		}
	}
	gauge(attentionDesc, counts.Attention[""], "")
	for _, app := range apps {
		for _, state := range []ledger.LinkState{ledger.LinkPlanned, ledger.LinkActive, ledger.LinkDisabled, ledger.LinkDeleted} {
			gauge(linksDesc, counts.Links[app][state], app, string(state))
		}
		gauge(attentionDesc, counts.Attention[app], app)
		gauge(retentionDesc, counts.Retention[app], app)
		gauge(approvalsDesc, counts.Approvals[app], app)
	}
	for _, kind := range policy.ExceptionKinds() {
		gauge(exceptionDesc, counts.Exceptions[string(kind)], string(kind))
	}
	gauge(overdueDesc, counts.overdue)
	gauge(holdsDesc, counts.ending, "ending")
	gauge(holdsDesc, counts.lasting, "lasting")
	for _, state := range []string{requestAsked, requestConfirming, requestLate} {
		gauge(requestsDesc, counts.requests[state], state)
	}
	gauge(noticesDesc, counts.notices.Waiting, string(ledger.NoticeWaiting))
	gauge(noticesDesc, counts.notices.Failed, string(ledger.NoticeFailed))
	cohorts, held := map[ledger.WithdrawalKind]int{}, map[ledger.WithdrawalKind]int{}
	for _, one := range counts.cohorts {
		cohorts[one.Kind]++
		held[one.Kind] += one.Held
	}
	for _, kind := range ledger.WithdrawalKinds() {
		gauge(cohortsDesc, cohorts[kind], string(kind))
		gauge(heldDesc, held[kind], string(kind))
	}
	c.collectScans(out, counts)
	for _, l := range counts.licences {
		if !l.Known(time.Now()) || !slices.Contains(c.apps, l.App) {
			continue
		}
		low := 0
		if l.Low(c.enough(l.App)) {
			low = 1
		}
		for desc, n := range map[*prometheus.Desc]int{seatsDesc: l.Seats, usedDesc: l.Used, freeDesc: l.Free(), awaitedDesc: l.Awaited, lowDesc: low} {
			gauge(desc, n, l.App, l.Name)
		}
	}
}

// collectScans exports what scans have found, and how old they are.
func (c *census) collectScans(out chan<- prometheus.Metric, counts counts) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	now := c.clock.Now()
	type asked struct{ app, kind string }
	oldest := map[asked]float64{}
	for _, f := range counts.findings {
		gauge(findingsDesc, float64(f.N), f.App, string(f.Kind), string(f.State), strconv.FormatBool(f.Enabled))
		if f.State == ledger.FindingOpen {
			key := asked{f.App, string(f.Kind)}
			oldest[key] = max(oldest[key], now.Sub(f.Oldest).Seconds())
		}
	}
	for key, age := range oldest {
		gauge(findingAgeDesc, age, key.app, key.kind)
	}
	for _, r := range counts.orphans {
		gauge(orphansDesc, float64(r.Orphans), r.App, "true")
		gauge(orphansDesc, float64(r.Off), r.App, "false")
		gauge(orphanRateDesc, r.Share(), r.App)
	}
	for app, every := range c.every {
		if every <= 0 {
			continue
		}
		doubted := 0.0
		if counts.doubted[app] {
			doubted = 1
		}
		gauge(scanDoubtedDesc, doubted, app)
		gauge(scanEveryDesc, every.Seconds(), app)
		last := c.started
		for _, s := range counts.scans {
			if s.App == app {
				last = s.EndedAt
			}
		}
		gauge(scanAgeDesc, now.Sub(last).Seconds(), app)
	}
}

// doubts returns the apps whose last scan that has ended concluded nothing.
func (c *census) doubts(ctx context.Context) (map[string]bool, error) {
	doubted := map[string]bool{}
	for app, every := range c.every {
		if every <= 0 {
			continue
		}
		scans, err := c.ledger.Scans(ctx, app, 3) // one may be under way, and another abandoned for it
		if err != nil {
			return nil, err
		}
		for _, s := range scans {
			if s.State.Unfinished() || s.State == ledger.ScanAbandoned {
				continue
			}
			doubted[app] = s.State != ledger.ScanDone
			break
		}
	}
	return doubted, nil
}

func (c *census) count() (counts, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) < max(censusEvery, censusShare*c.took) {
		return c.counts, nil
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), censusTimeout)
	defer cancel()
	counted, err := c.ledger.Count(ctx)
	if err != nil {
		return counts{}, err
	}
	open, err := c.ledger.Cohorts(ctx, ledger.CohortFilter{Open: true})
	if err != nil {
		return counts{}, err
	}
	now := counts{Counts: counted, cohorts: open}
	if now.notices, err = c.ledger.CountNotices(ctx, c.clock.Now()); err != nil {
		return counts{}, err
	}
	if now.ending, now.lasting, err = c.held(ctx); err != nil {
		return counts{}, err
	}
	if now.requests, err = c.waiting(ctx); err != nil {
		return counts{}, err
	}
	if now.overdue, err = c.ledger.Overdue(ctx, ledger.LateSince(c.clock, c.overdue)); err != nil {
		return counts{}, err
	}
	if now.licences, err = c.ledger.Licences(ctx); err != nil {
		return counts{}, err
	}
	if now.scans, err = c.ledger.LastScans(ctx); err != nil {
		return counts{}, err
	}
	if now.findings, err = c.ledger.CountFindings(ctx); err != nil {
		return counts{}, err
	}
	if now.orphans, err = c.ledger.OrphanRates(ctx); err != nil {
		return counts{}, err
	}
	if now.doubted, err = c.doubts(ctx); err != nil {
		return counts{}, err
	}
	c.counts, c.at, c.took = now, time.Now(), time.Since(began)
	return c.counts, nil
}

// held counts the people under legal hold, by when the last hold of each ends.
func (c *census) held(ctx context.Context) (ending, lasting int, err error) {
	now := c.clock.Now()
	holds := map[string][]ledger.Hold{}
	for after := int64(0); ; {
		some, err := c.ledger.Holds(ctx, ledger.HoldFilter{InForce: now}, after, page)
		if err != nil {
			return 0, 0, err
		}
		for _, h := range some {
			holds[h.PersonID] = append(holds[h.PersonID], h)
			after = h.ID
		}
		if len(some) < page {
			break
		}
	}
	for _, theirs := range holds {
		if ledger.HeldUntil(theirs).After(now.Add(endingWithin)) {
			lasting++
		} else {
			ending++
		}
	}
	return ending, lasting, nil
}

// The states of requests that are counted.
const (
	requestAsked      = string(ledger.RequestAsked)
	requestConfirming = string(ledger.RequestConfirming)
	requestLate       = "late"
)

// waiting counts the requests that wait for somebody's word, by state.
func (c *census) waiting(ctx context.Context) (map[string]int, error) {
	now, states := c.clock.Now(), map[string]int{}
	for r, err := range ledger.AllRequests(ctx, c.ledger, ledger.RequestFilter{
		States: []ledger.RequestState{ledger.RequestAsked, ledger.RequestConfirming},
	}, 0) {
		switch {
		case err != nil:
			return nil, err
		case r.State == ledger.RequestConfirming && !r.ExpiresAt.After(now):
			states[requestLate]++
		default:
			states[string(r.State)]++
		}
	}
	return states, nil
}
