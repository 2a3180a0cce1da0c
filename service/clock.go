package service

import (
	"fmt"
	"net"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/config"
)

// CheckClock returns an error if the configuration accelerates the clock and Temporal's
// address is not on loopback: nobody should do that in production by accident.
func CheckClock(cfg *config.Config, temporalAddress string, log *zap.Logger) error {
	if cfg.Development == nil || cfg.Development.Clock == nil {
		return nil
	}
	host, _, err := net.SplitHostPort(temporalAddress)
	if err != nil {
		host = temporalAddress
	}
	ip := net.ParseIP(host)
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("development.clock is only for a Temporal on loopback, and this one is at %s: take it out of %s",
			temporalAddress, cfg.Path)
	}
	log.Warn("time is accelerated: this is no production", zap.Float64("rate", cfg.Development.Clock.Rate))
	return nil
}
