package connector

import "time"

// Capabilities is what an open connector can do. A kind may be able to do more
// than one of its apps: settings such as a SCIM profile take away.
type Capabilities struct {
	Create, Adopt, Update, Relabel, Disable, Delete, Entitlements, ListEntitlements, Sessions, HandOver, List, Probe bool

	Reversible bool          // with Disable: Enable restores the account
	RecycleBin time.Duration // with Delete: how long a deleted account can be brought back
}

// CapabilitiesOf finds out what c implements.
func CapabilitiesOf(c Connector) Capabilities {
	caps := Capabilities{
		Create: has[Creator](c), Adopt: has[Adopter](c), Update: has[Updater](c), Relabel: has[Relabeler](c),
		Entitlements: has[Entitler](c), ListEntitlements: has[EntitlementLister](c),
		Sessions: has[SessionRevoker](c), HandOver: has[DataMover](c), List: has[Lister](c), Probe: has[Prober](c),
	}
	if has[JustInTime](c) {
		caps.Create = false // they make themselves
	}
	if s, ok := As[Switch](c); ok {
		caps.Disable, caps.Reversible = true, s.Reversible()
	}
	if d, ok := As[Deleter](c); ok {
		caps.Delete, caps.RecycleBin = true, d.Deletion().RecycleBin
	}
	return caps
}

func has[T any](c Connector) bool {
	_, ok := As[T](c)
	return ok
}

// Ops are the names of the operations that the capabilities are made of, in the
// order of an account's life.
func (can Capabilities) Ops() []string {
	ops := []string{OpFind, OpRead, OpCheck}
	for _, capability := range []struct {
		has bool
		ops []string
	}{
		{can.Probe, []string{OpProbe}},
		{can.List, []string{OpList}},
		{can.ListEntitlements, []string{OpListEntitlements}},
		{can.Create, []string{OpCreate}},
		{can.Adopt, []string{OpAdopt}},
		{can.Update, []string{OpUpdate}},
		{can.Relabel, []string{OpRelabel}},
		{can.Entitlements, []string{OpGrant, OpRevoke}},
		{can.Disable, []string{OpDisable}},
		{can.Disable && can.Reversible, []string{OpEnable}},
		{can.Sessions, []string{OpRevokeSessions}},
		{can.HandOver, []string{OpHandOver}},
		{can.Delete, []string{OpDelete}},
	} {
		if capability.has {
			ops = append(ops, capability.ops...)
		}
	}
	return ops
}
