package memory

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// seatsOf reads the setting licences: the seats of each licence, by the entitlement's name.
func seatsOf(texts []string) (map[string]int, error) {
	seats := map[string]int{}
	for _, text := range texts {
		name, number, _ := strings.Cut(text, "=")
		n, err := strconv.Atoi(number)
		if name == "" || err != nil || n < 1 {
			return nil, connector.Invalid(connector.OpOpen, "licences: %q must be a name and a number above zero, such as \"office=25\"", text)
		}
		seats[string(connector.Licence)+":"+name] = n
	}
	return seats, nil
}

// Entitlements lists the licences that have a number of seats.
func (c client) Entitlements(ctx context.Context) iter.Seq2[connector.Entitlement, error] {
	return func(yield func(connector.Entitlement, error) bool) {
		var all []connector.Entitlement
		err := c.look(ctx, connector.OpListEntitlements, "", func() error {
			for _, name := range slices.Sorted(maps.Keys(c.seats)) {
				seats := connector.Seats{Total: c.seats[name], Used: c.app.holders(name)}
				all = append(all, connector.Entitlement{Name: name, Kind: connector.Licence, Seats: seats})
			}
			return nil
		})
		if err != nil {
			yield(connector.Entitlement{}, err)
			return
		}
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// holders counts the accounts that have an entitlement.
func (a *App) holders(name string) (n int) {
	for _, account := range a.accounts {
		if slices.Contains(account.Entitlements, name) {
			n++
		}
	}
	return n
}
