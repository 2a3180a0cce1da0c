package policy

import (
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"

	"github.com/tenurehq/tenure/hr"
)

// The types of the variables, with their names in CEL's messages.
var (
	personType     = cel.ObjectType("tenure.Person")
	locationType   = cel.ObjectType("tenure.Location")
	managerType    = cel.ObjectType("tenure.Manager")
	attributesType = cel.MapType(cel.StringType, cel.StringType)
)

// scope holds the names that expressions of one kind of field can use.
type scope struct {
	env   *cel.Env
	names []string // variables and functions, for hints
	paths map[string]string
}

// scopes holds all scopes. Compile decides which one a field gets.
type scopes struct {
	facts   *scope // person with HR's data
	named   *scope // also person.username
	account *scope // also person.email and manager.account
}

func newScopes() (scopes, error) {
	var (
		all scopes
		err error
	)
	if all.facts, err = newScope(personFields()); err != nil {
		return all, err
	}
	named := personFields()
	named["username"] = text(func(p *person) string { return p.identity.Username })
	if all.named, err = newScope(named); err != nil {
		return all, err
	}
	account := maps.Clone(named)
	account["email"] = text(func(p *person) string { return p.identity.Email })
	all.account, err = newScope(account, cel.Variable("manager", managerType))
	return all, err
}

func newScope(personFields fields, options ...cel.EnvOption) (*scope, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	provider := &provider{Registry: registry, fields: map[string]fields{
		personType.TypeName():   personFields,
		locationType.TypeName(): locationFields,
		managerType.TypeName():  managerFields,
		itemType.TypeName():     itemFields,
	}}
	env, err := cel.NewEnv(append([]cel.EnvOption{
		cel.CustomTypeProvider(provider),
		cel.CustomTypeAdapter(registry),
		cel.Variable("person", personType),
		ext.Strings(),
		cel.Lib(parts{}),
		cel.Function("lower", cel.Overload("lower_string", []*cel.Type{cel.StringType}, cel.StringType,
			cel.UnaryBinding(onString(strings.ToLower)))),
		cel.Function("ascii", cel.Overload("ascii_string", []*cel.Type{cel.StringType}, cel.StringType,
			cel.UnaryBinding(onString(ascii)))),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateTimestampLiterals(),
			cel.ValidateDurationLiterals(), cel.ValidateHomogeneousAggregateLiterals()),
	}, options...)...)
	if err != nil {
		return nil, err
	}
	return &scope{env: env, names: namesOf(env), paths: pathsOf(personFields)}, nil
}

// namesOf returns the names of the variables, functions and macros of an environment.
func namesOf(env *cel.Env) []string {
	names := slices.Collect(maps.Keys(env.Functions()))
	for _, variable := range env.Variables() {
		names = append(names, variable.Name())
	}
	for _, macro := range env.Macros() {
		names = append(names, macro.Function())
	}
	return slices.DeleteFunc(names, func(name string) bool { return strings.ContainsAny(name, "_@!") })
}

// pathsOf maps the last part of every field's path to the whole path.
func pathsOf(personFields fields) map[string]string {
	paths := map[string]string{"account": "manager.account"}
	for name := range locationFields {
		paths[name] = "person.location." + name
	}
	for name := range personFields {
		paths[name] = "person." + name
	}
	return paths
}

func onString(f func(string) string) func(ref.Val) ref.Val {
	return func(value ref.Val) ref.Val { return types.String(f(string(value.(types.String)))) }
}

// person is the variable "person" of expressions.
type person struct {
	identity Identity
	profile  *hr.Profile
}

// manager is the variable "manager" of expressions.
type manager struct{ account string }

// fields holds the fields of one type that expressions can read.
type fields map[string]*types.FieldType

func personFields() fields {
	return fields{
		"id":             text(func(p *person) string { return p.identity.PersonID }),
		"workerType":     text(func(p *person) string { return string(p.profile.Type) }),
		"givenName":      text(func(p *person) string { return p.profile.GivenName }),
		"familyName":     text(func(p *person) string { return p.profile.FamilyName }),
		"preferredName":  text(func(p *person) string { return p.profile.PreferredName }),
		"workEmail":      text(func(p *person) string { return p.profile.WorkEmail }),
		"personalEmail":  text(func(p *person) string { return p.profile.PersonalEmail }),
		"phone":          text(func(p *person) string { return p.profile.Phone }),
		"employeeNumber": text(func(p *person) string { return p.profile.EmployeeNumber }),
		"jobTitle":       text(func(p *person) string { return p.profile.JobTitle }),
		"department":     text(func(p *person) string { return p.profile.Department }),
		"costCenter":     text(func(p *person) string { return p.profile.CostCenter }),
		"company":        text(func(p *person) string { return p.profile.Company }),
		"managerId":      text(func(p *person) string { return p.profile.ManagerID }),
		"startDate":      text(func(p *person) string { return p.profile.StartDate.String() }),
		"endDate":        text(func(p *person) string { return p.profile.EndDate.String() }),
		"location": {
			Type:  locationType,
			IsSet: func(target any) bool { return target.(*person).profile.Location != hr.Location{} },
			GetFrom: func(target any) (any, error) {
				return object{locationType, &target.(*person).profile.Location}, nil
			},
		},
		"attributes": {
			Type:    attributesType,
			IsSet:   func(target any) bool { return len(newAttributes(target.(*person).profile.Attributes).values) > 0 },
			GetFrom: func(target any) (any, error) { return newAttributes(target.(*person).profile.Attributes), nil },
		},
	}
}

var locationFields = fields{
	"site":     text(func(l *hr.Location) string { return l.Site }),
	"country":  text(func(l *hr.Location) string { return l.Country }),
	"timeZone": text(func(l *hr.Location) string { return l.TimeZone }),
}

var managerFields = fields{
	"account": text(func(m *manager) string { return m.account }),
}

// text returns a string field of a T. The field counts as set unless it is empty.
func text[T any](read func(*T) string) *types.FieldType {
	return &types.FieldType{
		Type:    types.StringType,
		IsSet:   func(target any) bool { return read(target.(*T)) != "" },
		GetFrom: func(target any) (any, error) { return types.String(read(target.(*T))), nil },
	}
}

// provider gives CEL the fields of the types above; for all other types it asks CEL's own.
type provider struct {
	*types.Registry
	fields map[string]fields
}

func (p *provider) FindStructType(typeName string) (*types.Type, bool) {
	if _, ok := p.fields[typeName]; ok {
		return types.NewTypeTypeWithParam(cel.ObjectType(typeName)), true
	}
	return p.Registry.FindStructType(typeName)
}

func (p *provider) FindStructFieldType(typeName, field string) (*types.FieldType, bool) {
	if known, ok := p.fields[typeName]; ok {
		fieldType, ok := known[field]
		return fieldType, ok
	}
	return p.Registry.FindStructFieldType(typeName, field)
}

func (p *provider) FindStructFieldNames(typeName string) ([]string, bool) {
	if known, ok := p.fields[typeName]; ok {
		return slices.Sorted(maps.Keys(known)), true
	}
	return p.Registry.FindStructFieldNames(typeName)
}
