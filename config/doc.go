// Package config reads tenure.yaml: strictly, with errors that name file, line
// and the nearest known key, with secrets by reference only, and with every
// expression compiled.
//
// It may import policy, schemas, and the connector catalog (to check settings).
// Nothing below the mains and cmd imports it: what a package needs it takes as
// parameters of its own.
package config
