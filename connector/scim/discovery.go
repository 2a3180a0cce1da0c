package scim

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// How long what a service says of itself is believed, and how long it is left
// alone after it could not say.
const (
	surveyTTL  = 24 * time.Hour
	surveyWait = time.Minute
)

// survey is what the service said of itself when it was last asked.
type survey struct {
	mu     sync.Mutex
	traits traits
	until  time.Time
}

// providerConfig is what is of use in a ServiceProviderConfig (RFC 7643 section
// 5, RFC 9865 section 4). /Schemas would add nothing: attributes are mapped by
// people, and a service tells of those that it refuses.
type providerConfig struct {
	Patch  struct{ Supported *bool }
	Filter struct{ MaxResults int }
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
	c.survey.mu.Lock()
	defer c.survey.mu.Unlock()
	if time.Now().Before(c.survey.until) {
		return c.survey.traits
	}
	var config providerConfig
	_, err := c.service.do(ctx, request{method: http.MethodGet, collection: "ServiceProviderConfig", whole: true}, &config)
	if err != nil {
		c.survey.traits, c.survey.until = c.traits, time.Now().Add(surveyWait)
		return c.traits
	}
	c.survey.traits, c.survey.until = c.traits.with(config), time.Now().Add(surveyTTL)
	return c.survey.traits
}

// with are the traits as a service corrects them.
func (t traits) with(config providerConfig) traits {
	if config.Patch.Supported != nil && !*config.Patch.Supported {
		t.form = byPut
	}
	if config.Pagination != nil {
		t.cursor = config.Pagination.Cursor && !config.Pagination.Index
	}
	if config.Filter.MaxResults > 0 {
		t.pageSize = min(t.pageSize, config.Filter.MaxResults)
	}
	return t
}
