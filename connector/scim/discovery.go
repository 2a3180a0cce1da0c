package scim

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector"
)

// How long what a service says of itself is believed, and how long it is left
// alone after it could not say.
const (
	surveyTTL  = 24 * time.Hour
	surveyWait = time.Minute
)

// survey is what the service said of itself when it was last asked.
type survey struct {
	asking turn
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

// providerConfig is what is of use in a ServiceProviderConfig (RFC 7643 section
// 5, RFC 9865 section 4). /Schemas would add nothing: attributes are mapped by
// people, and a service tells of those that it refuses.
type providerConfig struct {
	Patch          struct{ Supported *bool }
	Filter         struct{ MaxResults int }
	ChangePassword struct{ Supported bool }
	// Pagination is missing where only indexes are known.
	Pagination *struct{ Cursor, Index bool }
}

// how says how the service is to be talked to: as the profile and the settings
// have it or, where they do not tell, as the service itself does. One that does
// not say is taken to keep to RFC 7644, so that no error comes of it.
func (c *client) how(ctx context.Context) traits {
	if c.traits.known {
		return c.traits
	}
	if t, fresh := c.survey.last(); fresh {
		return t
	}
	if c.survey.asking.take(ctx) != nil {
		return c.traits // the caller's time is up: so says its next request
	}
	defer c.survey.asking.end()
	if t, fresh := c.survey.last(); fresh {
		return t
	}
	var config providerConfig
	_, err := c.service.do(ctx, request{method: http.MethodGet, collection: "ServiceProviderConfig", whole: true}, &config)
	switch {
	case ctx.Err() != nil, connector.Is(err, connector.KindUnauthorized):
		return c.traits // it was not the service that could not say
	case err != nil:
		return c.survey.keep(c.traits, surveyWait)
	default:
		return c.survey.keep(c.traits.with(config), surveyTTL)
	}
}

// with are the traits as a service corrects them.
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
