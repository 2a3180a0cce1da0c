package directory

import (
	"context"
	"errors"
	"fmt"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/tenurehq/tenure/internal/remote"
)

// maxAnswer bounds the bytes of a server's answer to one request. It is enough for a page of
// entries, or a group of some 200,000 members. go-ldap holds an answer as a whole, so long
// answers of all servers share the room of remote.Answers.
const maxAnswer = 32 << 20

// maxEntries bounds the entries of an answer, for servers without paging. Even a short entry
// takes a kilobyte or two of memory.
const maxEntries = 20_000

// This refuses a message that announces a greater length, without waiting for it.
func init() { ber.MaxPacketLengthBytes = maxAnswer }

func tooLong(op string) *remote.Error {
	return &remote.Error{
		Kind: remote.Invalid, Op: op, Cause: remote.ErrTooLong,
		Message: fmt.Sprintf("the directory's answer is longer than %d MB, or than %d entries: lower the pageSize setting", maxAnswer>>20, maxEntries),
	}
}

// search makes one search request.
func search(ctx context.Context, conn *ldap.Conn, r *ldap.SearchRequest) (*ldap.SearchResult, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	answer, found := conn.SearchAsync(ctx, r, 0), &ldap.SearchResult{}
	for answer.Next() {
		if entry := answer.Entry(); entry != nil {
			found.Entries = append(found.Entries, entry)
		}
		if len(found.Entries) > maxEntries {
			return nil, remote.ErrTooLong
		}
	}
	found.Controls = answer.Controls()
	switch {
	case answer.Err() != nil:
		return nil, answer.Err()
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case conn.IsClosing() || conn.GetLastError() != nil: // go-ldap ends the answer here without an error
		return nil, ldap.NewError(ldap.ErrorNetwork, errors.New("the connection ended"))
	}
	return found, nil
}
