package connector

import "context"

// Reset puts whoever has an account out of it: its credentials are reset and its
// sessions ended, in an app that can.
func Reset(ctx context.Context, c Connector, accountID string) error {
	if app, ok := As[CredentialResetter](c); ok {
		if err := app.ResetCredentials(ctx, accountID); err != nil {
			return err
		}
	}
	if app, ok := As[SessionRevoker](c); ok {
		return app.RevokeSessions(ctx, accountID)
	}
	return nil
}
