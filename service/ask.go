package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// probePatience bounds how long one probe may take: the processes answer within
// five seconds, whatever hangs.
const probePatience = 6 * time.Second

// Probe describes a process, as it answers a probe.
type Probe struct {
	Process string            `json:"process"`
	Address string            `json:"address"`
	Good    bool              `json:"good"`
	Checks  map[string]string `json:"checks"` // "ok", or what is wrong
}

// AskProbe asks the process that listens at an address whether it is ready or, with alive,
// whether a new process would not help. It asks on loopback if the process listens on every
// address.
func AskProbe(ctx context.Context, listens string, alive bool) (v Probe, err error) {
	path := "/readyz"
	if alive {
		path = "/healthz"
	}
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
