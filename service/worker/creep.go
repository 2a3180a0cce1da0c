package worker

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/review"
)

const (
	// creepEvery is how old the company's privilege creep may be. To tell it, a worker reads
	// everybody who is employed.
	creepEvery = 6 * time.Hour
	// creepAgain is how soon a worker tries again if it could not tell.
	creepAgain = 10 * time.Minute
)

var (
	creepDesc       = prometheus.NewDesc("tenure_privilege_creep_ratio", "Entitlements that no role explains which needs no request, among all entitlements, as told at most six hours ago, by of: all (of everybody who is employed), median (half of the people have this share or less), highest (of one person).", []string{"of"}, nil)
	creepPeopleDesc = prometheus.NewDesc("tenure_privilege_creep_people", "People who are employed and have an entitlement that no role explains which needs no request, as told at most six hours ago.", nil, nil)
)

// creep exports the company's privilege creep.
type creep struct {
	board *review.Board
	log   *zap.Logger

	mu    sync.Mutex
	known bool
	sum   review.CompanyCreep
}

// run tells it at once, and then in every span creepEvery, until ctx ends.
func (c *creep) run(ctx context.Context) {
	for ctx.Err() == nil {
		wait := creepEvery
		if err := c.tell(ctx); err != nil {
			wait = creepAgain
			if ctx.Err() == nil {
				c.log.Warn("the company's privilege creep could not be told, so its metrics are old or absent; it is tried again", zap.Error(err))
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// tell reads everybody who is employed.
func (c *creep) tell(ctx context.Context) error {
	var sum review.CreepSum
	for one, err := range c.board.Creep(ctx, "") {
		if err != nil {
			return err
		}
		sum.Add(one.Creep)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum, c.known = sum.Company(), true
	return nil
}

// Describe implements prometheus.Collector.
func (c *creep) Describe(out chan<- *prometheus.Desc) {
	out <- creepDesc
	out <- creepPeopleDesc
}

// Collect implements prometheus.Collector.
func (c *creep) Collect(out chan<- prometheus.Metric) {
	c.mu.Lock()
	sum, known := c.sum, c.known
	c.mu.Unlock()
	if !known {
		return
	}
	for of, share := range map[string]float64{"all": sum.Share, "median": sum.Median, "highest": sum.Highest} {
		out <- prometheus.MustNewConstMetric(creepDesc, prometheus.GaugeValue, share, of)
	}
	out <- prometheus.MustNewConstMetric(creepPeopleDesc, prometheus.GaugeValue, float64(sum.With))
}
