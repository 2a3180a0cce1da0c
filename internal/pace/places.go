package pace

import "context"

// Places bound how many calls of one app this process has under way at a time. Some are
// kept for urgent calls (see Urgent), so that those need not wait for others that hang.
// Its methods may be called from any goroutine.
type Places struct {
	all    chan struct{}
	common chan struct{} // of these, the ones that any call may have
}

// NewPlaces makes so many places, at least one. A fifth of them is for urgent calls.
func NewPlaces(most int) *Places {
	most = max(most, 1)
	kept := 0
	if most > 1 {
		kept = max(most/5, 1)
	}
	return &Places{all: make(chan struct{}, most), common: make(chan struct{}, most-kept)}
}

// Enter takes a place as soon as there is one, until leave is called. If there is none
// before ctx ends, it fails with a *NoTurnError. A nil Places bounds nothing.
func (p *Places) Enter(ctx context.Context) (leave func(), err error) {
	if p == nil {
		return func() {}, nil
	}
	if isUrgent(ctx) {
		if err := enter(ctx, p.all); err != nil {
			return nil, err
		}
		return func() { <-p.all }, nil
	}
	if err := enter(ctx, p.common); err != nil {
		return nil, err
	}
	if err := enter(ctx, p.all); err != nil {
		<-p.common
		return nil, err
	}
	return func() { <-p.all; <-p.common }, nil
}

func enter(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &NoTurnError{cause: ctx.Err()}
	}
}
