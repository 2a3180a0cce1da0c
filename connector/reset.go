package connector

import (
	"context"
	"errors"
)

// Reset puts whoever has an account out of it: its credentials are reset and its
// sessions ended, in an app that can. That it cannot is no error.
func Reset(ctx context.Context, c Connector, accountID string) error {
	if app, ok := As[CredentialResetter](c); ok {
		var failed *Error
		err := app.ResetCredentials(ctx, accountID)
		unsupported := errors.As(err, &failed) && failed.Kind == KindUnsupported
		if err != nil && !unsupported {
			return err
		}
	}
	if app, ok := As[SessionRevoker](c); ok {
		return app.RevokeSessions(ctx, accountID)
	}
	return nil
}
