// Package cloudevents decodes Tenure's own event format: CloudEvents 1.0 over
// Kafka, in binary mode (attributes in ce_ headers, data in the value) and in
// structured mode (all of it as JSON in the value). See schemas for the fields,
// and the CloudEvents Kafka protocol binding for the modes.
//
// Fields are named by JSON pointers into the structured form, whatever the mode.
// Empty text, null and absent mean the same.
package cloudevents
