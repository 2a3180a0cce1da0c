package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tenurehq/tenure/ledger"
	"github.com/tenurehq/tenure/review"
)

// Verdict says what a check came to.
type Verdict string

// The verdicts.
const (
	Ties      Verdict = "ties out"
	TiesNot   Verdict = "does not tie out"
	CannotSay Verdict = "cannot be told"
)

// Check compares what was counted in one place with what was counted in another.
type Check struct {
	Check   string   `json:"check"`
	Of      string   `json:"of,omitempty"` // the app, the partition, the review
	Numbers []Number `json:"numbers"`
	Verdict Verdict  `json:"verdict"`
	Why     string   `json:"why"`             // in words
	Which   []string `json:"which,omitempty"` // what does not tie out, the first ones
}

// Number is a number that was counted.
type Number struct {
	What string `json:"what"`
	N    int    `json:"n"`
}

// mostNamed is how many of what does not tie out are named. All are counted.
const mostNamed = 50

// tally counts while the files are written.
type tally struct {
	toTake    int      // accounts of leavers
	late      int      // of which it was proven too late that they are off, or is not yet
	on        []string // of which it is not proven
	again     int      // of which it was not done before their owner was employed again
	erased    []string // people of the scope of whom what HR said was erased
	links     int      // accounts that the ledger believes somebody has or had
	differ    []string // of which the record says something else
	letters   int      // records that could not be read, and about which nothing is decided
	waivers   map[string]int
	conflicts map[string]int
}

// stream is a partition of a topic.
type stream struct {
	topic     string
	partition int
}

// offsets holds what became of the records of a partition, by their offsets: a record may hold
// several events.
type offsets map[int64]place

// place says what became of a record.
type place int

const (
	counted  place = iota // it is an event in the ledger
	refused               // it could not be read
	repeated              // it said again what another one had said
)

// offset notes a record.
func (k *maker) offset(at ledger.Position, received time.Time, what place) {
	if at.Topic == "" || !k.everybody() || !k.holds(received) {
		return
	}
	s := stream{at.Topic, at.Partition}
	if k.streams[s] == nil {
		k.streams[s] = offsets{}
	}
	if _, known := k.streams[s][at.Offset]; !known || what == counted {
		k.streams[s][at.Offset] = what
	}
}

// check adds a check. It ties out unless something is named that does not, or it has a verdict.
func (k *maker) check(c Check, which ...string) {
	switch {
	case len(which) > 0:
		c.Verdict = TiesNot
	case c.Verdict == "":
		c.Verdict = Ties
	}
	slices.Sort(which)
	c.Which = which[:min(len(which), mostNamed)]
	k.checks = append(k.checks, c)
}

// reviewTies compares the population of a review with what is in the pack.
func (k *maker) reviewTies(r ledger.Review, s review.Summary, items, accesses int) {
	c := Check{
		Check: "a review's population against its items", Of: r.Ref(),
		Numbers: []Number{{"items when it was opened", r.Items}, {"items in the pack", items}, {"accesses when it was opened", r.Accesses}, {"accesses in the pack", accesses}, {"decided by humans", s.Human}, {"decided by silence", s.Silence}, {"moot", s.Moot}, {"open", s.Open}},
		Why:     "every account and entitlement that was frozen is in an item, and every item is decided by a human, by silence, moot or open",
	}
	var which []string
	if accesses != r.Accesses {
		which = append(which, "the accesses are not those that were frozen")
	}
	if items < r.Items || s.Human+s.Silence+s.Moot+s.Open != items {
		which = append(which, "items are missing")
	}
	if r.OpenedAt.IsZero() {
		c.Verdict, c.Why, which = CannotSay, "its population is being frozen", nil
	}
	k.check(c, which...)
}

// tieOut writes down whether what was counted in one place is what was counted in another.
func (k *maker) tieOut(size int64) error {
	k.leavesTie(size)
	if k.Review == "" {
		k.recordTies()
		k.leaversTie()
		k.eventsTie()
		k.erasuresTie()
		k.streamsTie()
		k.scansTie()
	}
	for _, c := range k.checks {
		if err := k.emit(fileTieOut, c); err != nil {
			return err
		}
	}
	return nil
}

// leavesTie says whether the record has gaps.
func (k *maker) leavesTie(size int64) {
	c := Check{
		Check:   "the record's rows against the leaves of its log",
		Numbers: []Number{{"leaves of the log", int(size)}, {"rows that belong to them", int(size)}, {"rows in the pack", int(k.rows.taken)}, {"rows that no leaf covers yet", int(k.rows.waiting)}},
		Why:     "every leaf of the log, from the first to the last that the checkpoint covers, has its row, and no row was changed",
	}
	if k.everybody() && k.rows.inTime > 0 {
		span := k.rows.last - k.rows.first + 1
		c.Numbers = append(c.Numbers, Number{"first leaf of the time", int(k.rows.first)}, Number{"last leaf of the time", int(k.rows.last)},
			Number{"rows of the time", int(k.rows.inTime)}, Number{"leaves between them of other times", int(span - k.rows.inTime)})
	}
	k.check(c)
}

