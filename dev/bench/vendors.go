package bench

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/connector/entra"
	"github.com/tenurehq/tenure/connector/entra/entratest"
	"github.com/tenurehq/tenure/connector/google"
	"github.com/tenurehq/tenure/connector/google/googletest"
	"github.com/tenurehq/tenure/connector/okta"
	"github.com/tenurehq/tenure/connector/okta/oktatest"
	"github.com/tenurehq/tenure/connector/salesforce"
	"github.com/tenurehq/tenure/connector/salesforce/salesforcetest"
	"github.com/tenurehq/tenure/connector/vendortest"
	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/provision"
	"github.com/tenurehq/tenure/secret"
)

// vendor is a stand-in of a vendor, over a socket, and how it is connected.
type vendor struct {
	name     string
	door     *vendortest.Door
	accounts func() []vendortest.Account
	kind     connector.Kind
	settings connector.Settings
	rules    policy.AppRules
	// entitlement returns what the vendor calls a group of groupNames.
	entitlement func(group string) string
	quotas      []vendortest.Quota
	// share is how much of a company's requests the tightest quota of the vendor sees, about: that of
	// Entra ID is of changes, Okta has five, and few of the people of companyRoles have an account in Salesforce.
	share float64
	// late has the vendor show changes late, each for so long at most; it never does if nil.
	late func(time.Duration)
	// endTokens ends all tokens that the vendor has issued.
	endTokens func()
	costs     costs
	close     func()
}

// groupNames lists the groups that roles grant, in every vendor under a name of its own.
var groupNames = []string{"everybody", "makers", "sellers", "support", "managers"}

const vendorToken = "bench" // opens nothing else

// oktaApp is the API services app by which Okta is called.
const oktaApp = "0oa1"

