// Package systemd checks the units of systemd in deploy/systemd without starting them:
// that they are confined, bounded and restarted, and run programs, flags and files that
// there are. With the build tag real, systemd itself judges them. It holds tests only.
package systemd
