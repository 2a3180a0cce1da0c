package stack

// Endpoint is a place that people or programs can go to.
type Endpoint struct {
	What    string // "Temporal"
	Address string // a URL if there is a page, else host:port or a file
	Note    string // what else people may want to know
}

// Endpoints returns all endpoints of the stack, for people.
func (s *Stack) Endpoints() []Endpoint {
	list := []Endpoint{
		{"Temporal UI", s.UIURL(), "what runs, and what ran"},
		{"Temporal", s.TemporalAddress(), "namespace " + Namespace},
		{"Kafka", s.KafkaAddress(), "topics " + TopicEvents + ", " + TopicDeadLetters},
	}
	for _, app := range s.apps {
		list = append(list, Endpoint{"app " + app.Name, "http://" + app.Address, "SCIM at " + app.SCIMURL() + ", token " + Token})
	}
	for _, p := range []struct {
		what, metrics string
		there         bool
	}{
		{"worker", s.declared.Metrics.Worker, s.worker != nil},
		{"starter", s.declared.Metrics.Starter, s.starter != nil},
	} {
		if p.there && p.metrics != "" {
			list = append(list, Endpoint{p.what, "http://" + p.metrics + "/metrics", "and /readyz"})
		}
	}
	return append(list, Endpoint{"configuration", s.configFile, ""})
}
