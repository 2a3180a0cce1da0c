// Package schemas holds the JSON Schemas (2020-12) of what people write for
// Tenure, embedded, and examples of it.
//
// Each NAME.schema.json is one schema: Load(NAME) compiles it. Violations name
// the field by JSON pointer and say in plain words what is wrong, and never
// quote what was there: it may be personal data.
package schemas
