package worker

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/clock"
	"github.com/tenurehq/tenure/figures"
)

const (
	// figuresEvery is how old figures may be, since they read the record of a month.
	figuresEvery = 5 * time.Minute
	// figuresWait bounds how long computing figures delays a scrape. The next scrape has them.
	figuresWait = 3 * time.Second
	// figuresTimeout bounds how long computing may take.
	figuresTimeout = 2 * time.Minute
	// figuresDays is of how many days back metrics show figures.
	figuresDays = 30
)

var (
	figureSecondsDesc  = prometheus.NewDesc("tenure_figure_seconds", "Of the last 30 days, how long it took to turn accounts on or off, by figure (time_to_provision, time_to_deprovision), app and of (median, p95): see docs/figures.md.", []string{"figure", "app", "of"}, nil)
	figureAccountsDesc = prometheus.NewDesc("tenure_figure_accounts", "Of the last 30 days, accounts to be turned on or off, by figure, app and whether that was done within a day (within), was not (late), or is not done yet (open; also late if its day is over).", []string{"figure", "app", "state"}, nil)
	figureRatioDesc    = prometheus.NewDesc("tenure_figure_ratio", "Of the last 30 days, a share, by figure (orphaned_account_rate, review_completion_rate, provisioning_error_rate) and app; without an app for reviews.", []string{"figure", "app"}, nil)
)

// figured exports the five figures, of the last 30 days.
type figured struct {
	ledger figures.Reader
	clock  clock.Clock
	log    *zap.Logger

	mu      sync.Mutex
	at      time.Time // when they were computed or, if that failed, when it was tried
	latest  []figures.Figure
	running chan struct{} // closed when the computation that runs has ended; nil if none runs
}

// Describe implements prometheus.Collector.
func (c *figured) Describe(out chan<- *prometheus.Desc) {
	out <- figureSecondsDesc
	out <- figureAccountsDesc
	out <- figureRatioDesc
}

// Collect implements prometheus.Collector. It exports nothing while figures cannot be computed,
// because old ones would look like new ones.
func (c *figured) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	var reviewed figures.Share
	for _, f := range c.now() {
		name := string(f.Figure)
		switch {
		case f.Times != nil:
			gauge(figureSecondsDesc, float64(f.Median), name, f.App, "median")
			gauge(figureSecondsDesc, float64(f.P95), name, f.App, "p95")
			gauge(figureAccountsDesc, float64(f.Within), name, f.App, "within")
			gauge(figureAccountsDesc, float64(f.Late), name, f.App, "late")
			gauge(figureAccountsDesc, float64(f.Open), name, f.App, "open")
		case f.Figure == figures.ReviewCompletion:
			reviewed.Part += f.Part
			reviewed.Whole += f.Whole
		case f.Whole > 0:
			gauge(figureRatioDesc, f.Share.Share, name, f.App)
		}
	}
	if reviewed.Whole > 0 {
		gauge(figureRatioDesc, float64(reviewed.Part)/float64(reviewed.Whole), string(figures.ReviewCompletion), "")
	}
}

// now returns the latest figures, and has them computed anew if they are too old.
func (c *figured) now() []figures.Figure {
	c.mu.Lock()
	if c.running == nil && time.Since(c.at) >= figuresEvery {
		c.running = make(chan struct{})
		go c.compute(c.running)
	}
	running := c.running
	c.mu.Unlock()
	if running != nil {
		timer := time.NewTimer(figuresWait)
		defer timer.Stop()
		select {
		case <-running:
		case <-timer.C:
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.latest
}

func (c *figured) compute(done chan struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), figuresTimeout)
	defer cancel()
	now := c.clock.Now()
	all, err := figures.Read(ctx, c.ledger, figures.Question{
		From: now.AddDate(0, 0, -figuresDays), Until: now.Add(time.Microsecond), Now: now, By: []figures.By{figures.ByApp},
	})
	if err != nil {
		c.log.Warn("the figures could not be computed, so metrics lack them", zap.Error(err))
		all = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest, c.at, c.running = all, time.Now(), nil
	close(done)
}
