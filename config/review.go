package config

import (
	"slices"
	"time"

	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/policy"
	"github.com/tenurehq/tenure/review"
)

// Governance holds what is the same for all reviews.
type Governance struct {
	TimeZone *time.Location // in which days begin and end
	// Freshness is the age up to which the last complete scan of an app is good enough for a
	// review.
	Freshness time.Duration
}

// readReviews reads how reviews are held. Groups are the names of deciders.
func readReviews(v value, rules policy.Rules) []review.Terms {
	var all []review.Terms
	first := map[string]bool{}
	v.list(func(v value) {
		terms := readReview(v, rules)
		if first[terms.Name] && terms.Name != "" {
			v.failf("a review is called %q already", terms.Name)
		}
		first[terms.Name] = true
		all = append(all, terms)
	})
	if len(all) > 0 && len(rules.Fallback) == 0 {
		v.l.fail(v.at, "governance.fallback", "is missing: there are reviews, and somebody has to decide where nobody else can")
	}
	return all
}

func readReview(v value, rules policy.Rules) review.Terms {
	var t review.Terms
	v.mapping(
		into("name", &t.Name),
		on("on", func(v value) {
			v.list(func(v value) {
				text := v.text()
				day, err := review.ParseDay(text)
				if err != nil && text != "" {
					v.failf("%s, not %q", err, text)
				}
				t.On = append(t.On, day)
			})
		}),
		on("after", func(v value) {
			v.mapping(into("moved", &t.After.Moved), into("returned", &t.After.Returned), into("wait", &t.After.Wait))
		}),
		into("days", &t.Days),
		on("covers", func(v value) {
			t.Covers = v.expression()
			if !v.l.failed(v.path) {
				_, err := policy.CompileCover(v.path, t.Covers)
				v.l.failRules(err)
			}
		}),
		on("explain", func(v value) { t.Explain = review.Explain(v.choice("way to ask")) }),
		on("reviewers", func(v value) { t.Reviewers = readReviewers(v, rules) }),
		on("remind", func(v value) {
			v.list(func(v value) { t.Remind = append(t.Remind, v.typed().(time.Duration)) })
		}),
		into("escalate", &t.Escalate),
		on("undecided", func(v value) { t.Undecided = review.Silence(v.choice("meaning of silence")) }),
		into("settle", &t.Settle),
		on("reason", func(v value) {
			v.mapping(
				on("keep", func(v value) { t.KeepReason = review.Reason(v.choice("rule")) }),
				on("revoke", func(v value) { t.RevokeReason = review.Reason(v.choice("rule")) }),
			)
		}),
		into("unusedAfter", &t.UnusedAfter),
	)
	return t
}

// readReviewers reads whom to ask about each kind of item.
func readReviewers(v value, rules policy.Rules) map[review.Kind][]string {
	all := map[review.Kind][]string{}
	known := []string{policy.DecideManager, policy.DecideOwner}
	for name := range rules.Deciders {
		known = append(known, name)
	}
	var keys []key
	for _, kind := range review.Kinds() {
		keys = append(keys, on(string(kind), func(v value) {
			v.list(func(v value) {
				name := v.text()
				if name != "" && !slices.Contains(known, name) {
					v.failf("%q is neither manager nor owner, and no name of deciders%s", name, hint(name, known))
				}
				all[kind] = append(all[kind], name)
			})
		}))
	}
	v.mapping(keys...)
	return all
}

// wordsOf returns words as texts.
func wordsOf[T ~string](words []T) []string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return all
}

