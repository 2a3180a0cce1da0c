package receiver

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// readers holds the requests of one endpoint whose bodies are being read. Anybody can
// send those, and nothing is known of them before the whole body is there. So each
// address may have only a few, and when there are too many the oldest is ended, so that
// slow senders keep nobody out.
type readers struct {
	most, each int           // requests, in all and of one address
	grace      time.Duration // no request makes room before it had this long

	mu      sync.Mutex
	reading *list.List // of *reader, the oldest in front
	of      map[netip.Prefix]int
}

type reader struct {
	from    netip.Prefix // invalid: nobody knows
	since   time.Time
	cut     func() // ends the reading of the body
	evicted bool
}

func newReaders(most, each int, grace time.Duration) *readers {
	return &readers{most: most, each: each, grace: grace, reading: list.New(), of: map[netip.Prefix]int{}}
}

// enter takes a request in, and returns what ends its stay. It returns false if
// there is no room for one more of its address. cut may be called once the request
// has entered, from another goroutine, to end reading its body.
func (r *readers) enter(from netip.Prefix, cut func()) (leave func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var tooMany func(*reader) bool
	switch {
	case from.IsValid() && r.of[from] >= r.each:
		tooMany = func(other *reader) bool { return other.from == from }
	case r.reading.Len() >= r.most:
		tooMany = func(*reader) bool { return true }
	}
	if tooMany != nil && !r.makeRoom(tooMany) {
		return nil, false
	}
	entered := r.reading.PushBack(&reader{from: from, since: time.Now(), cut: cut})
	r.of[from]++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.remove(entered)
	}, true
}

// makeRoom ends the reading of the oldest request, unless its grace is not over yet.
func (r *readers) makeRoom(mayGo func(*reader) bool) bool {
	for e := r.reading.Front(); e != nil; e = e.Next() {
		if oldest := e.Value.(*reader); mayGo(oldest) {
			if time.Since(oldest.since) < r.grace {
				return false
			}
			oldest.cut()
			r.remove(e)
			return true
		}
	}
	return false
}

// remove takes a request out, if it is still there.
func (r *readers) remove(e *list.Element) {
	gone := e.Value.(*reader)
	if gone.evicted {
		return
	}
	gone.evicted = true
	r.reading.Remove(e)
	if r.of[gone.from]--; r.of[gone.from] == 0 {
		delete(r.of, gone.from)
	}
}

// senderOf returns the network that a request comes from: an IPv4 address, or the
// part of an IPv6 address that a provider gives to one customer. Behind a proxy it
// is the last one that X-Forwarded-For names, which the proxy has added; invalid
// if it adds none.
func senderOf(r *http.Request, behindProxy bool) netip.Prefix {
	text := r.RemoteAddr
	if behindProxy {
		all := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
		text = strings.TrimSpace(all[strings.LastIndexByte(all, ',')+1:])
	}
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	if err != nil {
		return netip.Prefix{}
	}
	address = address.Unmap().WithZone("")
	bits := 32
	if address.Is6() {
		bits = 64
	}
	network, err := address.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return network
}
