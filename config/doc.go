// Package config reads tenure.yaml: strictly, with errors that name file, line
// and the nearest known key, with secrets by reference only, and with every
// expression compiled.
//
// [Load] reports everything that is wrong at once, one line each:
//
//	tenure.yaml:12:7: apps.wiki.conector: unknown key; did you mean "connector"?
//
// Three kinds of scalar are read here:
//
//   - Durations are numbers with the units d (24 hours), h, m, s and ms, each at
//     most once and in that order: 30d, 12h, 90s, 1d12h, 0d.
//   - Rates are a number of calls per second, minute or hour: 10/s, 180/m.
//   - Secrets are references, ${env:NAME} for a variable of the environment and
//     ${file:PATH} for a file's content without the newlines at its end. They may
//     be part of a longer text, and are known in apps.*.settings,
//     kafka.topics[].settings, ledger.url, kafka.sasl, webhooks, audit.key and privacy.pepper only. A secret
//     that is missing or empty is an error that names it.
//
// Paths (of a secret's file, of a certificate, of an SQLite ledger) are relative
// to the folder of tenure.yaml.
//
// The package is wiring (docs/architecture.md): what the configuration says is read into
// the types of the packages that use it (pace.Rate, ledger.Limits, receiver.Endpoint,
// policy.Rules), which do not import this one.
package config
