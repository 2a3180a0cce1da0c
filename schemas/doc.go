// Package schemas embeds the JSON Schemas (2020-12) of HR events, of the configuration, and
// of webhook requests and answers. The folder also holds examples of events.
//
// Each NAME.schema.json is one schema: Load(NAME) compiles it. Violations name
// the field by JSON pointer and say in plain words what is wrong. They never
// quote the value, since it may be personal data.
package schemas
