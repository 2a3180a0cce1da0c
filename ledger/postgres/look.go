package postgres

import (
	"context"
	"errors"
)

// Look describes a ledger without opening it.
type Look struct {
	Role, Version  string // whom the server takes us for, and what it is
	Schema, Newest int64  // the version that the tables have (zero: there are none), and the one that Open brings them to
	MayCreate      bool   // the role may make tables
	Synced         bool   // the server waits for its disk
}

// LookAt looks at the ledger at url without changing it. It fails if Open would,
// but for rights that the role lacks. Address is the URL without its secrets.
func LookAt(ctx context.Context, url string) (look Look, address string, err error) {
	at, err := parse(url)
	if err != nil {
		return Look{}, "", err
	}
	db := connections(at)
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := newProvider(db)
	if err != nil {
		return Look{}, at.String(), err
	}
	look, err = lookAt(ctx, db, newest(provider))
	return look, at.String(), at.explain(err)
}
