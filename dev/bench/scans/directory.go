package scans

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tenurehq/tenure/connector"
	"github.com/tenurehq/tenure/ledger"
)

// directory is an app whose accounts are made when they are asked for, so that it needs no
// memory for them. Account number i belongs to person number i. Of a thousand accounts, two
// that the ledger has are not there, ten are in a group that nobody gave them, one is off,
// and three are nobody's.
type directory struct {
	accounts int // in the ledger and in the app, together
	listed   int // in the app
	url      string

	mu    sync.Mutex
	calls map[string]int
}

func newDirectory(n int) *directory {
	d := &directory{accounts: n, calls: map[string]int{}}
	d.listed = n - d.differences()[ledger.FindingMissing]
	return d
}

func personOf(i int) string   { return fmt.Sprintf("p%06d", i) }
func usernameOf(i int) string { return fmt.Sprintf("ada%06d", i) }

// accountOf returns IDs of which every second one is spelled like a UUID, as most apps do.
func accountOf(i int) string {
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", i*2654435761%(1<<32), i)
}

func numberOf(account string) (int, bool) {
	_, last, _ := strings.Cut(account, "-8000-")
	i, err := strconv.ParseInt(last, 16, 64)
	return int(i), err == nil && accountOf(int(i)) == account
}

func missing(i int) bool { return i%1000 == 17 || i%1000 == 517 }
func nobodys(i int) bool { return i%1000 == 3 || i%1000 == 303 || i%1000 == 603 }
func stray(i int) bool   { return i%100 == 5 }
func off(i int) bool     { return i%1000 == 29 }

// people lists the numbers of the people who have an account as far as the ledger knows.
func (d *directory) people() (all []int) {
	for i := range d.accounts {
		if !nobodys(i) {
			all = append(all, i)
		}
	}
	return all
}

// differences counts what a scan has to find.
func (d *directory) differences() map[ledger.FindingKind]int {
	counts := map[ledger.FindingKind]int{}
	for i := range d.accounts {
		for kind, is := range map[ledger.FindingKind]bool{
			ledger.FindingMissing: missing(i), ledger.FindingStray: stray(i), ledger.FindingOff: off(i), ledger.FindingOrphan: nobodys(i),
		} {
			if is {
				counts[kind]++
			}
		}
	}
	return counts
}

// groupsOf lists the groups that an account is in.
func groupsOf(i int) []string {
	if stray(i) {
		return []string{"admins", "staff"}
	}
	return []string{"staff"}
}

// page calls yield for accounts from the given number on, at most count, and returns the
// number at which the next page begins.
func (d *directory) page(from, count int, yield func(i int)) (next int) {
	for ; from < d.accounts && count > 0; from++ {
		if !missing(from) {
			yield(from)
			count--
		}
	}
	return from
}

func (d *directory) called(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls[what]++
}

// requests returns what the app was asked for since it was told to forget.
func (d *directory) requests() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls
}

func (d *directory) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = map[string]int{}
}

// generated is the app without any protocol: what a scan costs besides its connector.
type generated struct {
	connector.Base
	directory *directory
}

// generatedPage is how many accounts a page has.
const generatedPage = 500

func (generated) account(i int) connector.Account {
	return connector.Account{
		ID: accountOf(i), Username: usernameOf(i), ExternalID: externalOf(i), Active: !off(i), Entitlements: groupsOf(i),
		Attributes: map[string]any{"title": "Engineer", "displayName": "Ada"},
	}
}

func externalOf(i int) string {
	if nobodys(i) {
		return ""
	}
	return personOf(i)
}

// Page implements connector.Connector.
func (g generated) Page(_ context.Context, token string) (page connector.Page, err error) {
	g.directory.called("page")
	from := 0
	if token != "" {
		if from, err = strconv.Atoi(token); err != nil {
			return page, err
		}
	}
	next := g.directory.page(from, generatedPage, func(i int) { page.Accounts = append(page.Accounts, g.account(i)) })
	if page.Total = g.directory.listed; next < g.directory.accounts {
		page.Next = strconv.Itoa(next)
	}
	return page, nil
}

// Read implements connector.Connector.
func (g generated) Read(_ context.Context, id string) (connector.Account, error) {
	g.directory.called("read")
	if i, ok := numberOf(id); ok && i < g.directory.accounts && !missing(i) {
		return g.account(i), nil
	}
	return connector.Account{}, &connector.Error{Kind: connector.KindNotFound, Op: connector.OpRead, Message: "there is no such account"}
}

// Capabilities implements connector.Connector.
func (generated) Capabilities() connector.Capabilities {
	return connector.Capabilities{List: true, Page: true}
}

// Find implements connector.Connector.
func (generated) Find(context.Context, connector.Keys) ([]connector.Match, error) {
	return nil, connector.Unsupported(connector.OpFind)
}

// Check implements connector.Connector.
func (generated) Check(context.Context) (string, error) { return "", nil }

// Close implements connector.Connector.
func (generated) Close() error { return nil }

// serve serves the app by SCIM.
func (d *directory) serve(ctx context.Context) (*http.Server, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	d.url = "http://" + ln.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ServiceProviderConfig", func(w http.ResponseWriter, _ *http.Request) {
		d.called("GET ServiceProviderConfig")
		answer(w, http.StatusOK, map[string]any{"patch": yes, "filter": map[string]any{"supported": true, "maxResults": scimPage}})
	})
	mux.HandleFunc("GET /Users", d.list)
	mux.HandleFunc("GET /Users/{id}", d.read)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		d.called("GET " + strings.Trim(r.URL.Path, "/"))
		answer(w, http.StatusNotFound, notFound)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(ln) }()
	return server, nil
}

// scimPage is how many resources the service sends at most.
const scimPage = 200

var (
	yes      = map[string]any{"supported": true}
	notFound = map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:Error"}, "status": "404"}
)

func (d *directory) list(w http.ResponseWriter, r *http.Request) {
	d.called("GET Users")
	query := r.URL.Query()
	count, _ := strconv.Atoi(query.Get("count"))
	start, _ := strconv.Atoi(query.Get("startIndex"))
	from := d.page(0, max(start-1, 0), func(int) {})
	resources := []any{}
	if count = min(count, scimPage); count > 0 {
		d.page(from, count, func(i int) { resources = append(resources, resource(i)) })
	}
	answer(w, http.StatusOK, map[string]any{
		"schemas":      []string{"urn:ietf:params:scim:api:messages:2.0:ListResponse"},
		"totalResults": d.listed, "startIndex": max(start, 1), "itemsPerPage": len(resources), "Resources": resources,
	})
}

func (d *directory) read(w http.ResponseWriter, r *http.Request) {
	d.called("GET Users/ID")
	if i, ok := numberOf(r.PathValue("id")); ok && i < d.accounts && !missing(i) {
		answer(w, http.StatusOK, resource(i))
		return
	}
	answer(w, http.StatusNotFound, notFound)
}

func resource(i int) map[string]any {
	groups := []any{}
	for _, name := range groupsOf(i) {
		groups = append(groups, map[string]any{"value": "g-" + name, "display": name})
	}
	return map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "id": accountOf(i), "userName": usernameOf(i),
		"externalId": externalOf(i), "active": !off(i), "groups": groups, "title": "Engineer", "displayName": "Ada",
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
