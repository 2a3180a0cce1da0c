package stack

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// sessions ends the sessions of members of consumer groups that have gone silent, as a
// broker's group coordinator does. kfake does so too, with one exception: if the
// connection of a member breaks while it waits to join, kfake never starts the timer of
// its session (groups.go, group.reply). Such a member would hold its partitions, unread,
// until somebody else joins.
type sessions struct {
	cluster *kfake.Cluster
	client  *kgo.Client
	stop    context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex
	groups map[string]*groupSessions
}

// groupSessions holds what is known of a group's members.
type groupSessions struct {
	timeout time.Duration        // the longest that a member asked for
	stable  time.Time            // when the group became stable; zero if it is not
	heard   map[string]time.Time // when each member was last heard of
}

// watchSessions watches the requests of all members until close is called.
func watchSessions(ctx context.Context, cluster *kfake.Cluster, address string) (*sessions, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx)) // it runs until close, even if ctx ends
	s := &sessions{cluster: cluster, client: client, stop: stop, groups: map[string]*groupSessions{}}
	for _, key := range []kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat} {
		cluster.ControlKey(key.Int16(), func(r kmsg.Request) (kmsg.Response, error, bool) {
			s.hear(r, time.Now())
			return nil, nil, false
		})
	}
	s.running.Go(func() { s.run(ctx) })
	return s, nil
}

// close stops watching. The cluster must still be open.
func (s *sessions) close() {
	s.stop()
	s.running.Wait()
	s.client.Close()
}

// hear notes that a member sent a request.
func (s *sessions) hear(request kmsg.Request, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r := request.(type) {
	case *kmsg.JoinGroupRequest:
		g := s.group(r.Group)
		g.timeout = max(g.timeout, time.Duration(r.SessionTimeoutMillis)*time.Millisecond)
		g.heard[r.MemberID] = now
	case *kmsg.SyncGroupRequest:
		s.group(r.Group).heard[r.MemberID] = now
	case *kmsg.HeartbeatRequest:
		s.group(r.Group).heard[r.MemberID] = now
	}
}

func (s *sessions) group(name string) *groupSessions {
	if s.groups[name] == nil {
		s.groups[name] = &groupSessions{heard: map[string]time.Time{}}
	}
	return s.groups[name]
}

// run ends sessions until ctx is done.
func (s *sessions) run(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			for group, members := range s.silent(time.Now()) {
				leave := kmsg.NewPtrLeaveGroupRequest()
				leave.Group = group
				for _, id := range members {
					member := kmsg.NewLeaveGroupRequestMember()
					member.MemberID = id
					leave.Members = append(leave.Members, member)
				}
				_, _ = leave.RequestWith(ctx, s.client) // a member that did not leave is tried again
			}
		}
	}
}

// silent lists the members of each group whose session is over. Only in a stable
// group does every member have to send heartbeats.
func (s *sessions) silent(now time.Time) map[string][]string {
	silent := map[string][]string{}
	for _, name := range s.names() {
		info := s.cluster.GroupInfo(name) // not under the lock, because the cluster's loop waits for the lock in hear
		s.mu.Lock()
		if members := s.groups[name].silent(info, now); len(members) > 0 {
			silent[name] = members
		}
		s.mu.Unlock()
	}
	return silent
}

func (s *sessions) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.groups))
}

func (g *groupSessions) silent(info *kfake.GroupInfo, now time.Time) (members []string) {
	if info == nil || info.State != "Stable" {
		g.stable = time.Time{}
		return nil
	}
	if g.stable.IsZero() {
		g.stable = now
	}
	for _, m := range info.Members {
		if since := later(g.stable, g.heard[m.MemberID]); now.Sub(since) > g.timeout {
			members = append(members, m.MemberID)
		}
	}
	return members
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
