package stack

import (
	"context"
	"fmt"
	"net/http"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"

	"github.com/tenurehq/tenure/dev/process"
)

// ui is Temporal's web UI.
type ui struct {
	server *uiserver.Server
	ended  chan struct{}
}

// startUI serves the UI on a port, and returns when it answers. The port has to be
// claimed before, because the UI's server ends the process if it cannot listen.
func startUI(ctx context.Context, client *http.Client, port int, temporalAddress string) (*ui, error) {
	u := &ui{
		server: uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
			Host:                loopback,
			Port:                port,
			TemporalGRPCAddress: temporalAddress,
			DefaultNamespace:    Namespace,
			EnableUI:            true,
			HideLogs:            true,
			DisableNewsFetch:    true,
			CORS:                uiconfig.CORS{CookieInsecure: true}, // plain HTTP on loopback
		})),
		ended: make(chan struct{}),
	}
	go func() {
		defer close(u.ended)
		_ = u.server.Start() // it is always nil
	}()
	url := "http://" + address(port)
	for _, page := range []string{"/", "/api/v1/namespaces/" + Namespace} {
		err := process.Await(ctx, func(ctx context.Context) error { return get(ctx, client, url+page, nil) })
		if err != nil {
			u.Close()
			return nil, fmt.Errorf("reach Temporal's UI: %w", err)
		}
	}
	return u, nil
}

// Close stops the UI.
func (u *ui) Close() {
	u.server.Stop()
	<-u.ended
}
