package config

import (
	"time"

	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/secret"
)

// Privacy says for how long what is known of people is kept.
type Privacy struct {
	// Keep is how long what is known of somebody is kept after their employment has ended;
	// zero: for ever.
	Keep         time.Duration
	KeptAccounts string        // KeptWait or KeptIgnore; default KeptWait
	Pepper       secret.Secret // the key of the digests by which names are reserved; zero: nobody can be erased
}

// The values of Privacy.KeptAccounts.
const (
	KeptWait   = "wait"
	KeptIgnore = "ignore"
)

// leastPepper is the length of a pepper that nobody can guess.
const leastPepper = 32

// privacyKeys declares the section privacy.
var privacyKeys = []settings.Setting{
	{Name: "keep", Type: settings.TypePeriod,
		Text: "How long what Tenure holds of somebody is kept after their employment has ended, such as `1095d`. Then it is erased, daily, if nothing stands against it: see [Privacy](privacy.md). Needs `pepper`. Default: for ever.",
	},
	{Name: "keptAccounts", Type: settings.TypeText, Default: KeptWait, Choices: []string{KeptWait, KeptIgnore},
		Text: "What is done about somebody whose account is off and is never deleted (`leaver.delete: false`): `wait` until it is deleted by hand, or `ignore` it. Then the ledger keeps which account it is.",
	},
	{Name: "pepper", Type: settings.TypeCredential,
		Text: "The key of the digests by which names of erased people are reserved, so that nobody else is ever given one: 32 characters at least. Must be a secret. Keep it as long as the ledger: with another one, or without it, nobody can be given a username any more.",
	},
}

// readPrivacy reads the section privacy.
func readPrivacy(v value) Privacy {
	var p Privacy
	var pepper value
	v.mapping(
		into("keep", &p.Keep),
		on("keptAccounts", func(v value) { p.KeptAccounts = v.choice("choice") }),
		on("pepper", func(v value) { pepper, p.Pepper = v, v.typed().(secret.Secret) }),
	)
	switch {
	case v.l.failedWithin(v.path):
	case p.Keep > 0 && p.Pepper.IsZero():
		v.l.fail(v.at, join(v.path, "pepper"), "is missing: without it, names of people who are erased could be given to others")
	case pepper.node != nil && pepper.needed():
		if text, err := p.Pepper.Reveal(); err == nil && len(text) < leastPepper {
			pepper.failf("must have %d characters at least, so that nobody can guess it", leastPepper)
		}
	}
	return p
}

// Key returns the pepper, and nil if there is none or if this program cannot read it.
func (p Privacy) Key() []byte {
	if p.Pepper.IsZero() {
		return nil
	}
	text, err := p.Pepper.Reveal()
	if err != nil {
		return nil
	}
	return []byte(text)
}
