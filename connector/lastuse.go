package connector

import (
	"fmt"
	"time"
)

// LastUse says what an app tells about when accounts were last used: what Account.LastUsedAt
// means. An account without that time is one of which nothing is known: it may be in use.
type LastUse struct {
	// By says what counts as a use: "a sign-in to Okta". It is empty if the app does not tell
	// when accounts were used.
	By string
	// Lag is how long ago, at most, an account may have been used later than the app says. It is
	// zero if the app tells at once, or if nobody knows how late it tells.
	Lag time.Duration
	// Note says in a sentence what the app needs to tell, and when it does not; where By is empty,
	// why it does not tell at all.
	Note string
}

// Told reports whether the app tells when accounts were last used.
func (l LastUse) Told() bool { return l.By != "" }

// Unused reports whether an account is known not to have been used since that time. It reports
// false if nothing is known.
func (l LastUse) Unused(account Account, since time.Time) bool {
	return l.Told() && !account.LastUsedAt.IsZero() && account.LastUsedAt.Add(l.Lag).Before(since)
}

// String says in words what the app tells.
func (l LastUse) String() string {
	if !l.Told() {
		return "not told: " + l.Note
	}
	told := l.By
	switch days := int((l.Lag + 24*time.Hour - 1) / (24 * time.Hour)); {
	case days == 1:
		told += ", told up to a day late"
	case days > 1:
		told += fmt.Sprintf(", told up to %d days late", days)
	}
	if l.Note != "" {
		told += ". " + l.Note
	}
	return told
}
