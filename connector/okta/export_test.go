package okta

import "time"

func init() { pauses = make([]time.Duration, len(pauses)) } // tests do not wait
