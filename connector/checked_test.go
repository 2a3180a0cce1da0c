package connector_test

import (
	"context"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/connector"
)

// The methods of connector.Connector, by how the tests below treat them. The tests fail for
// a method that is in none of these lists: add it to the right one.
var (
	// always lists the methods that every connector has.
	always = []string{"Capabilities", "Ask", "Check", "Close", "Find", "Keeps", "Learned", "Read"}
	// lists holds the other methods that change nothing.
	lists = []string{"Entitlements", "List", "Page", "Probe"}
	// offers maps each capability to its methods.
	offers = map[string][]string{
		"Create": {"Create"}, "Adopt": {"Adopt"}, "Update": {"Update"}, "Relabel": {"Relabel"},
		"Disable": {"Disable", "Enable"}, "Delete": {"Delete"}, "Restore": {"Restore"}, "Entitlements": {"Grant", "Revoke"},
		"ListEntitlements": {"Entitlements"}, "Sessions": {"RevokeSessions"}, "ResetCredentials": {"ResetCredentials"},
		"HandOver": {"HandOver"}, "List": {"List"}, "Page": {"Page"}, "Probe": {"Probe"},
		"Reversible": {}, "RecycleBin": {}, "HandOverByDelete": {}, "HandOverNeeds": {}, "MarksLater": {}, "Settling": {}, "LastUse": {}, "EnableFirst": {}, "Frozen": {}, "Directory": {}, // these describe other capabilities
	}
)

// methods returns the names of all methods of the interface.
func methods() []string {
	var names []string
	for m := range reflect.TypeFor[connector.Connector]().Methods() {
		names = append(names, m.Name)
	}
	return names
}

// alarm is a connector whose methods panic, except the two that are needed to judge a call:
// a test notices when a call gets through to it.
type alarm struct {
	connector.Connector // nil
	can                 connector.Capabilities
}

func (a alarm) Capabilities() connector.Capabilities { return a.can }

func (a alarm) Read(context.Context, string) (connector.Account, error) {
	return connector.Account{Username: "breakglass"}, nil
}

// reach calls a method with arguments that are not empty. It reports whether the call got
// through, and returns the call's error if it did not.
func reach(t *testing.T, c connector.Connector, method string) (reached bool, err error) {
	t.Helper()
	call := reflect.ValueOf(c).MethodByName(method)
	args := []reflect.Value{}
	for i := range call.Type().NumIn() {
		args = append(args, filled(t, call.Type().In(i)))
	}
	defer func() {
		if recover() != nil {
			reached, err = true, nil
		}
	}()
	for _, result := range call.Call(args) {
		switch got := result.Interface().(type) {
		case error:
			err = got
		case iter.Seq2[connector.Account, error]:
			got(func(_ connector.Account, failed error) bool { err = failed; return false })
		case iter.Seq2[connector.Entitlement, error]:
			got(func(_ connector.Entitlement, failed error) bool { err = failed; return false })
		}
	}
	return false, err
}

func filled(t *testing.T, of reflect.Type) reflect.Value {
	t.Helper()
	v := reflect.New(of).Elem()
	switch {
	case of == reflect.TypeFor[context.Context]():
		return reflect.ValueOf(t.Context())
	case of.Kind() == reflect.String:
		v.SetString("7")
	case of.Kind() == reflect.Struct:
		for i := range of.NumField() {
			if v.Field(i).Kind() == reflect.String {
				v.Field(i).SetString("7")
			}
		}
	}
	return v
}

// all returns capabilities that offer everything.
func all(t *testing.T) (can connector.Capabilities) {
	t.Helper()
	v := reflect.ValueOf(&can).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.Bool {
			v.Field(i).SetBool(true)
		}
	}
	return can
}

func TestNoMethodSlipsPastTheGuard(t *testing.T) {
	reading := slices.Concat(always, lists)
	for _, who := range []struct {
		name, person string
		account      bool
	}{{"account", "", true}, {"person", "7", false}} {
		guarded := connector.Guard(alarm{can: all(t)}, connector.Protection{
			App: "wiki", For: who.person, Looks: true,
			Person: func(id string) bool { return id == who.person },
			Account: func(a connector.Account) bool {
				return who.account && slices.Contains([]string{"breakglass", "7"}, a.Username)
			},
		})
		for _, method := range methods() {
			t.Run(method+" of a protected "+who.name, func(t *testing.T) {
				reached, err := reach(t, guarded, method)
				if slices.Contains(reading, method) {
					require.NoError(t, err)
					assert.True(t, reached || method == "Read" || method == "Capabilities", "what changes nothing is passed on")
					return
				}
				require.False(t, reached, "whatever is not known to change nothing is guarded")
				var refused *connector.ProtectedError
				require.ErrorAs(t, err, &refused)
				assert.Equal(t, !who.account, refused.Person)
			})
		}
	}
}

