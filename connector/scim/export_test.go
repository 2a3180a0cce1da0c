package scim

import "time"

// SetNow sets the clock by which answers are believed.
func (c *client) SetNow(now func() time.Time) { c.service.now = now }
