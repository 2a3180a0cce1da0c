package receiver

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Certificate names the files of a TLS certificate (with its chain) and key, in
// PEM. They may be replaced while the process runs.
type Certificate struct{ Certificate, Key string }

// certificates reads a certificate again when its files change.
type certificates struct {
	files Certificate
	every time.Duration // how often the files are checked
	log   *zap.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamp   string // of the files that current was loaded from
	looked  time.Time
	failed  bool // so that a failure is logged once
}

func openCertificates(files Certificate, every time.Duration, log *zap.Logger) (*certificates, error) {
	c := &certificates{files: files, every: every, log: log}
	return c, c.load()
}

// config returns the TLS configuration of a server.
func (c *certificates) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.now(), nil
		},
	}
}

// now returns the certificate. If the files cannot be loaded, perhaps because they are
// being replaced, it returns the last good one.
func (c *certificates) now() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) < c.every {
		return c.current
	}
	err := c.load()
	if err != nil && !c.failed {
		c.log.Error("the new TLS certificate cannot be used; the one before it is served", zap.Error(err))
	}
	c.failed = err != nil
	return c.current
}

// load reads the files if they have changed.
func (c *certificates) load() error {
	c.looked = time.Now()
	stamp := ""
	for _, file := range []string{c.files.Certificate, c.files.Key} {
		info, err := os.Stat(file)
		if err != nil {
			return fmt.Errorf("the TLS certificate cannot be read: %w", err)
		}
		stamp += fmt.Sprintf("%d %d;", info.ModTime().UnixNano(), info.Size())
	}
	if stamp == c.stamp {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.files.Certificate, c.files.Key)
	if err != nil {
		return fmt.Errorf("the TLS certificate %s with the key %s cannot be used: %w", c.files.Certificate, c.files.Key, err)
	}
	if c.current != nil {
		c.log.Info("serving a new TLS certificate", zap.Time("expires", pair.Leaf.NotAfter))
	}
	c.current, c.stamp = &pair, stamp
	return nil
}
