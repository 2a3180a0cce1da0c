// Package entra is the connector for Microsoft Entra ID, and with it Microsoft 365, by
// Microsoft Graph v1.0 (learn.microsoft.com/graph/api/overview).
//
// Graph is eventually consistent: what was written may not be shown for a while, and an
// object that exists may be answered with 404. The connector keeps no clock and remembers no
// change. It declares the settling time, says NotFound only by Graph's own error code, and
// never takes a change for done because a look-up shows it.
//
// Graph ignores query parameters that it does not support, so that every answer to a filter
// is compared with what was asked for. Look-ups use the default store and never advanced
// queries (ConsistencyLevel: eventual), whose index lags
// (learn.microsoft.com/graph/aad-advanced-queries).
package entra
