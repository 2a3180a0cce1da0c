package directory

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"net"
	"net/url"
	"strconv"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/settings"
	"github.com/tenurehq/tenure/secret"
)

// server is a minimal directory to test a client. It accepts one password, and returns one
// entry on each page.
type server struct {
	listener net.Listener

	mu       sync.Mutex
	password string
	pages    int
	silent   bool // answer nothing but binds
	endless  bool // answer searches with endless entries
	conns    []net.Conn
	seen     []ber.Tag // the requests, by their tag
}

func serve(t *testing.T, encryption *tls.Config) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	if encryption != nil {
		listener = tls.NewListener(listener, encryption)
	}
	s := &server{listener: listener, password: "right", pages: 1}
	t.Cleanup(s.stop)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			go s.talk(conn)
		}
	}()
	return s
}

func (s *server) stop() {
	_ = s.listener.Close()
	s.hangUp()
}

// hangUp closes every connection.
func (s *server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		_ = conn.Close()
	}
}

func (s *server) set(change func(s *server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// count returns how often a request was made.
func (s *server) count(tag ber.Tag) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seen := range s.seen {
		if seen == tag {
			n++
		}
	}
	return n
}

func (s *server) talk(conn net.Conn) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for {
		message, err := ber.ReadPacket(reader)
		if err != nil {
			return
		}
		s.mu.Lock()
		endless := s.endless && message.Children[1].Tag == ldap.ApplicationSearchRequest
		s.mu.Unlock()
		for endless {
			entry := s.page(message.Children[0].Value.(int64), message)[0].Bytes()
			if _, err := conn.Write(bytes.Repeat(entry, 1000)); err != nil {
				return
			}
		}
		for _, answer := range s.answers(message) {
			if _, err := conn.Write(answer.Bytes()); err != nil {
				return
			}
		}
	}
}

func (s *server) answers(message *ber.Packet) []*ber.Packet {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, request := message.Children[0].Value.(int64), message.Children[1]
	s.seen = append(s.seen, request.Tag)
	switch {
	case request.Tag == ldap.ApplicationBindRequest && request.Children[2].Data.String() != s.password:
		return []*ber.Packet{result(id, ldap.ApplicationBindResponse, ldap.LDAPResultInvalidCredentials)}
	case request.Tag == ldap.ApplicationBindRequest:
		return []*ber.Packet{result(id, ldap.ApplicationBindResponse, ldap.LDAPResultSuccess)}
	case s.silent:
		return nil
	case request.Tag == ldap.ApplicationSearchRequest:
		return s.page(id, message)
	case request.Tag == ldap.ApplicationExtendedRequest:
		return []*ber.Packet{result(id, ldap.ApplicationExtendedResponse, ldap.LDAPResultProtocolError)}
	}
	return []*ber.Packet{result(id, request.Tag+1, ldap.LDAPResultSuccess)}
}

// page answers a search with one entry, and reports whether there are more.
func (s *server) page(id int64, message *ber.Packet) []*ber.Packet {
	number := 1
	if len(message.Children) == 3 {
		if control, err := ldap.DecodeControl(message.Children[2].Children[0]); err == nil {
			if cookie := control.(*ldap.ControlPaging).Cookie; len(cookie) > 0 {
				number, _ = strconv.Atoi(string(cookie))
			}
		}
	}
	entry := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	entry.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "uid="+strconv.Itoa(number), ""))
	entry.AppendChild(ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, ""))
	done := result(id, ldap.ApplicationSearchResultDone, ldap.LDAPResultSuccess)
	next := ldap.NewControlPaging(0)
	if number < s.pages {
		next.SetCookie([]byte(strconv.Itoa(number + 1)))
	}
	controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
	controls.AppendChild(next.Encode())
	done.AppendChild(controls)
	return []*ber.Packet{envelope(id, entry), done}
}

func result(id int64, tag ber.Tag, code uint16) *ber.Packet {
	answer := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	answer.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, uint64(code), ""))
	answer.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	answer.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	return envelope(id, answer)
}

func envelope(id int64, answer *ber.Packet) *ber.Packet {
	message := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	message.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	message.AppendChild(answer)
	return message
}

// client returns a client of the server with default settings.
func (s *server) client(t *testing.T, change func(*Config)) *Client {
	t.Helper()
	config := Read(settings.Read(Settings, map[string]any{"url": "ldap://" + s.listener.Addr().String(), "bindDN": "cn=tenure", "password": secret.Of("right")}))
	if change != nil {
		change(&config)
	}
	c := New(config)
	t.Cleanup(c.Close)
	return c
}

func address(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	return u
}