// recordTies says whether the ledger believes what the record says.
func (k *maker) recordTies() {
	k.check(Check{
		Check:   "accounts in the ledger against the record",
		Numbers: []Number{{"accounts", k.tally.links}, {"of which the record says the same", k.tally.links - len(k.tally.differ)}, {"of which it says something else", len(k.tally.differ)}},
		Why:     "the state of each account, as the ledger has it, is what the rows of the record come to",
	}, k.tally.differ...)
}

// leaversTie says whether every account of a leaver is proven to be off.
func (k *maker) leaversTie() {
	k.check(Check{
		Check:   "accounts of leavers against proofs",
		Numbers: []Number{{"leavers", k.lines["leavers.jsonl"]}, {"accounts", k.tally.toTake}, {"proven to be off", k.tally.toTake - len(k.tally.on) - k.tally.again}, {"of people who were employed again before that", k.tally.again}, {"not proven", len(k.tally.on)}, {"late", k.tally.late}},
		Why:     "for every account that a leaver had, the app has shown that it is off or gone, or they were employed again before",
	}, k.tally.on...)
}

// eventsTie says what came of every event.
func (k *maker) eventsTie() {
	events, sum := k.lines["events.jsonl"], 0
	c := Check{Check: "HR's events against what came of them", Numbers: []Number{{"events", events}}, Why: "every event is exactly one of these"}
	for _, effect := range slices.Sorted(maps.Keys(k.effects)) {
		c.Numbers = append(c.Numbers, Number{effect, k.effects[effect]})
		sum += k.effects[effect]
	}
	var which []string
	if sum != events {
		which = append(which, fmt.Sprintf("%d events are not accounted for", events-sum))
	}
	k.check(c, which...)
}

// erasuresTie says of whom what HR said is not known any more.
func (k *maker) erasuresTie() {
	c := Check{
		Check: "people who were erased", Numbers: []Number{{"people", len(k.tally.erased)}}, Verdict: Ties,
		Why: "of everybody for whom something was done, it is known what HR said",
	}
	if len(k.tally.erased) > 0 {
		c.Verdict = CannotSay
		c.Why = "what HR said of them is not known any more, so they are not among those who left, joined or moved: what was done for them is in the rows, under their IDs"
		c.Which = k.tally.erased[:min(len(k.tally.erased), mostNamed)]
	}
	k.checks = append(k.checks, c)
}

// streamsTie says whether every record of Kafka is an event.
func (k *maker) streamsTie() {
	for _, s := range slices.SortedFunc(maps.Keys(k.streams), func(a, b stream) int {
		if a.topic != b.topic {
			if a.topic < b.topic {
				return -1
			}
			return 1
		}
		return a.partition - b.partition
	}) {
		records := slices.Sorted(maps.Keys(k.streams[s]))
		first, last := records[0], records[len(records)-1]
		count := map[place]int{}
		for _, what := range k.streams[s] {
			count[what]++
		}
		other := int(last-first+1) - len(records)
		c := Check{
			Check: "offsets of Kafka against events", Of: fmt.Sprintf("%s/%d", s.topic, s.partition),
			Numbers: []Number{{"first offset", int(first)}, {"last offset", int(last)}, {"offsets", int(last - first + 1)}, {"with new events", count[counted]}, {"with repetitions of events", count[repeated]}, {"that could not be read", count[refused]}, {"others", other}},
			Why:     "every record from the first to the last one is an event, the repetition of one, or could not be read",
		}
		if other > 0 {
			c.Verdict = CannotSay
			c.Why = "other offsets are of events of another time, of people who were erased, or of no event: compare them with the topic"
		}
		k.check(c)
	}
	k.check(Check{
		Check: "records that could not be read", Numbers: []Number{{"records", k.lines["letters.jsonl"]}, {"about which nothing is decided", k.tally.letters}},
		Why: "an operator has decided about every record that could not be read",
	}, undecided(k.tally.letters)...)
}

func undecided(n int) []string {
	if n == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d records: see letters.jsonl", n)}
}

// scansTie says whether the listings of accounts are what the apps showed.
func (k *maker) scansTie() {
	for _, s := range k.scanned {
		c := Check{
			Check: "an app's accounts against its last complete scan", Of: s.App,
			Numbers: []Number{{"scan", int(s.Scan)}, {"accounts in the scan", s.Accounts}, {"accounts in the listing", s.Listed}, {"somebody's", s.Linked}, {"nobody's", s.Nobodys}},
			Why:     "the scan went to the end, is not older than it may be, and the listing has as many accounts as the app showed",
		}
		var which []string
		if s.Reported != nil {
			c.Numbers = append(c.Numbers, Number{"accounts that the app says there are", *s.Reported})
			if *s.Reported != s.Accounts {
				which = append(which, "the app says that there are others")
			}
		}
		switch {
		case s.Scan == 0:
			c.Verdict, c.Why = CannotSay, "the app was never scanned to the end, so what it has is not known"
		case s.Listed != s.Accounts:
			which = append(which, "the listing has another number of accounts: a later scan is under way, or was not finished")
		case s.Stale:
			c.Verdict, c.Why = CannotSay, "the scan is older than it may be"
		}
		k.check(c, which...)
	}
}

// digest returns the SHA-256 of a text, in hexadecimal.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
