// Package ldaptest is a stand-in for an LDAP server such as OpenLDAP: entries of people and
// groups in memory, the operations that the connector ldap uses, over LDAP (RFC 4511) without
// encryption. It is used by tests only.
//
// It refuses what OpenLDAP refuses: attributes that its schema does not have, entries without a
// parent, DNs that are taken, groups without a member. It keeps references between entries no
// better than OpenLDAP does without an overlay: a group goes on holding the DN of an entry that
// was moved. It was written by us; the tests of the package ldap against OpenLDAP itself are
// those of `make test-real`.
package ldaptest

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/google/uuid"

	"github.com/tenurehq/tenure/internal/directory"
)

// What the server holds, and who may sign in to it.
const (
	Suffix   = "dc=example,dc=com"
	People   = "ou=people," + Suffix
	Leavers  = "ou=leavers," + Suffix
	Groups   = "ou=groups," + Suffix
	BindDN   = "cn=tenure,ou=services," + Suffix
	Password = "the password of the bind DN"
)

// Entry is an entry: the values of each attribute, by its name in lower case.
type Entry map[string][]string

// Server is the stand-in. Its zero value is of no use: see New.
type Server struct {
	listener net.Listener
	served   sync.WaitGroup

	mu      sync.Mutex
	entries []*held
	conns   map[net.Conn]bool
}

// held is an entry with its DN.
type held struct {
	dn string
	at Entry
}

// New starts a server with these groups, on a port of its own. Stop it by Close.
func New(groups ...string) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{listener: listener, conns: map[net.Conn]bool{}}
	for _, dn := range []string{Suffix, People, Leavers, Groups} {
		s.put(dn, Entry{"objectclass": {"organizationalUnit"}})
	}
	for _, name := range groups {
		dn := directory.Below(directory.RDN("cn", name), Groups)
		s.put(dn, Entry{"objectclass": {"groupOfNames"}, "cn": {name}, "member": {dn}}) // it must not be empty
	}
	s.served.Go(s.accept)
	return s, nil
}

// URL returns the address, for the setting url.
func (s *Server) URL() string { return "ldap://" + s.listener.Addr().String() }

// Close ends the server and its connections.
func (s *Server) Close() {
	_ = s.listener.Close()
	s.mu.Lock()
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.served.Wait()
}

// Person returns the DN and a copy of the entry with an employeeNumber, or nothing if there is
// none. Its groups are the values of "groups", sorted.
func (s *Server) Person(number string) (dn string, entry Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if !slices.Contains(e.at["employeenumber"], number) {
			continue
		}
		dn, entry = e.dn, Entry{}
		for name, values := range e.at {
			entry[name] = slices.Clone(values)
		}
	}
	for _, e := range s.entries {
		if dn != "" && slices.ContainsFunc(e.at["member"], func(member string) bool { return directory.SameDN(member, dn) }) {
			entry["groups"] = append(entry["groups"], e.at["cn"][0])
		}
	}
	slices.Sort(entry["groups"])
	return dn, entry
}

func (s *Server) put(dn string, entry Entry) {
	entry["entryuuid"] = []string{uuid.NewString()}
	entry["createtimestamp"] = []string{time.Now().UTC().Format("20060102150405Z")}
	s.entries = append(s.entries, &held{dn, entry})
}

func (s *Server) find(dn string) *held {
	for _, e := range s.entries {
		if directory.SameDN(e.dn, dn) {
			return e
		}
	}
	return nil
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[conn] = true
		s.mu.Unlock()
		s.served.Go(func() {
			_ = s.talk(conn)
			_ = conn.Close()
			s.mu.Lock()
			delete(s.conns, conn)
			s.mu.Unlock()
		})
	}
}

// talk answers the requests of a connection, one after the other, until it ends.
func (s *Server) talk(conn net.Conn) error {
	bound := false
	for {
		message, err := ber.ReadPacket(conn)
		if err != nil {
			return err
		}
		if len(message.Children) < 2 {
			return errors.New("no LDAP message")
		}
		id, _ := message.Children[0].Value.(int64)
		request := message.Children[1]
		switch request.Tag {
		case ldap.ApplicationUnbindRequest:
			return nil
		case ldap.ApplicationBindRequest:
			code := s.bind(request)
			bound = code == ldap.LDAPResultSuccess
			err = send(conn, id, result(ldap.ApplicationBindResponse, code))
		case ldap.ApplicationSearchRequest:
			err = s.search(conn, id, request, bound)
		case ldap.ApplicationExtendedRequest: // the server does not know who asks, as RFC 4511 section 4.12 allows
			err = send(conn, id, result(ldap.ApplicationExtendedResponse, ldap.LDAPResultProtocolError))
		default:
			code := uint16(ldap.LDAPResultInsufficientAccessRights)
			if bound {
				code = s.change(request)
			}
			err = send(conn, id, result(request.Tag+1, code))
		}
		if err != nil {
			return err
		}
	}
}