// reviewKeys declares how reviews are held.
func reviewKeys() []settings.Setting {
	about := map[review.Kind]string{
		review.ByRole:   "What a role gives to everybody for whom its condition holds. Default: `[owner]`, of the role.",
		review.ByGrant:  "What was granted for a time. Default: `[manager, owner]`.",
		review.Kept:     "What is kept for a time after a move. Default: `[manager]`.",
		review.Accepted: "What nothing gives, and somebody has accepted for a time. Default: `[owner]`, of the app.",
		review.Stray:    "What nothing gives. Default: `[owner]`, of the app.",
		review.Unlinked: "An account that is nobody's and matches people. Default: `[owner]`, of the app.",
		review.Orphan:   "An account that is nobody's and matches nobody who works here. Default: `[owner]`, of the app.",
		review.Service:  "An account of a service (`workerType: service`). Default: `[manager, owner]`.",
		review.Duty:     "What a rule of separation of duties keeps apart, waived or not. Default: `[owner]`, of the rule.",
		review.Withheld: "What an earlier review of that name has taken. Default: `[manager, owner]`.",
	}
	var reviewers []settings.Setting
	for _, kind := range review.Kinds() {
		reviewers = append(reviewers, settings.Setting{Name: string(kind), Type: settings.TypeTexts, AtLeastOne: true, Text: about[kind]})
	}
	reasons := wordsOf(review.Reasons())
	return []settings.Setting{
		{Name: "name", Type: settings.TypeText, Required: true, Text: "Name of the review. A withholding by one lasts until the next one of that name decides about it."},
		{Name: "on", Type: settings.TypeTexts, Text: "Days of the year on which it begins, such as `01-15`, in `governance.timeZone`. Without any it is only started by hand (`tenure review start`)."},
		{Name: "after", Type: settings.TypeMapping, Default: settings.Empty(),
			Text: "What happens to a person after which a review of this person alone begins, if they have anything that no role gives.",
			Keys: []settings.Setting{
				{Name: "moved", Type: settings.TypeBool, Default: false, Text: "A move to another department, job, company or kind of work."},
				{Name: "returned", Type: settings.TypePeriod, Default: "0s", Text: "The return from a leave of at least this long. 0: no return."},
				{Name: "wait", Type: settings.TypePeriod, Default: "7d", Text: "How long after it the review begins."},
			},
		},
		{Name: "days", Type: settings.TypeTimes, Default: 14, Text: "How many days it lasts, to the end of the last one."},
		{Name: "covers", Type: settings.TypeExpression,
			Text: "What it covers: an expression over `item` (`because`, `app`, `entitlement`, `role`, `duty`, `risk`, `flags`) and `person` that gives true or false, such as `item.risk == 'privileged' || item.because == 'stray'`. Default: everything.",
		},
		{Name: "explain", Type: settings.TypeText, Default: string(review.ExplainRole), Choices: wordsOf(review.Explains()),
			Text: "`role`: what a role gives is asked about once, as the role, and what was granted once for each grant. `each`: about every account and entitlement of everybody.",
		},
		{Name: "reviewers", Type: settings.TypeMapping, Default: settings.Empty(), Keys: reviewers,
			Text: "Whom to ask about each kind of item: `manager` (of the person), `owner` (of the role, the app or the rule), or names of `deciders`. The first who can decide is asked; nobody decides about what they have themself.",
		},
		{Name: "remind", Type: settings.TypeList, Default: []string{"7d", "2d"}, Text: "How long before the end those are reminded who have something to decide.",
			Each: &settings.Setting{Type: settings.TypePeriod},
		},
		{Name: "escalate", Type: settings.TypePeriod, Default: "7d", Text: "How long after the beginning the next ones up may decide as well. 0: never."},
		{Name: "undecided", Type: settings.TypeText, Default: string(review.SilencePrivileged), Choices: wordsOf(review.Silences()),
			Text: "What silence means at the end: `revoke`, `keep`, or `privileged`: what a privileged role gives is revoked, and everything else kept.",
		},
		{Name: "settle", Type: settings.TypePeriod, Default: "24h", Text: "How long after it was made a decision to revoke takes effect. Until then it can be changed."},
		{Name: "reason", Type: settings.TypeMapping, Default: settings.Empty(), Text: "When a decision needs a reason: `unexplained`: if neither a role nor a grant explains what somebody has.",
			Keys: []settings.Setting{
				{Name: "keep", Type: settings.TypeText, Default: string(review.ReasonUnexplained), Choices: reasons, Text: "To keep."},
				{Name: "revoke", Type: settings.TypeText, Default: string(review.ReasonAlways), Choices: reasons, Text: "To revoke."},
			},
		},
		{Name: "unusedAfter", Type: settings.TypePeriod, Default: "90d",
			Text: "What was not used for longer is flagged, in apps that tell when an account was used last. 0: nothing is.",
		},
	}
}
