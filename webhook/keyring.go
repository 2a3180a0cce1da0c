package webhook

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// Secret gives a secret as it is now: it may be replaced while the process runs.
type Secret interface{ Read() (string, error) }

// keyring holds an endpoint's secrets, and looks for new ones now and then.
type keyring struct {
	secrets []Secret
	every   time.Duration
	log     *zap.Logger // of the endpoint

	mu     sync.Mutex
	values []string // the last that could be read
	read   time.Time
	failed bool // so that it is said once
}

// now are the secrets. One that cannot be read at the moment, while its file is
// replaced perhaps, is what it was.
func (k *keyring) now() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.values != nil && time.Since(k.read) < k.every {
		return k.values
	}
	k.read = time.Now()
	fresh := make([]string, len(k.secrets))
	copy(fresh, k.values)
	var failure error
	for i, secret := range k.secrets {
		value, err := secret.Read()
		if err != nil {
			failure = err
			continue
		}
		fresh[i] = value
	}
	if failure != nil && !k.failed {
		k.log.Error("a secret cannot be read; the one before it stays valid", zap.Error(failure))
	}
	k.failed = failure != nil
	k.values = fresh
	return k.values
}
