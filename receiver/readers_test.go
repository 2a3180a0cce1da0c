package receiver

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Strangers who send only the beginning of a request, on as many connections as they like,
// keep no HR system out: neither at another endpoint nor at the one that they use.
func TestStrangersDoNotStarveTheIntake(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Tuning.Grace = time.Millisecond })
	const head = "POST /in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
	attack := func() {
		conn, err := net.Dial("tcp", r.intake.Addr())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = io.WriteString(conn, head)
		require.NoError(t, err)
	}
	for range 200 {
		attack()
	}
	reading := func() int {
		pool := r.intake.endpoints["/in"].readers
		pool.mu.Lock()
		defer pool.mu.Unlock()
		return pool.reading.Len()
	}
	r.eventually(func() bool { return reading() == 16 && r.counted("/in", "slow")+r.counted("/in", "busy") == 200-16 }, "one address has its share and no more")
	for range 50 {
		require.Equal(t, http.StatusOK, r.do(r.bamboo(payload, time.Now())).status, "another endpoint")
		require.Equal(t, http.StatusOK, r.do(r.generic(payload)).status, "the same endpoint, and the same address")
		attack()
	}
}

func TestReadersMakeRoom(t *testing.T) {
	address := func(n int) netip.Prefix { return netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), 32) }
	type entry struct {
		from netip.Prefix
		want string // "in", "out", or the number of the request that is cut off
	}
	for name, c := range map[string]struct {
		grace   time.Duration
		entries []entry
	}{
		"an address has its share":         {0, []entry{{address(1), "in"}, {address(1), "in"}, {address(1), "0"}, {address(1), "1"}, {address(2), "in"}}},
		"all together":                     {0, []entry{{address(1), "in"}, {address(2), "in"}, {address(3), "in"}, {address(4), "0"}, {address(2), "1"}}},
		"nobody knows the address":         {0, []entry{{netip.Prefix{}, "in"}, {netip.Prefix{}, "in"}, {netip.Prefix{}, "in"}, {netip.Prefix{}, "0"}}},
		"who has just come is not cut off": {time.Hour, []entry{{address(1), "in"}, {address(1), "in"}, {address(1), "out"}, {address(2), "in"}, {address(3), "out"}}},
	} {
		t.Run(name, func(t *testing.T) {
			pool := newReaders(3, 2, c.grace)
			var leaves []func()
			var cut []string
			for i, e := range c.entries {
				before, got := len(cut), "in"
				leave, ok := pool.enter(e.from, func() { cut = append(cut, fmt.Sprint(i)) })
				switch {
				case !ok:
					got = "out"
				case len(cut) > before:
					got = cut[before]
				}
				if ok {
					leaves = append(leaves, leave)
				}
				assert.Equal(t, e.want, got, "request %d", i)
			}
			for _, leave := range leaves {
				leave()
				leave() // a request that was cut off leaves too
			}
			assert.Zero(t, pool.reading.Len())
			assert.Empty(t, pool.of)
		})
	}
}

func TestSenderOf(t *testing.T) {
	for _, c := range []struct {
		remote    string
		forwarded []string
		proxy     bool
		want      string
	}{
		{remote: "192.0.2.7:1234", want: "192.0.2.7/32"},
		{remote: "[2001:db8:1:2:3::4]:1234", want: "2001:db8:1:2::/64"},
		{remote: "[::ffff:192.0.2.7]:1234", want: "192.0.2.7/32"},
		{remote: "[fe80::1%eth0]:1234", want: "fe80::/64"},
		{remote: "192.0.2.7:1234", forwarded: []string{"198.51.100.1"}, want: "192.0.2.7/32"},
		{remote: "10.0.0.1:1", proxy: true, want: "invalid Prefix"},
		{remote: "10.0.0.1:1", proxy: true, forwarded: []string{"198.51.100.1"}, want: "198.51.100.1/32"},
		{remote: "10.0.0.1:1", proxy: true, forwarded: []string{"203.0.113.9, 198.51.100.1:55"}, want: "198.51.100.1/32"},
		{remote: "10.0.0.1:1", proxy: true, forwarded: []string{"203.0.113.9", "2001:db8::1"}, want: "2001:db8::/64"},
		{remote: "10.0.0.1:1", proxy: true, forwarded: []string{"[2001:db8::1]:80"}, want: "2001:db8::/64"},
		{remote: "10.0.0.1:1", proxy: true, forwarded: []string{"unknown"}, want: "invalid Prefix"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		assert.Equal(t, c.want, senderOf(r, c.proxy).String(), fmt.Sprint(c))
	}
}
