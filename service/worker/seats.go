package worker

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/operator"
	"github.com/tenurehq/tenure/policy"
)

const (
	// seatsEvery is how old the numbers of an app's seats may be before a worker asks for new
	// ones. Whoever asks lists all that the app can give.
	seatsEvery = 30 * time.Minute
	// seatsLook is how often a worker looks for numbers that are too old. An app that did not
	// answer is asked again then.
	seatsLook = 5 * time.Minute
	// seatsTimeout bounds how long one app may take to answer.
	seatsTimeout = 4 * time.Minute
)

// seats keeps in the ledger how many seats the licences of apps have. Of several workers, one
// asks an app: the others find its numbers new enough.
type seats struct {
	apps   []string // those where policy gives licences
	ledger ledger.Licences
	viewer interface {
		Licences(ctx context.Context, app string) ([]operator.Licence, error)
	}
	log *zap.Logger
}

// licensed lists the apps in which policy gives licences.
func licensed(p *policy.Policy) (apps []string) {
	for _, app := range p.Apps() {
		if slices.ContainsFunc(p.Grants(app), func(name string) bool { return connector.KindOf(name) == connector.Licence }) {
			apps = append(apps, app)
		}
	}
	return apps
}

// run looks at once, and then in every span seatsLook, until ctx ends.
func (s *seats) run(ctx context.Context) {
	if len(s.apps) == 0 {
		return
	}
	tick := time.NewTicker(seatsLook)
	defer tick.Stop()
	for {
		s.look(ctx, time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look asks the apps whose numbers are too old. An app that does not answer keeps no other
// from being asked, and its old numbers until they say nothing any more.
func (s *seats) look(ctx context.Context, now time.Time) {
	known, err := s.ledger.Licences(ctx)
	if err != nil {
		s.log.Warn("the ledger does not say how many seats apps have; it is asked again", zap.Error(err))
		return
	}
	for _, app := range s.apps {
		isNew := func(l ledger.Licence) bool { return l.App == app && now.Sub(l.CountedAt) < seatsEvery }
		if slices.ContainsFunc(known, isNew) {
			continue
		}
		if err := s.count(ctx, app, now); err != nil && ctx.Err() == nil {
			s.log.Warn("an app does not say how many seats its licences have; it is asked again", zap.String("app", app), zap.Error(err))
		}
	}
}

// count asks one app, and saves what it says.
func (s *seats) count(ctx context.Context, app string, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, seatsTimeout)
	defer cancel()
	licences, err := s.viewer.Licences(ctx, app)
	if err != nil {
		return err
	}
	counted := make([]ledger.Licence, 0, len(licences))
	for _, l := range licences {
		counted = append(counted, l.Counted())
	}
	return s.ledger.SaveLicences(ctx, app, now, counted)
}
