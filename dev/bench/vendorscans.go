package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tenurehq/tenure/connector"
)

// VendorScan counts the requests to a vendor for one list of all accounts, with who is in
// which group.
type VendorScan struct {
	Vendor   string         `json:"vendor"`
	Accounts int            `json:"accounts"`
	Calls    map[string]int `json:"calls"` // by method and route
	Total    int            `json:"total"`
}

// vendorScans lists the accounts of each vendor, of which each is in two groups, as a scan
// does.
func vendorScans(ctx context.Context, accounts int) (all []VendorScan, err error) {
	vendors, err := startVendors(ctx)
	if err != nil {
		return nil, err
	}
	defer stopVendors(vendors)
	for _, v := range vendors {
		one, err := v.scan(ctx, accounts)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// scan makes accounts, and counts what it takes to list them.
func (v *vendor) scan(ctx context.Context, accounts int) (one VendorScan, err error) {
	c, err := v.kind.Open(ctx, connector.Env{App: v.name}, v.settings)
	if err != nil {
		return one, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for i := range accounts {
		account, err := c.Create(ctx, v.specOf(i))
		if err != nil {
			return one, err
		}
		if err := c.Grant(ctx, account.ID, []string{v.entitlement("everybody"), v.entitlement("makers")}); err != nil {
			return one, err
		}
	}
	one = VendorScan{Vendor: v.name, Calls: map[string]int{}}
	v.door.Calls()
	if one.Accounts, err = listed(ctx, c); err != nil {
		return one, err
	}
	for _, call := range v.door.Calls() {
		one.Calls[call.Class]++
		one.Total++
	}
	if one.Accounts < accounts {
		return one, fmt.Errorf("%d accounts are listed, and %d were made", one.Accounts, accounts)
	}
	return one, nil
}

// specOf returns what an account is made of, with a value for each attribute that is mapped.
func (v *vendor) specOf(i int) connector.Spec {
	spec := connector.Spec{PersonID: fmt.Sprint("scanned-", i), Username: fmt.Sprint("ada", i), Active: true, Attributes: map[string]any{}}
	for name := range v.rules.Attributes {
		switch {
		case name == "manager":
		case strings.Contains(strings.ToLower(name), "email"):
			spec.Attributes[name] = spec.Username + "@example.com"
		default:
			spec.Attributes[name] = "Ada"
		}
	}
	return spec
}

// listed lists all accounts as a scan does, and counts them.
func listed(ctx context.Context, c connector.Connector) (n int, err error) {
	if !c.Capabilities().Page {
		for _, err := range c.List(ctx) {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	}
	for token := ""; ; {
		page, err := c.Page(ctx, token)
		if n += len(page.Accounts); err != nil || page.Next == "" {
			return n, err
		}
		token = page.Next
	}
}
