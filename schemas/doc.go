// Package schemas embeds the JSON Schemas (2020-12) of documents that others write for
// Tenure. The folder also holds examples of such documents.
//
// Each NAME.schema.json is one schema: Load(NAME) compiles it. Violations name
// the field by JSON pointer and say in plain words what is wrong. They never
// quote the value, since it may be personal data.
package schemas
