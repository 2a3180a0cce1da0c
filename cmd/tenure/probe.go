package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"
)

// probePatience bounds how long one probe may take: the processes answer within
// five seconds, whatever hangs.
const probePatience = 6 * time.Second

func (c *cli) probeCommand() *cobra.Command {
	var alive bool
	cmd := &cobra.Command{
		Use:   "probe worker|starter",
		Short: "Ask the worker or the starter on this machine whether it is of use now",
		Long: `Ask the worker or the starter on this machine whether it is of use now, at the
address that the configuration gives under metrics. The exit status is 1 if it is
not, or does not answer.

It is what a container's health check runs: the image has no shell, and nothing
else that could ask.`,
		Example: `  tenure probe worker
  tenure probe starter --alive
  tenure probe starter -o json`,
		Args:      cobra.MatchAll(exactly("worker|starter"), cobra.OnlyValidArgs),
		ValidArgs: []string{"worker", "starter"},
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := c.config()
			if err != nil {
				return err
			}
			address := cfg.Metrics.Worker
			if args[0] == "starter" {
				address = cfg.Metrics.Starter
			}
			if address == "" {
				return usagef("%s: metrics.%s is not set, so that the %s answers no probes", cfg.Path, args[0], args[0])
			}
			path := "/readyz"
			if alive {
				path = "/healthz"
			}
			v, err := ask(cmd.Context(), address, path)
			if err != nil {
				return fmt.Errorf("the %s does not answer: %w", args[0], err)
			}
			v.Process = args[0]
			if err := c.print(v, v.draw); err != nil {
				return err
			}
			if !v.Good {
				return fmt.Errorf("the %s is not of use now", args[0])
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&alive, "alive", false, "ask instead whether a new process would help")
	return c.reads(cmd)
}

// probeView is what a process says of itself.
type probeView struct {
	Process string            `json:"process"`
	Address string            `json:"address"`
	Good    bool              `json:"good"`
	Checks  map[string]string `json:"checks"` // "ok", or what is wrong
}

// ask asks a process that listens on an address: on loopback, if on every one.
func ask(ctx context.Context, listens, path string) (v probeView, err error) {
	host, port, err := net.SplitHostPort(listens)
	if err != nil {
		return v, err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	v.Address = net.JoinHostPort(host, port)
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+v.Address+path, nil)
	if err != nil {
		return v, err
	}
	direct := &http.Transport{DisableKeepAlives: true} // and by no proxy
	answer, err := direct.RoundTrip(request)
	if err != nil {
		return v, err
	}
	err = json.NewDecoder(answer.Body).Decode(&v.Checks)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return v, fmt.Errorf("%s%s is no probe of ours: %w", v.Address, path, err)
	}
	v.Good = answer.StatusCode == http.StatusOK
	return v, nil
}

func (v probeView) draw(p *page) {
	p.table("", "check,answer", rowsOf(slices.Sorted(maps.Keys(v.Checks)), func(name string) []string {
		return []string{name, v.Checks[name]}
	}))
}
