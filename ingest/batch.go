package ingest

import "context"

// batcher puts what callers submit at the same time into one call: while a call is
// under way, further submissions queue, and the next call takes them together. It does
// not wait for a batch to fill.
type batcher[In, Out any] struct {
	do    func(ctx context.Context, items []In) ([]Out, error) // one result per item, in order
	limit int                                                  // items per call; a submission is never split
	queue chan submission[In, Out]
}

type submission[In, Out any] struct {
	items     []In
	abandoned <-chan struct{}  // closed when its caller waits no more
	result    chan result[Out] // has room for one
}

type result[Out any] struct {
	out []Out
	err error
}

func newBatcher[In, Out any](limit int, do func(context.Context, []In) ([]Out, error)) *batcher[In, Out] {
	return &batcher[In, Out]{do: do, limit: limit, queue: make(chan submission[In, Out], limit)}
}

// submit hands items over and waits for their results. It returns when ctx is done;
// the items may or may not be processed then.
func (b *batcher[In, Out]) submit(ctx context.Context, items ...In) ([]Out, error) {
	s := submission[In, Out]{items: items, abandoned: ctx.Done(), result: make(chan result[Out], 1)}
	select {
	case b.queue <- s:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case r := <-s.result:
		return r.out, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// run processes submissions until ctx is done.
func (b *batcher[In, Out]) run(ctx context.Context) {
	var held *submission[In, Out] // the submission that did not fit into the last batch
	for {
		first := held
		if first == nil {
			select {
			case s := <-b.queue:
				first = &s
			case <-ctx.Done():
				return
			}
		}
		var batch []submission[In, Out]
		batch, held = b.gather(*first)
		b.process(ctx, batch)
	}
}

func (b *batcher[In, Out]) gather(first submission[In, Out]) (batch []submission[In, Out], held *submission[In, Out]) {
	batch = append(batch, first)
	for n := len(first.items); n < b.limit; {
		select {
		case s := <-b.queue:
			if n += len(s.items); n > b.limit {
				return batch, &s
			}
			batch = append(batch, s)
		default:
			return batch, nil
		}
	}
	return batch, nil
}

// process answers a batch's submissions. If the whole batch fails, one submission may be
// at fault. Then each gets a call of its own, until two calls fail for a reason that may
// not be the submission's. The remaining submissions get errElsewhere, and their callers
// submit them again.
func (b *batcher[In, Out]) process(ctx context.Context, batch []submission[In, Out]) {
	batch = alive(batch)
	if len(batch) == 0 {
		return
	}
	var items []In
	for _, s := range batch {
		items = append(items, s.items...)
	}
	out, err := b.do(ctx, items)
	if err != nil && len(batch) > 1 {
		b.processEach(ctx, batch)
		return
	}
	for _, s := range batch {
		if err != nil {
			s.result <- result[Out]{err: err}
			continue
		}
		s.result <- result[Out]{out: out[:len(s.items)]}
		out = out[len(s.items):]
	}
}

func (b *batcher[In, Out]) processEach(ctx context.Context, batch []submission[In, Out]) {
	failed := 0
	for _, s := range batch {
		if failed == 2 {
			s.result <- result[Out]{err: errElsewhere}
			continue
		}
		out, err := b.do(ctx, s.items)
		if err != nil && blame(err) != theRecords {
			failed++
		}
		s.result <- result[Out]{out: out, err: err}
	}
}

// alive returns the submissions for which a caller still waits.
func alive[In, Out any](batch []submission[In, Out]) []submission[In, Out] {
	var kept []submission[In, Out]
	for _, s := range batch {
		select {
		case <-s.abandoned:
		default:
			kept = append(kept, s)
		}
	}
	return kept
}
