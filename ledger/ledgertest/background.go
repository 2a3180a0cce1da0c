package ledgertest

import "sync"

// InBackground starts n calls and returns a function that waits for them.
func InBackground(n int, f func(i int) error) (wait func() []error) {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	return func() []error {
		wg.Wait()
		return errs
	}
}
