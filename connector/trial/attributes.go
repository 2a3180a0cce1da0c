package trial

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// keep checks that the app keeps the attributes that the account was created with. The
// step names those that it does not keep. The trial goes on after that.
func (t *Trial) keep(ctx context.Context, id string, spec connector.Spec) {
	if len(spec.Attributes) == 0 && !t.marks() {
		return
	}
	t.do("keep its attributes", func() (string, error) {
		return "", t.shows(ctx, id, func(account connector.Account) error {
			dropped, err := t.dropped(ctx, account, spec)
			if err != nil || len(dropped) == 0 {
				return err
			}
			names := strings.Join(dropped, ", ")
			return unlike("the account does not show as they were set: %s. Have the app keep them (many want attributes declared first), "+
				"or say in the configuration of the app that it does not: ignore: [%s]", names, names)
		})
	})
}

// dropped returns the names of the attributes that the account was created with and does
// not show.
func (t *Trial) dropped(ctx context.Context, account connector.Account, spec connector.Spec) ([]string, error) {
	set := maps.Clone(spec.Attributes)
	maps.DeleteFunc(set, func(name string, _ any) bool { return slices.Contains(t.Ignore, name) })
	dropped, err := connector.Dropped(ctx, t.Connector, account, set)
	if t.marks() && spec.PersonID != "" && account.ExternalID == "" && !slices.Contains(t.Ignore, connector.ExternalID) {
		dropped = append(dropped, connector.ExternalID)
	}
	return dropped, err
}

// marks reports whether the connector writes external IDs.
func (t *Trial) marks() bool { return t.can().Adopt }
