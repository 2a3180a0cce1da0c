package policy

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/tenurehq/tenure/hr"
)

// variables are the inputs of one evaluation. It implements CEL's Activation.
type variables struct {
	person  object
	manager object
	item    object // see CompileCover
	oneName bool   // the person has one name only
}

func (v *variables) ResolveName(name string) (any, bool) {
	switch name {
	case "person":
		return v.person, true
	case "manager":
		return v.manager, true
	case "item":
		return v.item, true
	default:
		return nil, false
	}
}

func (v *variables) Parent() cel.Activation { return nil }

// object is a value with fields, which CEL reads through the provider. It has no other
// operations.
type object struct {
	objectType *types.Type
	value      any
}

func (o object) ConvertToNative(target reflect.Type) (any, error) {
	return nil, fmt.Errorf("%s cannot be converted to %s", o.objectType, target)
}

func (o object) ConvertToType(target ref.Type) ref.Val {
	if target == types.TypeType {
		return o.objectType
	}
	return types.NewErr("no such overload")
}

func (o object) Equal(other ref.Val) ref.Val { return types.Bool(o.value == other.Value()) }
func (o object) Type() ref.Type              { return o.objectType }
func (o object) Value() any                  { return o.value }

// attributes holds the profile's attributes. It behaves as a CEL map of those that are not
// empty, except that a missing one reads as empty and that keys come in order. (It is no
// traits.Mapper, because a Mapper fails on a missing key.)
type attributes struct {
	set    // everything that behaves as in any map
	values map[string]string
}

type set interface {
	ref.Val
	traits.Container
	traits.Sizer
}

func newAttributes(all map[string]string) attributes {
	values := make(map[string]string, len(all))
	for key, value := range all {
		if value != "" {
			values[key] = value
		}
	}
	return attributes{set: types.NewStringStringMap(types.DefaultTypeAdapter, values), values: values}
}

// Get implements traits.Indexer.
func (a attributes) Get(key ref.Val) ref.Val {
	name, _ := key.(types.String)
	return types.String(a.values[string(name)])
}

// IsSet implements traits.FieldTester.
func (a attributes) IsSet(key ref.Val) ref.Val { return types.Bool(a.Get(key) != types.String("")) }

// Iterator implements traits.Iterable.
func (a attributes) Iterator() traits.Iterator {
	keys := slices.Sorted(maps.Keys(a.values))
	return types.NewStringList(types.DefaultTypeAdapter, keys).Iterator()
}

// variablesOf returns the variables for a person with a profile. The manager has no account
// until one is set.
func variablesOf(id Identity, profile *hr.Profile) *variables {
	return &variables{
		person:  object{personType, &person{identity: id, profile: profile}},
		manager: object{managerType, &manager{}},
		oneName: oneName(profile),
	}
}
