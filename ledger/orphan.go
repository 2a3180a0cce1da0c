package ledger

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/hr"
)

// OrphanID returns the ID of the person that stands for an account that is nobody's and is to
// end, by the number of the finding: "orphan:f-9". HR never says anything of that person, and
// policy gives them nothing, so planning ends the account like that of somebody who has left.
// The account's own ID is not part of it, since it may be somebody's name.
func OrphanID(finding int64) string { return hr.OrphanPrefix + FindingName(finding) }

// IsOrphan reports whether a person's ID stands for an account that is nobody's.
func IsOrphan(personID string) bool { return strings.HasPrefix(personID, hr.OrphanPrefix) }

const findingPrefix = "f-"

// FindingName returns the name of the finding with that number, such as "f-9".
func FindingName(id int64) string { return findingPrefix + strconv.FormatInt(id, 10) }

// FindingID returns the number of the finding with a name, and false if the text is no such
// name.
func FindingID(name string) (int64, bool) {
	number, ok := strings.CutPrefix(name, findingPrefix)
	id, err := strconv.ParseInt(number, 10, 64)
	return id, ok && err == nil && id > 0
}

// People is a list of everybody, by ID.
type People interface {
	People(ctx context.Context, after string, limit int) ([]Summary, error)
}

// AllOrphans yields those who stand for accounts that are nobody's, by ID: see OrphanID.
func AllOrphans(ctx context.Context, l People) iter.Seq2[Summary, error] {
	return func(yield func(Summary, error) bool) {
		for s, err := range everybody(ctx, l, hr.OrphanPrefix) {
			if err == nil && !IsOrphan(s.PersonID) || !yield(s, err) {
				return
			}
		}
	}
}
