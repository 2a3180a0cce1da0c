package config

import "strings"

// Part is a part of the configuration that has secrets, or names files, of its own.
type Part string

// The parts. PartSources holds the settings of topics, with which HR systems are asked.
const (
	PartKafka    Part = "kafka"
	PartSources  Part = "kafka.topics"
	PartWebhooks Part = "webhooks"
	PartLedger   Part = "ledger"
	PartApps     Part = "apps"
	PartAudit    Part = "audit"
	PartNotices  Part = "notices"
	PartPrivacy  Part = "privacy"
)

// Parts lists all parts.
func Parts() []Part {
	return []Part{PartKafka, PartSources, PartWebhooks, PartLedger, PartApps, PartAudit, PartNotices, PartPrivacy}
}

// partOf returns the part that holds the field at path, or "" if none does.
func partOf(path string) Part {
	var found Part
	for _, part := range Parts() {
		rest, ok := strings.CutPrefix(path, string(part))
		if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') && len(part) > len(found) {
			found = part
		}
	}
	return found
}
