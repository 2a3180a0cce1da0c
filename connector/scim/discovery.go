package scim

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/tenurehq/tenure/connector"
)

// How long Tenure believes what a service says about itself, and how long it waits before it
// asks again after a failure.
const (
	surveyTTL  = 24 * time.Hour
	surveyWait = time.Minute
)

// survey holds what the service said about itself when it was last asked.
type survey struct {
	asking *semaphore.Weighted // of one
	mu     sync.Mutex
	traits traits
	until  time.Time
}

func (s *survey) last() (t traits, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.traits, time.Now().Before(s.until)
}

func (s *survey) keep(t traits, span time.Duration) traits {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.traits, s.until = t, time.Now().Add(span)
	return t
}

// providerConfig holds the parts of a ServiceProviderConfig that Tenure uses (RFC 7643
// section 5, RFC 9865 section 4). /Schemas would add nothing: operators map the attributes,
// and the service names those that it refuses.
type providerConfig struct {
	Patch          struct{ Supported *bool }
	Filter         struct{ MaxResults int }
	ChangePassword struct{ Supported bool }
	// Pagination is missing if the service knows only indexes.
	Pagination *struct{ Cursor, Index bool }
}

// how returns how to talk to the service: by the profile and the settings or, where they
// leave it open, by what the service says about itself. If the service does not say, how
// assumes RFC 7644 and returns no error.
func (c *client) how(ctx context.Context) traits {
	if c.traits.known {
		return c.traits
	}
	if t, fresh := c.survey.last(); fresh {
		return t
	}
	if c.survey.asking.Acquire(ctx, 1) != nil {
		return c.traits // the caller's time is up: its next request says so
	}
	defer c.survey.asking.Release(1)
	if t, fresh := c.survey.last(); fresh {
		return t
	}
	var config providerConfig
	_, err := c.service.do(ctx, request{method: http.MethodGet, collection: "ServiceProviderConfig", whole: true}, &config)
	switch {
	case ctx.Err() != nil, connector.Is(err, connector.KindUnauthorized):
		return c.traits // the failure says nothing about the service
	case err != nil:
		return c.survey.keep(c.traits, surveyWait)
	default:
		return c.survey.keep(c.traits.with(config), surveyTTL)
	}
}

// with returns the traits with the corrections that a service announces.
func (t traits) with(config providerConfig) traits {
	if config.Patch.Supported != nil && !*config.Patch.Supported {
		t.form = byPut
	}
	if config.Pagination != nil {
		t.cursor = config.Pagination.Cursor && !config.Pagination.Index
	}
	t.passwords = config.ChangePassword.Supported
	if config.Filter.MaxResults > 0 {
		t.pageSize = min(t.pageSize, config.Filter.MaxResults)
	}
	return t
}
