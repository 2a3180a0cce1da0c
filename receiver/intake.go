package receiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/time/rate"
)

// maxHeader bounds a request's header: the part that is kept has to fit into a record
// together with the body.
const maxHeader = 16 << 10

// Intake is an HTTP server for webhooks.
type Intake struct {
	options   Options
	endpoints map[string]*endpoint // by path
	slots     chan struct{}

	connections *connections
	metrics     *metrics
	log         *zap.Logger
	refusals    rate.Sometimes // limits the log of refused requests: anybody can send those

	listener net.Listener
	server   *http.Server
	serving  atomic.Bool
}

// endpoint is an Endpoint with its state between requests.
type endpoint struct {
	Endpoint
	keys    *keyring
	limit   *rate.Limiter
	gate    *gate // of its topic
	readers *readers
}

// New returns an intake that listens on o.Listen; Run serves. New fails if the options are
// wrong, if it cannot listen there, or if the certificate cannot be used.
func New(o Options) (*Intake, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	o.Tuning = o.Tuning.withDefaults()
	in := &Intake{
		options:     o,
		endpoints:   make(map[string]*endpoint, len(o.Endpoints)),
		slots:       make(chan struct{}, o.Tuning.AtOnce),
		log:         o.Log,
		connections: newConnections(o.Tuning.Connections),
		refusals:    rate.Sometimes{First: 20, Interval: time.Second},
	}
	gates := map[string]*gate{}
	for _, e := range o.Endpoints {
		if gates[e.Topic] == nil {
			gates[e.Topic] = &gate{}
		}
		in.endpoints[e.Path] = &endpoint{
			Endpoint: e,
			keys:     &keyring{secrets: e.Secrets, every: o.Tuning.Refresh, log: o.Log.With(zap.String("endpoint", e.Path))},
			limit:    rate.NewLimiter(e.Rate, e.Burst),
			gate:     gates[e.Topic],
			readers:  newReaders(o.Tuning.Reading, o.Tuning.ReadingEach, o.Tuning.Grace),
		}
	}
	in.server = &http.Server{
		Handler:           in,
		ReadHeaderTimeout: o.Tuning.Header,
		ReadTimeout:       o.Tuning.Read,
		WriteTimeout:      o.Tuning.Read + o.Tuning.Publish + 5*time.Second, // it counts from the header
		IdleTimeout:       o.Tuning.Idle,
		MaxHeaderBytes:    maxHeader,
		ConnState:         in.connections.changed,
		ConnContext:       withConnection,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 64},
	}
	// Errors of single connections are caused by strangers: they are logged as debug only.
	var err error
	if in.server.ErrorLog, err = zap.NewStdLogAt(o.Log, zapcore.DebugLevel); err != nil {
		return nil, err
	}
	if o.Certificate != nil {
		served, err := openCertificates(*o.Certificate, o.Tuning.Refresh, o.Log)
		if err != nil {
			return nil, err
		}
		in.server.TLSConfig = served.config()
	}
	if in.listener, err = net.Listen("tcp", o.Listen); err != nil {
		return nil, fmt.Errorf("cannot take webhooks on %s (is another process using the port? see webhooks in the configuration): %w", o.Listen, err)
	}
	in.metrics = newMetrics(o.Metrics, o.Endpoints)
	return in, nil
}

// Addr returns the address on which the intake listens ("127.0.0.1:8443").
func (in *Intake) Addr() string { return in.listener.Addr().String() }

// Run serves until ctx is done. Then it takes no more requests, answers those that it has
// taken, and returns nil.
func (in *Intake) Run(ctx context.Context) error {
	encrypted := in.options.Certificate != nil
	served := make(chan error, 1)
	go func() {
		if encrypted {
			served <- in.server.ServeTLS(in.listener, "", "")
			return
		}
		served <- in.server.Serve(in.listener)
	}()
	in.log.Info("taking webhooks", zap.String("address", in.Addr()), zap.Bool("tls", encrypted),
		zap.Int("endpoints", len(in.endpoints)))
	in.serving.Store(true)
	defer in.serving.Store(false)
	select {
	case err := <-served:
		return fmt.Errorf("the webhook intake stopped: %w", err)
	case <-ctx.Done():
	}
	in.serving.Store(false)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), in.options.Tuning.Drain)
	defer cancel()
	if err := in.server.Shutdown(drain); err != nil {
		in.log.Warn("webhooks under way were cut off: they were not answered, and come again",
			zap.Duration("after", in.options.Tuning.Drain), zap.Error(errors.Join(err, in.server.Close())))
	}
	<-served //nolint:errcheck // it only says that the server was shut down
	return nil
}

// Ready reports whether the intake accepts requests. It does not ask the broker, which has
// a check of its own: an intake that is taken out of service when the broker is lost
// would never see it come back.
func (in *Intake) Ready(context.Context) error {
	if !in.serving.Load() {
		return errors.New("not taking webhooks")
	}
	return nil
}
