// Package privacy knows what Tenure holds of people, what for and for how long, and by which
// words texts tell who somebody is. It is pure: it reads and writes nothing.
package privacy
