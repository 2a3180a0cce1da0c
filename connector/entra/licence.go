package entra

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/rest"
)

// sku is a licence that the tenant has bought (learn.microsoft.com/graph/api/resources/
// subscribedsku).
type sku struct {
	ID        string `json:"skuId"`
	Part      string `json:"skuPartNumber"`
	AppliesTo string `json:"appliesTo"`
	Used      int    `json:"consumedUnits"`
	Bought    struct {
		Enabled int `json:"enabled"`
		Warning int `json:"warning"`
	} `json:"prepaidUnits"`
	Plans []plan `json:"servicePlans"`
}

// plan is a part of a licence.
type plan struct {
	ID   string `json:"servicePlanId"`
	Name string `json:"servicePlanName"`
}

// entitlement returns the licence with its seats. Seats in warning have expired, and can
// still be used for a while.
func (s sku) entitlement() connector.Entitlement {
	return connector.Entitlement{
		Name: licencePrefix + s.Part, Kind: connector.Licence,
		Seats: connector.Seats{Total: s.Bought.Enabled + s.Bought.Warning, Used: s.Used},
	}
}

// subscriptions returns the licences that the tenant has bought; none if licences are left
// out.
func (c *client) subscriptions(ctx context.Context, op string) ([]sku, error) {
	if !c.licences {
		return nil, nil
	}
	return c.skus.Get("", func() ([]sku, error) {
		return rest.Collect(each[sku](ctx, c, rest.Request{Op: op, Path: "/subscribedSkus"}))
	})
}

// licensed says how a user has a licence (learn.microsoft.com/graph/api/resources/
// licenseassignmentstate). The names of the states are Graph's.
type licensed struct {
	SKU   string `json:"skuId"`
	Group string `json:"assignedByGroup"` // empty: the licence is the user's own
	State string `json:"state"`
	Error string `json:"error"`
}

// works reports whether the user can use the licence.
func (l licensed) works() bool { return l.State == "Active" || l.State == "ActiveWithError" }

// states returns how a user has licences. A licence without a state is one whose state Graph
// does not show yet.
func states(op string, u user) ([]licensed, error) {
	var shown struct {
		States   []licensed `json:"licenseAssignmentStates"`
		Licences []licensed `json:"assignedLicenses"`
	}
	raw, err := json.Marshal(u)
	if err == nil {
		err = json.Unmarshal(raw, &shown)
	}
	if err != nil || u["assignedLicenses"] == nil {
		return nil, rest.Contradictory(op, "Microsoft Graph answered with a user without the licences that were selected")
	}
	for _, l := range shown.Licences {
		if !slices.ContainsFunc(shown.States, func(s licensed) bool { return s.SKU == l.SKU }) {
			shown.States = append(shown.States, licensed{SKU: l.SKU, State: "Active"})
		}
	}
	return shown.States, nil
}

// licencesOf returns the names of a user's licences. A licence that comes from a group says so,
// and one that Graph could not give says why: only "licence:NAME" is a licence of the user's own.
func (c *client) licencesOf(ctx context.Context, op string, u user, groups []group) ([]string, error) {
	if !c.licences {
		return nil, nil
	}
	has, err := states(op, u)
	if err != nil || len(has) == 0 {
		return nil, err
	}
	skus, err := c.subscriptions(ctx, op)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, l := range has {
		name := licencePrefix + l.SKU
		if i := slices.IndexFunc(skus, func(s sku) bool { return strings.EqualFold(s.ID, l.SKU) }); i >= 0 {
			name = licencePrefix + skus[i].Part
		}
		if l.Group != "" {
			from := "a group"
			if i := slices.IndexFunc(groups, func(g group) bool { return strings.EqualFold(g.ID, l.Group) }); i >= 0 {
				from = groups[i].Name
			}
			name += " (by " + from + ")"
		}
		if !l.works() {
			name += " (" + strings.TrimSpace("not given: "+l.Error) + ")"
		}
		names = append(names, name)
	}
	return names, nil
}

// reasons says what the errors of a licence mean (learn.microsoft.com/entra/fundamentals/
// licensing-groups-resolve-problems).
var reasons = map[string]string{
	noSeat:                               "no seat is left: buy seats or free one",
	"MutuallyExclusiveViolation":         "another licence of the person has a service plan that excludes one of this licence",
	"DependencyViolation":                "a service plan needs another one that the person does not have",
	"ProhibitedInUsageLocationViolation": "the service is not sold in the person's usageLocation",
	"UniquenessViolation":                "another user or group has one of the person's addresses",
}

