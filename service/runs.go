package service

import (
	"context"
	"fmt"
	"sync"

	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/ingest"
	"github.com/tenurehq/tenure/service/runs"
)

// Runs tells people's runs what is new in the ledger. It connects to the Temporal server
// of the environment when it is first used; if that fails, the next use tries again. It
// implements operator.Runs.
type Runs struct {
	mu       sync.Mutex
	temporal client.Client
	runs     *runs.Client
}

// Ready implements operator.Runs.
func (r *Runs) Ready(ctx context.Context) error {
	_, err := r.connect(ctx)
	return err
}

// Resume implements operator.Runs.
func (r *Runs) Resume(ctx context.Context, personID, why string) error {
	c, err := r.connect(ctx)
	if err != nil {
		return err
	}
	return c.Resume(ctx, personID, why)
}

// ResumeRequest implements operator.Runs.
func (r *Runs) ResumeRequest(ctx context.Context, requestID int64, why string) error {
	c, err := r.connect(ctx)
	if err != nil {
		return err
	}
	return c.ResumeRequest(ctx, requestID, why)
}

// ResumeReview implements operator.Runs.
func (r *Runs) ResumeReview(ctx context.Context, reviewID int64, why string) error {
	c, err := r.connect(ctx)
	if err != nil {
		return err
	}
	return c.ResumeReview(ctx, reviewID, why)
}

// Scan implements operator.Runs.
func (r *Runs) Scan(ctx context.Context, app string) error {
	c, err := r.connect(ctx)
	if err != nil {
		return err
	}
	return c.Scan(ctx, app)
}

// Deliver implements operator.Runs.
func (r *Runs) Deliver(ctx context.Context, e hr.Event, seq int64) error {
	c, err := r.connect(ctx)
	if err != nil {
		return err
	}
	return c.Nudge(ctx, ingest.NudgeFor(e, seq))
}

// Close ends the connection.
func (r *Runs) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.temporal != nil {
		r.temporal.Close()
	}
}

func (r *Runs) connect(ctx context.Context) (*runs.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.runs == nil {
		t, namespace, err := OpenTemporal(ctx)
		if err != nil {
			return nil, err
		}
		r.temporal, r.runs = t, runs.New(t, namespace)
	}
	return r.runs, nil
}

// OpenTemporal connects to the Temporal server of the environment, and returns the
// namespace too. It asks the server once, and fails if there is no answer.
func OpenTemporal(ctx context.Context) (t client.Client, namespace string, err error) {
	opts, err := TemporalOptions(zap.NewNop())
	if err != nil {
		return nil, "", UsageError(err)
	}
	if t, err = client.NewLazyClient(opts); err != nil {
		return nil, "", UsageError(err)
	}
	if err := ProbeTemporal(ctx, t, opts.Namespace); err != nil {
		t.Close()
		return nil, "", fmt.Errorf("no answer from Temporal at %s (check TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE): %w", opts.HostPort, err)
	}
	return t, opts.Namespace, nil
}
