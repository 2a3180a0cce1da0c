package receiver

import (
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/tenurehq/tenure/secret"
)

// keyring holds an endpoint's secrets, and reads them again from time to time.
type keyring struct {
	secrets []secret.Secret
	every   time.Duration
	log     *zap.Logger // has the endpoint's fields

	mu     sync.Mutex
	known  map[int]string // the last value of each that could be read; never empty
	looked time.Time
	failed bool // so that a failure is logged once
}

// now returns the secrets, and reports whether all of them are known. A secret that cannot
// be read, perhaps because its file is being replaced, keeps its last value.
func (k *keyring) now() (secrets []string, all bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil || time.Since(k.looked) >= k.every {
		k.look()
	}
	return slices.Collect(maps.Values(k.known)), len(k.known) == len(k.secrets)
}

func (k *keyring) look() {
	k.looked = time.Now()
	if k.known == nil {
		k.known = make(map[int]string, len(k.secrets))
	}
	var failure error
	for i, s := range k.secrets {
		value, err := s.Reveal()
		switch {
		case err != nil:
			failure = err
		case value != "":
			k.known[i] = value
		}
	}
	if failure != nil && !k.failed {
		k.log.Error("a secret cannot be read; if it was known before, it stays valid", zap.Error(failure))
	}
	k.failed = failure != nil
}