// theSKU returns the licence of a name, and the service plans that are left out.
func (c *client) theSKU(ctx context.Context, op, name string) (found sku, without []string, err error) {
	if !c.licences {
		return sku{}, nil, connector.Invalid(op, "the licence %q cannot be granted or revoked: set licences to true", name)
	}
	skus, err := c.subscriptions(ctx, op)
	if err != nil {
		return sku{}, nil, err
	}
	i := slices.IndexFunc(skus, func(s sku) bool { return strings.EqualFold(s.Part, name) })
	if i < 0 {
		return sku{}, nil, connector.Invalid(op, "the tenant has no licence %q: licences go by their SKU part number, such as SPE_E3", name)
	}
	for _, left := range strings.FieldsFunc(c.withoutPlans[skus[i].Part], func(r rune) bool { return r == ',' || r == ' ' }) {
		at := slices.IndexFunc(skus[i].Plans, func(p plan) bool { return strings.EqualFold(p.Name, left) })
		if at < 0 {
			return sku{}, nil, connector.Invalid(op, "the licence %q has no service plan %q: correct the setting withoutPlans", name, left)
		}
		without = append(without, skus[i].Plans[at].ID)
	}
	return skus[i], without, nil
}

// own returns how the user has a licence of their own; nil if they do not.
func own(has []licensed, s sku) *licensed {
	i := slices.IndexFunc(has, func(l licensed) bool { return strings.EqualFold(l.SKU, s.ID) && l.Group == "" })
	if i < 0 {
		return nil
	}
	return &has[i]
}

// noSeat is why Graph could not give a licence, if no seat was left.
const noSeat = "CountViolation"

// license gives a user a licence. One that works stays as it is, with the service plans that
// somebody chose. One that Graph could not give is an error, and is asked for again unless there
// is still no seat.
func (c *client) license(ctx context.Context, accountID, name string) error {
	const op = connector.OpGrant
	s, without, err := c.theSKU(ctx, op, name)
	if err != nil {
		return err
	}
	has, err := c.licensesNow(ctx, op, accountID)
	if err != nil {
		return err
	}
	now := own(has, s)
	if now != nil && now.works() {
		return nil
	}
	if seats := s.entitlement().Seats; now != nil && now.Error == noSeat && seats.Used >= seats.Total {
		return connector.Invalid(op, "Microsoft could not give the licence %q (%s): %s; it is asked for again once a seat is free", name, noSeat, reasons[noSeat])
	}
	add := map[string]any{"skuId": s.ID, "disabledPlans": append([]string{}, without...)}
	if err = c.assignLicense(ctx, op, accountID, []any{add}, []string{}); err != nil || now == nil {
		return err
	}
	why := reasons[now.Error]
	if why == "" {
		why = "see the user's licences in the Entra admin centre"
	}
	return connector.Invalid(op, "Microsoft could not give the licence %q (%s): %s; it was asked for again", name, now.Error, why)
}

// unlicense takes a licence of the user's own. One that a group gives cannot be taken.
func (c *client) unlicense(ctx context.Context, accountID, name string) error {
	const op = connector.OpRevoke
	name, from, inherited := strings.Cut(name, " (by ")
	if inherited {
		return connector.Invalid(op, "the licence %q comes from %s: take the person out of that group", name, strings.TrimSuffix(from, ")"))
	}
	name, _, _ = strings.Cut(name, " (not given")
	s, _, err := c.theSKU(ctx, op, name)
	if err != nil {
		if c.licences && connector.Is(err, connector.KindInvalid) {
			return nil
		}
		return err
	}
	err = c.assignLicense(ctx, op, accountID, []any{}, []string{s.ID})
	if !connector.Is(err, connector.KindInvalid) {
		return rest.Gone(err)
	}
	has, readErr := c.licensesNow(ctx, op, accountID)
	switch {
	case readErr != nil || own(has, s) != nil:
		return err
	case slices.ContainsFunc(has, func(l licensed) bool { return strings.EqualFold(l.SKU, s.ID) }):
		return connector.Invalid(op, "the licence %q comes from a group: take the person out of the group that gives it", name)
	}
	return nil
}

func (c *client) licensesNow(ctx context.Context, op, accountID string) ([]licensed, error) {
	u, err := c.brief(ctx, op, accountID, "assignedLicenses", "licenseAssignmentStates")
	if err != nil {
		return nil, err
	}
	return states(op, u)
}

// assignLicense adds and removes licences (learn.microsoft.com/graph/api/user-assignlicense).
func (c *client) assignLicense(ctx context.Context, op, accountID string, add []any, remove []string) error {
	_, err := c.api.Do(ctx, rest.Request{
		Op: op, Method: http.MethodPost, Path: rest.Path("users", accountID, "assignLicense"),
		Body: map[string]any{"addLicenses": add, "removeLicenses": remove},
	}, nil)
	return err
}
