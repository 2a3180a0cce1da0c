package service

import (
	"errors"
	"strings"

	"github.com/tenurehq/tenure/config"
	"github.com/tenurehq/tenure/ingest"
)

// Cluster is the Kafka cluster that the configuration names, and how to reach it.
// A process makes one and shares it: see ingest.SASL.
func Cluster(cfg config.Kafka) (ingest.Cluster, error) {
	cluster := ingest.Cluster{Brokers: cfg.Brokers}
	if t := cfg.TLS; t != nil {
		cluster.TLS = &ingest.TLS{CA: t.CA, Certificate: t.Certificate, Key: t.Key, ServerName: t.ServerName}
	}
	if s := cfg.SASL; s != nil {
		var err error
		// Ours are Kafka's names in small letters.
		if cluster.SASL, err = ingest.NewSASL(strings.ToUpper(s.Mechanism), credentials(s)); err != nil {
			return ingest.Cluster{}, err
		}
	}
	return cluster, nil
}

func credentials(s *config.SASL) func() (ingest.Credentials, error) {
	return func() (ingest.Credentials, error) {
		username, usernameErr := s.Username.Reveal()
		password, passwordErr := s.Password.Reveal()
		return ingest.Credentials{Username: username, Password: password}, errors.Join(usernameErr, passwordErr)
	}
}
