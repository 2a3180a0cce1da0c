package story

import (
	"context"
	"slices"

	"github.com/tenurehq/tenure/connector/scim/scimtest"
	"github.com/tenurehq/tenure/hr"
)

// Beat is one thing that happens.
type Beat struct {
	Day    float64 // when, in days from the start
	Text   string  // what people read
	Events []hr.Event
	// Do changes something outside Tenure: an app breaks, somebody repairs it.
	Do func(ctx context.Context, s *Stage) error
	// Holds is what must come true before the next beat (checked only when nobody kills
	// processes): each person's account in an app.
	Holds []Fact
}

// later returns the beat some days later. Of what HR says in it, the dates that are not over
// on its day move with it.
func (b Beat) later(days int) Beat {
	today := day(int(b.Day))
	moved := func(d hr.Date) hr.Date {
		if d.IsZero() || d.Compare(today) < 0 {
			return d
		}
		return d.AddDays(days)
	}
	b.Day += float64(days)
	b.Events = slices.Clone(b.Events)
	for i := range b.Events {
		e := &b.Events[i]
		e.Effective = moved(e.Effective)
		if e.Profile != nil { // events may share what they point to
			profile := *e.Profile
			profile.StartDate, profile.EndDate = moved(profile.StartDate), moved(profile.EndDate)
			e.Profile = &profile
		}
		if e.Termination != nil {
			termination := *e.Termination
			termination.LastDay = moved(termination.LastDay)
			e.Termination = &termination
		}
		if e.Leave != nil {
			e.Leave = &hr.Leave{ExpectedReturn: moved(e.Leave.ExpectedReturn)}
		}
	}
	return b
}

// Fact is how one account stands. Person is an external ID that nobody has, for an account
// that is nobody's. Instead of an app, it may name Reviews or Findings.
type Fact struct {
	Person, App string
	Is          string // see State
}

func says(t hr.EventType, id, person string, effective int, more func(*hr.Event)) hr.Event {
	e := hr.Event{EventKey: hr.EventKey{Source: Source, ID: id}, Type: t, PersonID: person, Effective: day(effective)}
	if more != nil {
		more(&e)
	}
	return e
}

func hired(id, person string, p *hr.Profile) hr.Event {
	return says(hr.EventHired, id, person, 0, func(e *hr.Event) { e.Profile, e.Effective = p, p.StartDate })
}

func changed(t hr.EventType, id, person string, effective int, p *hr.Profile) hr.Event {
	return says(t, id, person, effective, func(e *hr.Event) { e.Profile = p })
}

func leaves(id, person string, last int, urgency hr.Urgency) hr.Event {
	return says(hr.EventTerminated, id, person, last, func(e *hr.Event) {
		e.Termination = &hr.Termination{LastDay: day(last), Urgency: urgency}
	})
}

func rescinds(id, person, what string, on int) hr.Event {
	return says(hr.EventRescinded, id, person, on, func(e *hr.Event) { e.Rescinds = what })
}

// Source is the HR system of the story.
const Source = "/hr/example"

