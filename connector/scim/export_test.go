package scim

import (
	"context"
	"errors"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/internal/settings"
)

// Connect is Kind.Open without what it puts around a connector: its clock can be set.
func Connect(ctx context.Context, env connector.Env, set connector.Settings) (connector.Connector, error) {
	values := settings.Read(Kind.Settings, set)
	c, err := connect(ctx, env, values)
	return c, errors.Join(err, values.Err())
}

// SetNow sets the clock by which answers are believed.
func (c *client) SetNow(now func() time.Time) { c.service.now = now }
