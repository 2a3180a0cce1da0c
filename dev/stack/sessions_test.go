package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// member speaks a consumer's part of the protocol by hand.
type member struct {
	t         *testing.T
	client    *kgo.Client
	group     string
	id        string
	addresses []string // the addresses of its own end of its connections
}

func newMember(t *testing.T, k *broker, group string) *member {
	t.Helper()
	m := &member{t: t, group: group}
	var mu sync.Mutex
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			m.addresses = append(m.addresses, conn.LocalAddr().String())
		}
		return conn, err
	}
	var err error
	// These versions let a member join at once, with an ID that the broker gives.
	m.client, err = kgo.NewClient(kgo.SeedBrokers(k.address), kgo.MaxVersions(kversion.V0_11_0()), kgo.Dialer(dial))
	require.NoError(t, err)
	t.Cleanup(m.client.Close)
	return m
}

func (m *member) join() (*kmsg.JoinGroupResponse, error) {
	request := kmsg.NewPtrJoinGroupRequest()
	request.Group, request.ProtocolType, request.MemberID = m.group, "consumer", m.id
	request.SessionTimeoutMillis, request.RebalanceTimeoutMillis = 6000, 60000
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name = "range"
	request.Protocols = append(request.Protocols, protocol)
	return request.RequestWith(m.t.Context(), m.client)
}

func (m *member) sync(generation int32) {
	request := kmsg.NewPtrSyncGroupRequest()
	request.Group, request.MemberID, request.Generation = m.group, m.id, generation
	response, err := request.RequestWith(m.t.Context(), m.client)
	require.NoError(m.t, err)
	require.NoError(m.t, kerr.ErrorForCode(response.ErrorCode))
}

func (m *member) heartbeat(generation int32) error {
	request := kmsg.NewPtrHeartbeatRequest()
	request.Group, request.MemberID, request.Generation = m.group, m.id, generation
	response, err := request.RequestWith(m.t.Context(), m.client)
	require.NoError(m.t, err)
	return kerr.ErrorForCode(response.ErrorCode)
}

// knownListener knows from which addresses the broker has connections open.
type knownListener struct {
	net.Listener
	open sync.Map // the set of addresses
}

func (l *knownListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.open.Store(conn.RemoteAddr().String(), true)
	return &knownConn{Conn: conn, listener: l}, nil
}

type knownConn struct {
	net.Conn
	listener *knownListener
}

func (c *knownConn) Close() error {
	defer c.listener.open.Delete(c.RemoteAddr().String())
	return c.Conn.Close()
}

// TestWhoDiesWhileJoiningLeavesTheGroup lets a member die while it waits to join. The
// other member has to learn that it should join again, for all partitions. kfake by
// itself forgets about every second member that dies like this, so the test tries several
// groups.
func TestWhoDiesWhileJoiningLeavesTheGroup(t *testing.T) {
	t.Parallel()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listener := &knownListener{Listener: plain}
	k, err := startKafka(t.Context(), listener, "", true)
	require.NoError(t, err)
	t.Cleanup(k.Close)

	for i := range 7 {
		group := fmt.Sprintf("group-%d", i)
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			lives := newMember(t, k, group)
			joined, err := lives.join()
			require.NoError(t, err)
			lives.id = joined.MemberID
			lives.sync(joined.Generation)

			dies := newMember(t, k, group)
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				_, _ = dies.join() // it waits for the other member until its own death
			}()
			require.Eventually(t, func() bool { return lives.heartbeat(joined.Generation) != nil }, patience, 10*time.Millisecond)
			dies.client.Close()
			<-gone
			require.Eventually(t, func() bool {
				return !slices.ContainsFunc(dies.addresses, func(a string) bool { _, open := listener.open.Load(a); return open })
			}, patience, 10*time.Millisecond, "the broker never sees that the connection is closed")

			joined, err = lives.join()
			require.NoError(t, err)
			lives.sync(joined.Generation)
			require.Len(t, k.cluster.GroupInfo(group).Members, 2, "the one that died has joined")
			assert.Eventually(t, func() bool { return errors.Is(lives.heartbeat(joined.Generation), kerr.RebalanceInProgress) },
				2*patience, 100*time.Millisecond, "the one that died never leaves")
		})
	}
}
