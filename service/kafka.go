package service

import (
	"errors"
	"strings"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ingest/broker"
)

// Cluster returns the Kafka cluster of the configuration, and how to connect to it.
// A process makes one and shares it: see broker.SASL.
func Cluster(cfg config.Kafka) (broker.Cluster, error) {
	cluster := broker.Cluster{Brokers: cfg.Brokers, TLS: cfg.TLS}
	if s := cfg.SASL; s != nil {
		var err error
		// The configuration has Kafka's names in small letters.
		if cluster.SASL, err = broker.NewSASL(strings.ToUpper(s.Mechanism), credentials(s)); err != nil {
			return broker.Cluster{}, err
		}
	}
	return cluster, nil
}

func credentials(s *config.SASL) func() (broker.Credentials, error) {
	return func() (broker.Credentials, error) {
		username, usernameErr := s.Username.Reveal()
		password, passwordErr := s.Password.Reveal()
		return broker.Credentials{Username: username, Password: password}, errors.Join(usernameErr, passwordErr)
	}
}