func (s *Server) bind(request *ber.Packet) uint16 {
	if text(request.Children[1]) != BindDN || request.Children[2].Data.String() != Password {
		return ldap.LDAPResultInvalidCredentials
	}
	return ldap.LDAPResultSuccess
}

func send(w io.Writer, id int64, answer *ber.Packet) error {
	message := sequence()
	message.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	message.AppendChild(answer)
	_, err := w.Write(message.Bytes())
	return err
}

func result(tag ber.Tag, code uint16) *ber.Packet {
	answer := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	answer.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, uint64(code), ""))
	answer.AppendChild(octets(""))
	answer.AppendChild(octets(""))
	return answer
}

func sequence() *ber.Packet {
	return ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
}

func octets(text string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, text, "")
}

// text returns the text of a packet, of whatever class.
func text(p *ber.Packet) string {
	if text, ok := p.Value.(string); ok {
		return text
	}
	return p.Data.String()
}

// search answers with every entry in scope that matches. All come on one page, as a server may
// answer who asks for pages (RFC 2696).
func (s *Server) search(w io.Writer, id int64, request *ber.Packet, bound bool) error {
	base := text(request.Children[0])
	scope, _ := request.Children[1].Value.(int64)
	filter := request.Children[6]
	var wanted []string
	for _, name := range request.Children[7].Children {
		wanted = append(wanted, strings.ToLower(text(name)))
	}
	answers, code := s.matching(base, scope, filter, wanted, bound)
	for _, answer := range answers {
		if err := send(w, id, answer); err != nil {
			return err
		}
	}
	return send(w, id, result(ldap.ApplicationSearchResultDone, code))
}

func (s *Server) matching(base string, scope int64, filter *ber.Packet, wanted []string, bound bool) ([]*ber.Packet, uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if base == "" {
		root := &held{at: Entry{"supportedcontrol": {"1.2.840.113556.1.4.319", "1.3.6.1.4.1.42.2.27.8.5.1"}}}
		return []*ber.Packet{root.shown(wanted)}, ldap.LDAPResultSuccess
	}
	if !bound || s.find(base) == nil {
		return nil, ldap.LDAPResultNoSuchObject
	}
	var answers []*ber.Packet
	for _, e := range s.entries {
		within := directory.SameDN(e.dn, base)
		switch scope {
		case ldap.ScopeSingleLevel:
			_, parent, _ := directory.Split(e.dn)
			within = directory.SameDN(parent, base)
		case ldap.ScopeWholeSubtree:
			within = within || directory.IsBelow(e.dn, base)
		}
		if within && e.matches(filter) {
			answers = append(answers, e.shown(wanted))
		}
	}
	return answers, ldap.LDAPResultSuccess
}

// shown returns an entry with the attributes that a search names. Operational ones are shown
// only by their names.
func (e *held) shown(wanted []string) *ber.Packet {
	attributes := sequence()
	for name, values := range e.at {
		if !slices.Contains(wanted, name) && (slices.Contains(operational, name) || len(wanted) > 0 && !slices.Contains(wanted, "*")) {
			continue
		}
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, value := range values {
			set.AppendChild(octets(value))
		}
		attribute := sequence()
		attribute.AppendChild(octets(spelled(name)))
		attribute.AppendChild(set)
		attributes.AppendChild(attribute)
	}
	entry := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	entry.AppendChild(octets(e.dn))
	entry.AppendChild(attributes)
	return entry
}

// matches evaluates a filter of ands, ors, nots, equalities and presence, which are all that the
// connector sends.
func (e *held) matches(filter *ber.Packet) bool {
	each := func(child *ber.Packet) bool { return e.matches(child) }
	switch filter.Tag {
	case ldap.FilterAnd:
		return !slices.ContainsFunc(filter.Children, func(child *ber.Packet) bool { return !e.matches(child) })
	case ldap.FilterOr:
		return slices.ContainsFunc(filter.Children, each)
	case ldap.FilterNot:
		return !e.matches(filter.Children[0])
	case ldap.FilterPresent:
		return len(e.at[strings.ToLower(text(filter))]) > 0
	case ldap.FilterEqualityMatch:
		name, value := strings.ToLower(text(filter.Children[0])), text(filter.Children[1])
		return slices.ContainsFunc(e.at[name], func(has string) bool { return same(name, has, value) })
	}
	return false
}