// startVendors starts stand-ins of the four vendors by which most people sign in and sell.
func startVendors(ctx context.Context) (_ []*vendor, err error) {
	var all []*vendor
	defer func() {
		if err != nil {
			stopVendors(all)
		}
	}()
	for _, start := range []func(context.Context) (*vendor, error){startEntra, startGoogle, startOkta, startSalesforce} {
		v, err := start(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func stopVendors(all []*vendor) {
	for _, v := range all {
		v.close()
	}
}

// listen serves a stand-in on a port of its own.
func (v *vendor) listen(ctx context.Context, handler http.Handler) (url string, err error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(ln) }()
	v.close = func() {
		v.door.SetFaults(vendortest.Faults{}) // what is stalled ends
		_ = server.Close()
	}
	return "http://" + ln.Addr().String(), nil
}

func startEntra(context.Context) (*vendor, error) {
	tenant, stop := entratest.New()
	for _, group := range groupNames {
		tenant.AddGroup(group, nil)
	}
	return &vendor{
		name: "entra", share: 0.4, costs: entraCosts, quotas: entratest.Quotas(), door: tenant.Door(), accounts: tenant.Accounts, kind: entra.Kind, settings: tenant.Settings(),
		endTokens: tenant.EndTokens,
		late: func(most time.Duration) {
			tenant.SetSwitches(entratest.Switches{NotFoundReads: 1, StaleReads: 1})
			tenant.LateFor(most)
		},
		rules: policy.AppRules{Attributes: map[string]string{
			"displayName": "person.givenName + ' ' + person.familyName", "surname": "person.familyName", "jobTitle": "person.jobTitle",
			"manager": "manager.account",
		}},
		entitlement: func(group string) string { return group },
		close: func() {
			tenant.Door().SetFaults(vendortest.Faults{})
			stop()
		},
	}, nil
}

func startGoogle(ctx context.Context) (*vendor, error) {
	address := func(group string) string { return group + "@" + googletest.Domain }
	var groups []string
	for _, group := range groupNames {
		groups = append(groups, address(group))
	}
	app, err := googletest.New(groups...)
	if err != nil {
		return nil, err
	}
	v := &vendor{
		name: "google", share: 1, costs: googleCosts, quotas: googletest.Quotas(), door: app.Door(), accounts: app.Accounts, kind: google.Kind,
		endTokens: app.EndTokens,
		late: func(most time.Duration) {
			app.SetSwitches(googletest.Switches{
				NotFoundAfterCreate: 1, NamelessReads: 1, CreationIncomplete: 1, SearchesLag: 1, MembershipsLag: 1,
			})
			app.LateFor(most)
		},
		rules: policy.AppRules{Attributes: map[string]string{
			"givenName": "person.givenName", "familyName": "person.familyName", "title": "person.jobTitle",
		}},
		entitlement: address,
	}
	url, err := v.listen(ctx, app)
	v.settings = connector.Settings{
		"key": app.Key(), "admin": googletest.Admin, "domain": googletest.Domain, "url": url, "licensingURL": url, "tokenURL": url + "/token",
		"handOver": []any{},
	}
	return v, err
}

func startOkta(ctx context.Context) (*vendor, error) {
	key := vendortest.Key()
	org := oktatest.New(oktatest.Options{
		App:    oktatest.App{ID: oktaApp, KeyID: "k1", Key: &key.PublicKey, Scopes: []string{"okta.users.manage", "okta.groups.manage"}},
		Groups: groupNames,
	}, oktatest.Switches{Passwordless: true})
	v := &vendor{
		name: "okta", share: 0.15, costs: oktaCosts, quotas: oktatest.Quotas(), door: org.Door(), accounts: org.Accounts, kind: okta.Kind,
		endTokens: org.EndTokens,
		late: func(most time.Duration) {
			org.SetSwitches(oktatest.Switches{Passwordless: true, SearchLag: most})
		},
		rules: policy.AppRules{Attributes: map[string]string{
			"firstName": "person.givenName", "lastName": "person.familyName", "email": "person.email", "title": "person.jobTitle",
		}},
		entitlement: func(group string) string { return group },
	}
	url, err := v.listen(ctx, org)
	v.settings = connector.Settings{
		"url": url, "clientID": oktaApp, "keyID": "k1", "privateKey": secret.Of(vendortest.PEM(key)), "usernameSuffix": "@example.com",
	}
	return v, err
}

func startSalesforce(ctx context.Context) (*vendor, error) {
	org := salesforcetest.New(salesforcetest.Options{
		ClientID: "client", ClientSecret: vendorToken, Groups: []string{"everybody", "makers", "support", "managers"}, Sets: []string{"Sales_Cloud"},
	})
	v := &vendor{
		name: "salesforce", share: 0.3, endTokens: org.Expire, costs: salesforceCosts, quotas: salesforcetest.Quotas(0), door: org.Door(), accounts: org.Accounts, kind: salesforce.Kind,
		rules: policy.AppRules{Attributes: map[string]string{
			"FirstName": "person.givenName", "LastName": "person.familyName", "Email": "person.email", "Title": "person.jobTitle",
		}},
		entitlement: func(group string) string {
			if group == "sellers" {
				return "role:Sales_Cloud" // a permission set
			}
			return group
		},
	}
	url, err := v.listen(ctx, org)
	v.settings = connector.Settings{
		"url": url, "clientID": "client", "clientSecret": vendorToken, "usernameSuffix": "@example.com.crm", "profile": "Standard User",
	}
	return v, err
}

// hosting says how the product is hosted with the vendors.
type hosting struct {
	rules policy.Rules
	// rate returns how often a vendor may be called; nil: without limit.
	rate func(*vendor) pace.Rate
	// settling is how long the answers of those vendors may lag that declare it. Nobody waits a
	// quarter of an hour for a benchmark; zero is for stand-ins that always show the present.
	settling time.Duration
}

// hostVendors hosts the product with the four vendors, each with a pacer and places as a worker
// has them. What is granted in an app is what roles say; a role's grants name groups of
// groupNames.
func (r *rig) hostVendors(ctx context.Context, vendors []*vendor, h hosting) (*tenure, error) {
	h.rules.Person.Email = "person.username + '@example.com'"
	h.rules.Apps = map[string]policy.AppRules{}
	for _, v := range vendors {
		h.rules.Apps[v.name] = v.rules
	}
	ending, end := context.WithCancel(context.WithoutCancel(ctx))
	registry := prometheus.NewRegistry()
	metrics := pace.NewMetrics(registry)
	t, err := r.host(ctx, h.rules, func(store ledger.Ledger) (map[string]*provision.App, error) {
		open := map[string]*provision.App{}
		for _, v := range vendors {
			var rate pace.Rate
			if h.rate != nil {
				rate = h.rate(v)
			}
			pacer := pace.New(ending, v.name, rate, store, metrics)
			c, err := v.kind.Open(ctx, connector.Env{App: v.name, Pace: pacer.Wait, Pause: pacer.Pause}, v.settings)
			if err != nil {
				return nil, err
			}
			app := &provision.App{Connector: c, Rate: rate, Pacer: pacer, Places: pace.NewPlaces(ending, v.name, v.kind.CallsAtOnce(0), metrics)}
			if c.Capabilities().Settling > 0 {
				app.Settling = &h.settling
			}
			open[v.name] = app
		}
		return open, nil
	})
	if err != nil {
		end()
		return nil, err
	}
	t.end, t.waits = end, registry
	return t, nil
}

// grants returns the grants of groups in every one of some vendors.
func grants(vendors []*vendor, groups ...string) []policy.Grant {
	var all []policy.Grant
	for _, v := range vendors {
		g := policy.Grant{App: v.name}
		for _, group := range groups {
			g.Entitlements = append(g.Entitlements, v.entitlement(group))
		}
		all = append(all, g)
	}
	return all
}