func TestWhatIsNotOfferedIsNotCalled(t *testing.T) {
	fields := reflect.TypeFor[connector.Capabilities]()
	var known []string
	for i := range fields.NumField() {
		known = append(known, fields.Field(i).Name)
	}
	require.ElementsMatch(t, known, slices.Collect(maps.Keys(offers)), "say what methods each capability is made of")
	require.ElementsMatch(t, methods(), slices.Concat(append(slices.Collect(maps.Values(offers)), always)...), "a method is in no capability, or in two")

	for field, allowed := range offers {
		t.Run(field, func(t *testing.T) {
			var can connector.Capabilities
			if v := reflect.ValueOf(&can).Elem().FieldByName(field); v.Kind() == reflect.Bool {
				v.SetBool(true)
			}
			kind := connector.Kind{Connect: func(context.Context, connector.Env, *connector.Values) (connector.Connector, error) {
				return alarm{can: can}, nil
			}}
			opened, err := kind.Open(t.Context(), connector.Env{}, nil)
			require.NoError(t, err)
			nobody := connector.Protection{Person: func(string) bool { return false }, Account: func(connector.Account) bool { return false }}
			for _, c := range []connector.Connector{opened, connector.Guard(alarm{can: can}, nobody)} {
				for _, method := range methods() {
					if slices.Contains(always, method) {
						continue
					}
					reached, err := reach(t, c, method)
					assert.Equal(t, slices.Contains(allowed, method), reached, method)
					if !reached && method != "Probe" { // Probe has no error
						unsupported(t, err, method)
					}
				}
			}
		})
	}
}

// longID answers each call with an account whose ID has that many bytes.
type longID struct {
	connector.Base
	bytes int
}

func (l longID) account() connector.Account {
	return connector.Account{ID: strings.Repeat("x", l.bytes), Username: "ada"}
}

func (l longID) Capabilities() connector.Capabilities { return connector.Capabilities{Create: true} }

func (l longID) Find(context.Context, connector.Keys) ([]connector.Match, error) {
	return []connector.Match{{Account: l.account(), By: connector.ByUsername}}, nil
}

func (l longID) Read(context.Context, string) (connector.Account, error) { return l.account(), nil }

func (l longID) Create(context.Context, connector.Spec) (connector.Account, error) {
	return l.account(), nil
}

func (l longID) Check(context.Context) (string, error) { return "", nil }

func (l longID) Close() error { return nil }

// The ledger cannot store a link under an ID that is too long for its index. An answer with
// such an ID proves nothing, not even that the app refused Create.
func TestAnIDThatIsTooLongToStoreProvesNothing(t *testing.T) {
	for bytes, proves := range map[int]bool{1024: true, 1025: false} {
		kind := connector.Kind{Connect: func(context.Context, connector.Env, *connector.Values) (connector.Connector, error) {
			return longID{bytes: bytes}, nil
		}}
		c, err := kind.Open(t.Context(), connector.Env{}, nil)
		require.NoError(t, err)
		_, found := c.Find(t.Context(), connector.Keys{Username: "ada"})
		_, read := c.Read(t.Context(), "1")
		_, created := c.Create(t.Context(), connector.Spec{Username: "ada"})
		for op, err := range map[string]error{"find": found, "read": read, "create": created} {
			assert.Equal(t, proves, err == nil, "%s: %v", op, err)
			assert.Equal(t, !proves, connector.Is(err, connector.KindContradictory), op)
		}
	}
}

func TestBaseOffersNothing(t *testing.T) {
	base := reflect.TypeFor[connector.Base]()
	for _, method := range methods() {
		if slices.Contains([]string{"Capabilities", "Find", "Read", "Check", "Close"}, method) {
			_, has := base.MethodByName(method)
			assert.False(t, has, "a kind has to say that itself: %s", method)
			continue
		}
		_, has := base.MethodByName(method)
		require.True(t, has, method)
		if slices.Contains(always, method) || method == "Probe" {
			continue // these have no error
		}
		reached, err := reach(t, based{}, method)
		assert.False(t, reached, method)
		unsupported(t, err, method)
	}
}

// based is a connector that implements only what every connector has to.
type based struct {
	required
	connector.Base
}

type required struct{}

func (required) Capabilities() connector.Capabilities { return connector.Capabilities{} }

func (required) Find(context.Context, connector.Keys) ([]connector.Match, error) { return nil, nil }

func (required) Read(context.Context, string) (connector.Account, error) {
	return connector.Account{}, nil
}

func (required) Check(context.Context) (string, error) { return "", nil }

func (required) Close() error { return nil }

func unsupported(t *testing.T, err error, method string) {
	t.Helper()
	var failed *connector.Error
	require.ErrorAs(t, err, &failed, method)
	assert.Equal(t, connector.KindUnsupported, failed.Kind, method)
	assert.Equal(t, strings.ToLower(method), strings.ReplaceAll(strings.TrimPrefix(failed.Op, "list_"), "_", ""), "the error names the operation")
}
