package policy

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAllOfATicketHasToFit(t *testing.T) {
	for pattern, tickets := range map[string]map[string]bool{
		"CHG-[0-9]+":            {"CHG-1": true, "CHG-12": true, "xCHG-1": false, "CHG-1 or so": false, "CHG-1\n": false, "": false},
		"INC-[0-9]+|CHG-[0-9]+": {"INC-1": true, "CHG-1": true, "INC-1x": false, "xCHG-1": false},
		"^CHG-[0-9]+$":          {"CHG-1": true, "CHG-1\nx": false},
	} {
		for ticket, fits := range tickets {
			assert.Equal(t, fits, RequestRules{Ticket: pattern}.TicketFits(ticket), "%q with %q", ticket, pattern)
		}
	}
}
