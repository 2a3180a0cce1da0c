package operator

import (
	"context"
	"io"

	"github.com/tenurehq/tenure/ledger"
)

// Export writes everything that the ledger holds, names included.
func (o *Operator) Export(ctx context.Context, r Request, w io.Writer, p ledger.Progress) (ledger.Export, error) {
	if err := Export.Check(r); err != nil {
		return ledger.Export{}, err
	}
	return o.ledger.Export(ctx, w, o.move(r), p)
}

// Import reads what Export wrote into the ledger, which must be empty.
func (o *Operator) Import(ctx context.Context, r Request, in io.Reader, p ledger.Progress) (ledger.Export, error) {
	if err := Import.Check(r); err != nil {
		return ledger.Export{}, err
	}
	return o.ledger.Import(ctx, in, o.move(r), p)
}

func (o *Operator) move(r Request) ledger.Move {
	return ledger.Move{Operator: r.Actor, At: o.Clock.Now()}
}