// Script is the story.
func Script() []Beat {
	const london, berlin, tokyo, newYork = "Europe/London", "Europe/Berlin", "Asia/Tokyo", "America/New_York"
	return []Beat{
		{
			Day: 0.6, Text: "A joiner: Ada starts today, in Development",
			Events: []hr.Event{hired("ada-1", ada, profile("Ada", "Lovelace", "Engineer", "Development", london, 0,
				managedBy(katherine), phone("+44 20 7946 0958"), mail("ada.lovelace@private.example")))},
			Holds: []Fact{{ada, "wiki", "on: engineers, readers"}, {ada, "chat", "on: engineering, general"}},
		},
		{
			Day: 1.5, Text: "Her manager joins a day later: the attribute follows",
			Events: []hr.Event{hired("katherine-1", katherine, profile("Katherine", "Johnson", "Engineering Manager", "Development", newYork, 0))},
			Holds:  []Fact{{katherine, "directory", "on: everyone, managers, staff"}},
		},
		{
			Day: 2.5, Text: "Ten more people are hired; one starts in two weeks, one in a month, two are contractors",
			Events: []hr.Event{
				hired("grace-1", grace, profile("Grace", "Hopper", "Engineer", "Development", newYork, 1, managedBy(katherine))),
				hired("alan-1", alan, profile("Alan", "Turing", "Account Executive", "Sales", london, 1, managedBy(katherine))),
				hired("margaret-1", margaret, profile("Margaret", "Hamilton", "Scientist", "Research", newYork, 1, managedBy(katherine))),
				hired("hedy-1", hedy, profile("Hedy", "Lamarr", "Agent", "Customer Service", berlin, 1, phone("+49 30 901820"))),
				hired("ken-1", ken, profile("Ken", "Thompson", "Engineer", "Development", newYork, 1)),
				hired("edsger-1", edsger, profile("Edsger", "Dijkstra", "Consultant", "Development", "Europe/Amsterdam", 1, contractor(20))),
				hired("barbara-1", barbara, profile("Barbara", "Liskov", "Consultant", "Research", newYork, 1, contractor(40))),
				hired("linus-1", linus, profile("Linus", "Söderström-Øvergård", "Engineer", "Development", "Europe/Helsinki", 16, managedBy(ada))),
				hired("annie-1", annie, profile("Annie", "Easley", "Analyst", "Finance", newYork, 35)),
				hired("tim-1", tim, profile("Tim", "O'Brien", "Agent", "Customer Service", london, 1)),
			},
			Holds: []Fact{
				{grace, "wiki", "on: engineers, readers"}, {alan, "crm", "on: sales"}, {edsger, "wiki", "on: engineers"},
				{margaret, "wiki", "on: readers, researchers"}, {hedy, "crm", "on: support"}, {tim, "crm", "on: support"},
				{ken, "directory", "on: everyone, staff"}, {barbara, "wiki", "on: researchers"},
				{linus, "directory", "none"}, {annie, "directory", "none"},
			},
		},
		{
			Day: 4.5, Text: "Movers: Grace goes from Development to Sales, Alan from Sales to Development",
			Events: []hr.Event{
				changed(hr.EventTransferred, "grace-2", grace, 4, profile("Grace", "Hopper", "Account Executive", "Sales", newYork, 1, managedBy(katherine))),
				changed(hr.EventTransferred, "alan-2", alan, 4, profile("Alan", "Turing", "Engineer", "Development", london, 1, managedBy(katherine))),
			},
			Holds: []Fact{
				{grace, "wiki", "on: readers"}, {grace, "crm", "on: sales"}, {grace, "chat", "on: general, sales"},
				{alan, "crm", "off"}, {alan, "wiki", "on: engineers, readers"},
			},
		},
		{
			Day: 6.5, Text: "Ada marries and is called King now: renamed in every app, same accounts",
			Events: []hr.Event{changed(hr.EventUpdated, "ada-2", ada, 6, profile("Ada", "King", "Engineer", "Development", london, 0,
				managedBy(katherine), phone("+44 20 7946 0958")))},
		},
		{
			Day: 7.5, Text: "Alan gets another manager: Ada",
			Events: []hr.Event{changed(hr.EventUpdated, "alan-3", alan, 7, profile("Alan", "Turing", "Engineer", "Development", london, 1, managedBy(ada)))},
		},
		{
			Day: 8.2, Text: "The wiki is down, for five days",
			Do: func(_ context.Context, s *Stage) error {
				s.App("wiki").SetFaults(scimtest.Faults{Down: true})
				return nil
			},
		},
		{
			Day: 8.6, Text: "Margaret leaves while the wiki is down: everywhere else she is cut off at once",
			Events: []hr.Event{leaves("margaret-2", margaret, 8, hr.UrgencyImmediate)},
			Holds:  []Fact{{margaret, "directory", "off"}, {margaret, "chat", "off"}, {margaret, "wiki", "on: readers, researchers"}},
		},
		{
			Day: 10.5, Text: "Hedy's employment ends immediately",
			Events: []hr.Event{leaves("hedy-2", hedy, 10, hr.UrgencyImmediate)},
			Holds:  []Fact{{hedy, "directory", "off"}, {hedy, "crm", "off"}},
		},
		{
			Day: 13.2, Text: "The wiki is back",
			Do: func(_ context.Context, s *Stage) error {
				s.App("wiki").SetFaults(scimtest.Faults{})
				return nil
			},
		},
		{
			Day: 14.2, Text: "The chat answers every third call with 429, for four days",
			Do: func(_ context.Context, s *Stage) error {
				s.App("chat").SetFaults(scimtest.Faults{RateLimit: scimtest.RateLimit{Every: 3, RetryAfter: 1}})
				return nil
			},
		},
		{
			Day: 14.6, Text: "Radia joins Finance; Ken's last day is tomorrow",
			Events: []hr.Event{
				hired("radia-1", radia, profile("Radia", "Perlman", "Controller", "Finance", newYork, 14)),
				leaves("ken-2", ken, 15, hr.UrgencyStandard),
			},
			Holds: []Fact{{radia, "crm", "on: billing"}, {ken, "directory", "on: everyone, staff"}},
		},
		{
			Day: 15.4, Text: "Ada asks to administer the wiki for ten days: tenure request new " + ada + " wiki-admin --for 10d ...",
			Do: func(ctx context.Context, s *Stage) error { return s.ask(ctx, ada, "wiki-admin", "10d", "INC-4711") },
		},
		{
			Day: 16.2, Text: "Her manager agrees: tenure request approve r-1 --as " + katherine,
			Do: func(ctx context.Context, s *Stage) error {
				return s.approve(ctx, ada, katherine, "INC-4711 is hers")
			},
			Holds: []Fact{{ada, "wiki", "on: administrators, engineers, readers"}},
		},
		{
			Day: 16.8, Text: "Linus' first day has come: his accounts, made a week ago and disabled, are enabled. Ken is gone",
			Holds: []Fact{{linus, "directory", "on: everyone, staff"}, {ken, "directory", "off"}},
		},
		{
			Day: 18.2, Text: "The chat is well again. Hedy is rehired, during retention: she gets the same accounts back",
			Do: func(_ context.Context, s *Stage) error {
				s.App("chat").SetFaults(scimtest.Faults{})
				return nil
			},
			Events: []hr.Event{changed(hr.EventRehired, "hedy-3", hedy, 18, profile("Hedy", "Lamarr", "Agent", "Customer Service", berlin, 18))},
			Holds:  []Fact{{hedy, "directory", "on: everyone, staff"}, {hedy, "crm", "on: support"}},
		},
		{
			Day: 19.5, Text: "Radia goes on leave",
			Events: []hr.Event{says(hr.EventLeaveStarted, "radia-2", radia, 19, func(e *hr.Event) {
				e.Leave = &hr.Leave{ExpectedReturn: day(30)}
			})},
			Holds: []Fact{{radia, "crm", "off: billing"}},
		},
		{
			Day: 20.5, Text: "Barbara, a contractor, becomes an employee before her contract ends. Edsger's ends tonight",
			Events: []hr.Event{changed(hr.EventConverted, "barbara-2", barbara, 20, profile("Barbara", "Liskov", "Scientist", "Research", newYork, 1))},
			Holds:  []Fact{{barbara, "wiki", "on: readers, researchers"}},
		},
		{
			Day: 22.5, Text: "HR rescinds two hires: Annie's, before she started, and Tim's, after",
			Events: []hr.Event{rescinds("annie-2", annie, "annie-1", 22), rescinds("tim-2", tim, "tim-1", 22)},
			Holds:  []Fact{{edsger, "wiki", "off"}, {tim, "directory", "off"}},
		},
		{
			Day: 24.5, Text: "Dennis' events arrive in the wrong order, and each of them twice",
			Events: func() []hr.Event {
				first := hired("dennis-1", dennis, profile("Dennis", "Ritchie", "Engineer", "Development", newYork, 20))
				second := changed(hr.EventTransferred, "dennis-2", dennis, 22, profile("Dennis", "Ritchie", "Editor", "Marketing", newYork, 20))
				return []hr.Event{second, first, second, first}
			}(),
			Holds: []Fact{{dennis, "crm", "on: marketing"}, {dennis, "wiki", "on: editors, readers"}},
		},
		{
			Day: 26.5, Text: "Two joiners need a human: in the crm Joan's username is taken by somebody else, and the wiki lacks a group for Konrad",
			Do: func(_ context.Context, s *Stage) error {
				s.App("crm").AddUser(scimtest.User{UserName: "jclarke", ExternalID: "somebody-else", Active: true})
				s.App("wiki").RemoveGroup("quality")
				return nil
			},
			Events: []hr.Event{
				hired("joan-1", joan, profile("Joan", "Clarke", "Account Executive", "Sales", london, 26)),
				hired("konrad-1", konrad, profile("Konrad", "Zuse", "Engineer", "Quality Management", berlin, 26)),
			},
			Holds: []Fact{{joan, "chat", "on: general, sales"}, {joan, "crm", "none"}, {konrad, "chat", "on: engineering, general"}},
		},
		{
			Day: 27.8, Text: "Ada's ten days are over: what she was given for a time is taken by itself",
			Holds: []Fact{{ada, "wiki", "on: engineers, readers"}},
		},
		{
			Day: 28.5, Text: "IT makes the group, and repairs with: tenure run retry " + konrad,
			Do: func(ctx context.Context, s *Stage) error {
				s.App("wiki").AddGroup("quality")
				return s.Repair(ctx, konrad, "wiki", "run", "retry", konrad, "--app", "wiki")
			},
			Holds: []Fact{{konrad, "wiki", "on: engineers, quality, readers"}},
		},
		{
			Day: 29.5, Text: "Joan needs no crm, IT decides: tenure run skip " + joan + " --app crm --reason ...",
			Do: func(ctx context.Context, s *Stage) error {
				return s.Repair(ctx, joan, "crm", "run", "skip", joan, "--app", "crm", "--reason", "works without the crm until the old account is merged")
			},
			Holds: []Fact{{joan, "crm", "none"}},
		},
		{
			Day: 30.3, Text: "Past Tenure, somebody makes an account for a temp in the crm, and puts Grace back into the wiki's engineers",
			Do:    func(ctx context.Context, s *Stage) error { return s.bypass(ctx, grace, "engineers") },
			Holds: []Fact{{temp, "crm", "on"}, {grace, "wiki", "on: engineers, readers"}},
		},
		{
			Day: 31.5, Text: "Radia is back from leave",
			Events: []hr.Event{says(hr.EventLeaveEnded, "radia-3", radia, 31, nil)},
			Holds:  []Fact{{radia, "crm", "on: billing"}, {radia, "directory", "on: everyone, finance, staff"}},
		},
		{
			Day: 31.8, Text: "A scan finds both, and the account that had Joan's username before her. It asks: tenure app scan crm --wait. Elsewhere every app is scanned once a day",
			Do:    func(ctx context.Context, s *Stage) error { return s.scan(ctx, "crm", "wiki") },
			Holds: []Fact{{grace, Findings, "stray engineers in wiki, open"}, {grace, "wiki", "on: engineers, readers"}},
		},
		{
			Day: 33.5, Text: "Nobody knows the temp, so the account is to end like a leaver's: tenure finding end ... --reason ...",
			Do:    func(ctx context.Context, s *Stage) error { return s.end(ctx, temp, "nobody knows it") },
			Holds: []Fact{{temp, "crm", "off"}},
		},
		{
			Day: 35.5, Text: "A review asks who should be in the crm, and have what no role gives: tenure review start customers ...",
			Do: func(ctx context.Context, s *Stage) error { return s.start(ctx, "customers", "the quarter ends") },
		},
		{
			Day: 37.5, Text: "Ada answers for the wiki, and Grace is in Sales now: tenure review decide v-1 revoke ... --as " + ada,
			Do: func(ctx context.Context, s *Stage) error {
				return s.decide(ctx, "v-1", "revoke", ada, "she is in Sales now")
			},
			Holds: []Fact{{grace, "wiki", "on: readers"}},
		},
		{
			Day: 39.5, Text: "Katherine keeps what roles give: tenure review decide v-1 keep ... --as " + katherine,
			Do: func(ctx context.Context, s *Stage) error { return s.decide(ctx, "v-1", "keep", katherine, "") },
		},
		{
			Day: 41.5, Text: "Grace says nothing about jclarke, an account in the crm, and silence keeps it: tenure review close v-1 ...",
			Do:    func(ctx context.Context, s *Stage) error { return s.closes(ctx, "v-1", "whoever answers has answered") },
			Holds: []Fact{{"v-1", Reviews, "done: 6 items, 5 decided by people, 1 by silence; 1 of 1 revoked is proven to be gone"}},
		},
		{
			Day: 46.2, Text: "The temp's account was off for twelve days, and is deleted",
			Holds: []Fact{{temp, "crm", "none"}},
		},
	}
}
