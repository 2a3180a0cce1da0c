package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/tenurehq/tenure/dev/bench/scans"
	"github.com/tenurehq/tenure/dev/bench/sheet"
)

// Options says how much is measured.
type Options struct {
	Apps   []int // numbers of apps to count with
	People int   // for each number of apps and each change
	// Postgres is the URL of a PostgreSQL server on which what the ledger asks is counted too, by a
	// role that may create databases; empty: only with a file.
	Postgres string
	SCIM     int // people whose requests to an app that speaks SCIM are counted; 0 leaves it out

	Vendors bool           // counts the requests to stand-ins of vendors for each change
	Company CompanyOptions // a company that is driven into them; no people leave it out

	Scans scans.Options // how large the apps are that are scanned
	// Listed is how many accounts the stand-ins of vendors have that are listed; 0 leaves it out.
	Listed int

	CutOff CutOffOptions // for measuring how long it takes to cut somebody off among queued joiners

	RaceApps    int // number of apps in the race; 0 leaves it out
	Flows       int // per round
	Concurrency int // flows at once
	Rounds      int // after a first one that warms up

	Temporal   string    // host:port of a server to use, with the namespace "default"; empty: the embedded one
	CPUProfile string    // file for a CPU profile of the last round of joiners; empty: none
	Progress   io.Writer // gets lines about what is being done; never nil
}

// Standard returns the options of `make bench`.
func Standard() Options {
	return Options{
		Apps: []int{1, 5, 10, 25}, People: 7, SCIM: 5, Vendors: true, Company: StandardCompany(100),
		Scans: scans.Options{Accounts: []int{10_000, 100_000}}, Listed: 250,
		CutOff:   CutOffOptions{Apps: 5, Takes: 100 * time.Millisecond, Queued: 10_000, People: 15},
		RaceApps: 10, Flows: 200, Concurrency: 32, Rounds: 3, Progress: io.Discard,
	}
}

// StandardCompany returns the options for a company of so many people: with quotas that are used
// up on a machine of two cores, and with faults.
func StandardCompany(people int) CompanyOptions {
	return CompanyOptions{People: people, Parts: 4, PerSecond: 20, Faults: 1, CutOffs: 10}
}

// Report holds everything that was measured.
type Report struct {
	Go     string  `json:"go"`
	CPUs   int     `json:"cpus"`
	Counts []Count `json:"counts"`
	Calls  []Calls `json:"calls"`
	// Ledger says what the ledger asked of its database.
	Ledger []LedgerCost `json:"ledger"`
	// Requests counts the requests to an app that speaks SCIM; empty if that was left
	// out.
	Requests []Requests `json:"requests,omitempty"`
	// Vendors counts the requests to stand-ins of vendors, and Company says what became of the
	// history of a company there; empty if that was left out.
	Vendors []VendorCalls `json:"vendors,omitempty"`
	Company *Company      `json:"company,omitempty"`
	// Scans says what scans of an app took, and Lists counts the requests to stand-ins of vendors
	// for a list of all accounts; empty if that was left out.
	Scans  []scans.Cost `json:"scans,omitempty"`
	Lists  []VendorScan `json:"lists,omitempty"`
	CutOff *CutOff      `json:"cutOff,omitempty"`
	Race   *Race        `json:"race,omitempty"`
}

// Run measures.
func Run(ctx context.Context, o Options) (Report, error) {
	report := Report{Go: runtime.Version(), CPUs: runtime.NumCPU()}
	// This comes first, because the server needs memory too.
	costs, err := scans.Measure(ctx, o.Scans, o.tell)
	if err != nil {
		return Report{}, err
	}
	report.Scans = costs
	if o.Listed > 0 {
		o.tell("listing the accounts of stand-ins of vendors ...")
		if report.Lists, err = vendorScans(ctx, o.Listed); err != nil {
			return Report{}, err
		}
	}
	r, err := openRig(ctx, o.Temporal)
	if err != nil {
		return Report{}, err
	}
	defer r.close()
	for _, n := range o.Apps {
		o.tell("counting with %d apps ...", n)
		for i, server := range o.ledgers() {
			all, err := r.count(ctx, n, o.People, server)
			if err != nil {
				return Report{}, err
			}
			report.Ledger = append(report.Ledger, all.ledger...)
			if i == 0 { // the others are the same
				report.Counts, report.Calls = append(report.Counts, all.counts...), append(report.Calls, all.calls...)
			}
		}
	}
	if o.SCIM > 0 {
		o.tell("counting requests to an app that speaks SCIM ...")
		if report.Requests, err = r.requests(ctx, o.SCIM); err != nil {
			return Report{}, err
		}
	}
	if err := r.vendors(ctx, o, &report); err != nil {
		return Report{}, err
	}
	if o.RaceApps > 0 {
		o.tell("comparing with bare workflows, %d rounds of %d flows each ...", o.Rounds+1, o.Flows)
		race, err := r.race(ctx, o)
		if err != nil {
			return Report{}, err
		}
		report.Race = &race
	}
	if o.CutOff.Queued == 0 {
		return report, nil
	}
	// This comes last, because the server is slower with so much in its store.
	o.tell("cutting people off, with nothing else to do and among %d queued joiners ...", o.CutOff.Queued)
	cutOff, err := r.cutOff(ctx, o.CutOff)
	report.CutOff = &cutOff
	return report, err
}

// vendors counts the requests to stand-ins of vendors.
func (r *rig) vendors(ctx context.Context, o Options, report *Report) (err error) {
	if o.Vendors {
		o.tell("counting requests to stand-ins of vendors ...")
		if report.Vendors, err = r.vendorCalls(ctx); err != nil {
			return err
		}
	}
	if o.Company.People == 0 {
		return nil
	}
	o.tell("driving the history of %d people into stand-ins of vendors ...", o.Company.People)
	c, err := r.company(ctx, o.Company, o.tell)
	report.Company = &c
	return err
}

// ledgers lists where the ledger is while changes are counted: a file first.
func (o Options) ledgers() []string {
	if o.Postgres == "" {
		return []string{""}
	}
	return []string{"", o.Postgres}
}

func (o Options) tell(format string, args ...any) { fmt.Fprintf(o.Progress, format+"\n", args...) }

// profile starts the CPU profile, if this round is the one to profile.
func (o Options) profile(round int) (stop func(), err error) {
	if round != o.Rounds {
		return sheet.Profile("")
	}
	return sheet.Profile(o.CPUProfile)
}
