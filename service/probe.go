package service

import (
	"context"
	"errors"
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.uber.org/zap"

	"github.com/tenurehq/tenure/internal/checkup"
	"github.com/tenurehq/tenure/service/runs"
)

// CheckTemporal reports whether worker and starter can work with Temporal: whether the
// server answers, has the namespace and its search attributes, and has workers on every
// queue that Tenure uses for these apps. It asks once and changes nothing. adjust changes
// the options that TemporalOptions returns.
func CheckTemporal(ctx context.Context, log *zap.Logger, apps []string, adjust ...func(*client.Options)) checkup.Report {
	r := checkup.Report{System: "Temporal"}
	opts, err := TemporalOptions(log)
	for _, f := range adjust {
		f(&opts)
	}
	r.Address, r.Identity = opts.HostPort, temporalIdentity(opts)
	var c client.Client
	if err == nil {
		c, err = client.NewLazyClient(opts)
	}
	if err != nil {
		r.Unreached(err)
		return r
	}
	defer c.Close()
	info, err := c.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	switch {
	case refused(err):
		r.Unreached(fmt.Errorf("the server refuses the credentials: check TEMPORAL_API_KEY or TEMPORAL_TLS_...: %w", err))
		return r
	case err != nil:
		r.Unreached(fmt.Errorf("check TEMPORAL_ADDRESS, TEMPORAL_TLS_..., and that the server is up: %w", err))
		return r
	}
	r.Reached = true
	r.Add("server", checkup.OK, "version "+info.GetServerVersion(), "")
	if checkNamespace(ctx, &r, c, opts.Namespace) {
		tenure := runs.New(c, opts.Namespace)
		checkAttributes(ctx, &r, tenure, opts.Namespace)
		checkQueues(ctx, &r, tenure, apps)
	}
	return r
}

// checkQueues reports queues without a worker: their tasks wait.
func checkQueues(ctx context.Context, r *checkup.Report, c *runs.Client, apps []string) {
	queues, err := c.Queues(ctx, apps)
	if err != nil {
		r.Add("task queues", checkup.Unknown, err.Error(), "let the credentials describe task queues, and try again")
		return
	}
	var good []string
	for _, q := range queues {
		if len(q.Workers) > 0 {
			good = append(good, q.Name)
			continue
		}
		r.Add("task queue "+q.Name, checkup.Missing, "no worker takes its tasks", "start a worker with this configuration, and look into its log")
	}
	if len(good) > 0 {
		r.Add("task queues", checkup.OK, "workers take the tasks of "+strings.Join(good, ", "), "")
	}
}

func temporalIdentity(opts client.Options) string {
	switch {
	case opts.Credentials != nil:
		return "an API key"
	case opts.ConnectionOptions.TLS != nil:
		return "a client certificate, or nobody in particular (TLS)"
	default:
		return "nobody in particular (nobody signs in, and connections are not encrypted)"
	}
}

func checkNamespace(ctx context.Context, r *checkup.Report, c client.Client, namespace string) (there bool) {
	about := "namespace " + namespace
	_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	var missing *serviceerror.NamespaceNotFound
	switch {
	case err == nil:
		r.Add(about, checkup.OK, "it exists", "")
		return true
	case errors.As(err, &missing):
		r.Add(about, checkup.Missing, "it does not exist", "temporal operator namespace create -n "+namespace)
	case refused(err):
		r.Add(about, checkup.Missing, "the credentials give no access to it", "let them write in it, sign in as somebody else (TEMPORAL_API_KEY, TEMPORAL_TLS_...), or name another one in TEMPORAL_NAMESPACE")
	default:
		r.Add(about, checkup.Unknown, err.Error(), "try again")
	}
	return false
}

func checkAttributes(ctx context.Context, r *checkup.Report, c *runs.Client, namespace string) {
	attributes, err := c.Attributes(ctx)
	if err != nil {
		r.Add("search attributes", checkup.Unknown, err.Error(), "let the credentials list search attributes, or see: temporal operator search-attribute list -n "+namespace)
		return
	}
	var good []string
	for _, a := range attributes {
		about := "search attribute " + a.Name
		switch a.Has {
		case a.Needs:
			good = append(good, a.Name)
		case enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED:
			r.Add(about, checkup.Missing, "it does not exist; worker and starter add it when they start, if they may",
				fmt.Sprintf("temporal operator search-attribute create -n %s --name %s --type %s", namespace, a.Name, a.Needs))
		default:
			r.Add(about, checkup.Missing, fmt.Sprintf("it is of type %s, and has to be %s", a.Has, a.Needs),
				fmt.Sprintf("temporal operator search-attribute remove -n %s --name %s (what it was used for must be known first)", namespace, a.Name))
		}
	}
	if len(good) > 0 {
		r.Add("search attributes", checkup.OK, strings.Join(good, ", "), "")
	}
}
