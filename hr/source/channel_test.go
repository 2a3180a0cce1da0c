package source_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/hr"
	"github.com/tenurehq/tenure/hr/source"
)

func TestChannelsSayWhatTheyMay(t *testing.T) {
	hired, suspended := hr.EventHired, hr.EventSuspended
	both := []string{source.WorkerTypes, source.SecurityTypes}
	for name, c := range map[string]struct {
		channel source.Channel
		source  string
		kind    hr.EventType
		refused string // part of the refusal; empty if there is none
	}{
		"HR by default":                    {source.Channel{}, "/hr/example", hired, ""},
		"security by default":              {source.Channel{}, "/siem", suspended, "write types: [worker.*, security.*] in SETTINGS"},
		"reinstated by default":            {source.Channel{}, "/siem", hr.EventReinstated, "worker.*, security.*"},
		"security where it is named":       {source.Channel{Types: both}, "/siem", suspended, ""},
		"one type":                         {source.Channel{Types: []string{"security.suspended"}}, "/siem", suspended, ""},
		"another type":                     {source.Channel{Types: []string{"security.suspended"}}, "/siem", hired, "worker.hired may not be said"},
		"Tenure's own":                     {source.Channel{Types: both}, hr.OperatorSource, suspended, "nobody else may speak"},
		"Tenure's own, in capitals":        {source.Channel{Types: both}, "URN:Tenure:operator", hired, "nobody else may speak"},
		"Tenure's own, named by a pattern": {source.Channel{Types: both, Sources: []string{"urn:*"}}, "urn:tenure:breaker", hired, "nobody else may speak"},
		"a source that is named":           {source.Channel{Sources: []string{"/hr/a", "/hr/b/*"}}, "/hr/b/1", hired, ""},
		"a source that is not":             {source.Channel{Sources: []string{"/hr/a", "/hr/b/*"}}, "/hr/ab", hired, "add it to sources in SETTINGS"},
	} {
		t.Run(name, func(t *testing.T) {
			refusal := c.channel.Refuse(hr.Event{EventKey: hr.EventKey{Source: c.source, ID: "1"}, Type: c.kind, PersonID: "p-1"}, "SETTINGS")
			if c.refused == "" {
				assert.Nil(t, refusal)
				return
			}
			require.NotNil(t, refusal)
			assert.Contains(t, refusal.Error(), c.refused)
			assert.Equal(t, source.ReasonChannel, refusal.Reason)
			assert.Equal(t, c.kind == suspended, refusal.Urgent, "urgent if it was to end access")
			assert.NotContains(t, refusal.Error(), c.source, "what a record says is not repeated")
		})
	}
}

func TestChannelsThatAreWrong(t *testing.T) {
	for _, c := range []source.Channel{
		{Sources: []string{"urn:tenure:operator"}}, {Sources: []string{"urn:tenure:*"}}, {Sources: []string{"URN:TENURE:x"}}, {Sources: []string{"*"}}, {Sources: []string{"a*b*"}},
		{Types: []string{"security"}}, {Types: []string{"*"}}, {Types: []string{"com.tenurehq.worker.hired.v1"}},
	} {
		_, err := c.Check()
		assert.Error(t, err, "%v", c)
	}
}
