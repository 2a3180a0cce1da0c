package scim

import (
	"context"
	"errors"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/settings"
)

// Connect is Kind.Open without the wrapper around the connector, so that a test can set its
// clock.
func Connect(ctx context.Context, env connector.Env, set connector.Settings) (connector.Connector, error) {
	values := settings.Read(Kind.Settings, set)
	c, err := connect(ctx, env, values)
	return c, errors.Join(err, values.Err())
}

// SetNow sets the clock by which beliefs about the service expire.
func (c *client) SetNow(now func() time.Time) { c.service.now = now }
