package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// probeTimeout bounds one attempt to reach Temporal.
	probeTimeout = 5 * time.Second
	// remindEvery is how often a process that waits for something logs it again.
	remindEvery = 30 * time.Second
)

// TemporalOptions reads Temporal's address and credentials from Temporal's own settings:
// the environment (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY,
// TEMPORAL_TLS_...), then temporal.toml. The defaults are 127.0.0.1:7233 and the
// namespace "default".
func TemporalOptions(log *zap.Logger) (client.Options, error) {
	opts, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return client.Options{}, fmt.Errorf("reading the Temporal connection from the environment or temporal.toml: %w", err)
	}
	if opts.HostPort == "" {
		opts.HostPort = client.DefaultHostPort
	}
	if opts.Namespace == "" {
		opts.Namespace = client.DefaultNamespace
	}
	opts.Logger = TemporalLogger(log)
	return opts, nil
}

// DialTemporal connects to Temporal with TemporalOptions, which each of adjust may change,
// and waits until the server answers for the namespace. It returns an error only if the
// settings are wrong, the credentials are refused, or ctx is done.
func DialTemporal(ctx context.Context, log *zap.Logger, adjust ...func(*client.Options)) (client.Client, error) {
	opts, err := TemporalOptions(log)
	if err != nil {
		return nil, err
	}
	for _, f := range adjust {
		f(&opts)
	}
	c, err := client.NewLazyClient(opts)
	if err != nil {
		return nil, fmt.Errorf("the Temporal connection's settings are wrong: %w", err)
	}
	if err := awaitTemporal(ctx, log, c, opts); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func awaitTemporal(ctx context.Context, log *zap.Logger, c client.Client, opts client.Options) error {
	log = log.With(zap.String("address", opts.HostPort), zap.String("namespace", opts.Namespace))
	began := time.Now()
	err := await(ctx, log, "Temporal at "+opts.HostPort, "waiting for Temporal; check TEMPORAL_ADDRESS and that the server is up", refused,
		func() error { return ProbeTemporal(ctx, c, opts.Namespace) })
	switch {
	case err == nil:
		log.Info("connected to Temporal", zap.Duration("waited", time.Since(began)))
	case refused(err):
		return fmt.Errorf("the Temporal server at %s refuses the credentials: %w", opts.HostPort, err)
	}
	return err
}

// SetUpTemporal calls do, which prepares Temporal for work, and calls it again while the
// server is too busy or is stopping.
func SetUpTemporal(ctx context.Context, log *zap.Logger, do func(ctx context.Context) error) error {
	return await(ctx, log, "Temporal to be set up", "waiting for Temporal to be set up; the server answers, but not in time", func(err error) bool { return !busy(err) },
		func() error { return do(ctx) })
}

// busy reports whether the server may answer later.
func busy(err error) bool {
	var away *serviceerror.Unavailable
	var late *serviceerror.DeadlineExceeded
	var exhausted *serviceerror.ResourceExhausted
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &away) || errors.As(err, &late) || errors.As(err, &exhausted)
}

// ProbeTemporal asks the server once, for at most five seconds, whether it serves the
// namespace. The error says what is wrong.
func ProbeTemporal(ctx context.Context, c client.Client, namespace string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	var missing *serviceerror.NamespaceNotFound
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing):
		return fmt.Errorf("namespace %q does not exist; create it with: temporal operator namespace create -n %s: %w",
			namespace, namespace, err)
	default:
		return err
	}
}

// Away reports whether an error of Temporal's means that the server cannot be reached, or does not
// answer in time.
func Away(err error) bool {
	var unavailable *serviceerror.Unavailable
	var late *serviceerror.DeadlineExceeded
	return errors.As(err, &unavailable) || errors.As(err, &late) || errors.Is(err, context.DeadlineExceeded)
}

// refused reports whether the server refuses the credentials, so that waiting is no use.
func refused(err error) bool {
	var denied *serviceerror.PermissionDenied
	return errors.As(err, &denied) || status.Code(err) == codes.Unauthenticated
}
