package config

import (
	"errors"
	"maps"
	"strconv"

	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/reconcile"
)

// readReconcile changes the terms that it is given by what is written.
func readReconcile(v value, t reconcile.Terms) reconcile.Terms {
	t.Reactions = maps.Clone(t.Reactions)
	if t.Reactions == nil {
		t.Reactions = map[reconcile.Kind]reconcile.Reaction{}
	}
	keys := []key{
		into("every", &t.Every),
		on("share", func(v value) {
			if t.Share = v.typed().(float64); t.Share == 0 && !v.l.failed(v.path) {
				v.failf("must be above 0%%: with every: 0s the app is not scanned")
			}
		}),
		into("shrink", &t.Shrink), into("grace", &t.Grace), into("flapping", &t.Flapping),
	}
	for _, kind := range reconcile.Kinds() {
		keys = append(keys, on(string(kind), func(v value) { t.Reactions[kind] = reconcile.Reaction(v.choice("reaction")) }))
	}
	v.mapping(keys...)
	return t
}

// parseTimes reads how often something has to happen.
func parseTimes(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 15)
	if err != nil {
		return 0, errors.New("must be a number of times")
	}
	return int(n), nil
}

// reconcileKeys declares how apps are reconciled.
func reconcileKeys() []settings.Setting {
	keys := []settings.Setting{
		{Name: "every", Type: settings.TypePeriod, Default: "24h",
			Text: "How often all accounts of the app are listed and compared, by the machines' clocks; 0s: never. Apps that cannot list their accounts are not scanned.",
		},
		{Name: "share", Type: settings.TypeShare, Default: "50%", Text: "The most of the app's `rate` that a scan uses."},
		{Name: "shrink", Type: settings.TypeShare, Default: "10%",
			Text: "Nothing is concluded from a list that has fewer accounts than the one before, by more than this share and by more than 20, until an operator says that it is right (`tenure app scan NAME --believe`).",
		},
		{Name: "grace", Type: settings.TypeTimes, Default: 2, Text: "How many scans in a row have to show that a linked account is not there."},
		{Name: "flapping", Type: settings.TypeTimes, Default: 3,
			Text: "How often within seven days the same difference is repaired before an operator is asked. 0: without limit.",
		},
	}
	about := map[reconcile.Kind]string{
		reconcile.State:      "An account is on that Tenure turned off or deleted.",
		reconcile.Off:        "An account is off that Tenure left on. `repair`: what somebody turned off in the app is turned on again if policy gives it.",
		reconcile.Missing:    "A linked account is not there any more. `repair`: it is made anew if policy gives it.",
		reconcile.Attributes: "An attribute is not as it was after Tenure set it.",
		reconcile.Lacking:    "An entitlement is not there that Tenure gave.",
		reconcile.Stray:      "An entitlement is there that Tenure did not give. `repair`: it is taken, unless a role gives it.",
		reconcile.Unlinked:   "An account is nobody's and matches one person. `adopt`: it is linked if it carries their person ID and policy gives them an account; an operator is asked about any other. An account that carries the person ID of somebody who has left is an orphan, and then ends like `reconcile.orphan: end` says.",
		reconcile.Disputed:   "An account is nobody's and matches several people, or one who has another account.",
		reconcile.Duty:       "Somebody really has what a rule of separation of duties (`duties`) keeps apart, although Tenure gave it to them on one side only.",
		reconcile.Orphan:     "An account is nobody's and matches nobody, or only people who have left. `end`: it is turned off, kept and deleted like a leaver's account: as that of the one person who has left and whom it matches or, if there is none or they have another account, as nobody's. See `breaker.orphans`.",
	}
	for _, kind := range reconcile.Kinds() {
		var words []string
		for _, r := range reconcile.Choices(kind) {
			words = append(words, string(r))
		}
		keys = append(keys, settings.Setting{Name: string(kind), Type: settings.TypeText, Default: words[0], Choices: words, Text: about[kind]})
	}
	return keys
}
