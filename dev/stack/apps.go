package stack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/dev/process"
)

const (
	headerTimeout = 5 * time.Second
	drainTimeout  = 2 * time.Second
)

// DemoApp is a demo app that the stack serves.
type DemoApp struct {
	Name string
	// Service is the app itself: its users and groups, and the switches for its faults.
	Service *scimtest.Service
	// Address is the host:port that people can open in a browser.
	Address string

	server *http.Server
	ended  chan struct{}
}

// SCIMURL is the base URL of the app's SCIM service.
func (a *DemoApp) SCIMURL() string { return "http://" + a.Address + scimtest.BasePath }

func scimURL(port int) string { return "http://" + address(port) + scimtest.BasePath }

// startApp serves an app with these groups, keeping its state in dir, or in
// memory, and returns when it answers.
func startApp(ctx context.Context, client *http.Client, port appPort, dir string, inMemory bool, groups []string) (*DemoApp, error) {
	opts := scimtest.Options{Name: port.name, Token: Token, Groups: groups}
	if !inMemory {
		apps := filepath.Join(dir, "apps")
		if err := os.MkdirAll(apps, 0o700); err != nil {
			return nil, err
		}
		opts.File = filepath.Join(apps, port.name+".json")
	}
	service, err := scimtest.New(opts)
	if err != nil {
		return nil, fmt.Errorf("the app %s: %w", port.name, err)
	}
	app := &DemoApp{
		Name:    port.name,
		Service: service,
		Address: port.listener.Addr().String(),
		server:  &http.Server{Handler: service, ReadHeaderTimeout: headerTimeout},
		ended:   make(chan struct{}),
	}
	go func() {
		defer close(app.ended)
		_ = app.server.Serve(port.listener) // it serves until close
	}()
	err = process.Await(ctx, func(ctx context.Context) error {
		return get(ctx, client, app.SCIMURL()+"/ServiceProviderConfig", http.Header{"Authorization": {"Bearer " + Token}})
	})
	if err != nil {
		app.close() //nolint:contextcheck // closing has to work even if ctx has ended
		return nil, fmt.Errorf("reach the app %s: %w", port.name, err)
	}
	return app, nil
}

// close answers open requests, stops listening and writes the app's state.
func (a *DemoApp) close() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if err := a.server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		_ = a.server.Close()
	}
	<-a.ended
	_ = a.Service.Close()
}
