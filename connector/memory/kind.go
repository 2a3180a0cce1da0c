package memory

import (
	"context"

	"github.com/tenurehq/tenure/connector"
)

// Kind is the catalog's entry.
var Kind = connector.Kind{
	Name:    "memory",
	Summary: "an app that lives in this process, for tests and benchmarks",
	Open:    open,
}

func open(_ context.Context, app string, settings connector.Settings) (connector.Connector, error) {
	read := connector.ReadSettings(settings)
	name := read.String("name", app)
	if err := read.Err(); err != nil {
		return nil, err
	}
	return client{app: Shared(name), name: name}, nil
}
