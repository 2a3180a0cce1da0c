package connector

import (
	"context"
	"errors"
)

// Reset puts whoever has an account out of it: its credentials are reset and its
// sessions ended, in an app that can. That it cannot is no error.
func Reset(ctx context.Context, c Connector, accountID string) error {
	can := c.Capabilities()
	if can.ResetCredentials {
		var failed *Error
		err := c.ResetCredentials(ctx, accountID)
		unsupported := errors.As(err, &failed) && failed.Kind == KindUnsupported
		if err != nil && !unsupported {
			return err
		}
	}
	if can.Sessions {
		return c.RevokeSessions(ctx, accountID)
	}
	return nil
}
