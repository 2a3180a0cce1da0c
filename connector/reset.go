package connector

import (
	"context"
)

// Reset puts whoever has an account out of it: its credentials are reset and its
// sessions ended, in an app that can. That it cannot is no error.
func Reset(ctx context.Context, c Connector, accountID string) error {
	can := c.Capabilities()
	if can.ResetCredentials {
		if err := c.ResetCredentials(ctx, accountID); err != nil && !Is(err, KindUnsupported) {
			return err
		}
	}
	if can.Sessions {
		return c.RevokeSessions(ctx, accountID)
	}
	return nil
}
