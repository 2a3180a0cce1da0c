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

// readers holds the requests of one endpoint whose bodies are being read. Anybody can send
// such requests, and their signature can only be checked when the whole body is there. So
// each address may have only a few, and if there are too many, the oldest one is ended.
// Slow senders keep nobody out.
type readers struct {
	most, each int           // how many requests there may be, in all and from one address
	grace      time.Duration // no request has to make room before it had this long

	mu      sync.Mutex
	reading *list.List // of *reader, the oldest in front
	of      map[netip.Prefix]int
}

type reader struct {
	from    netip.Prefix // invalid if it is not known
	since   time.Time
	cut     func() // ends the reading of the body
	evicted bool
}

func newReaders(most, each int, grace time.Duration) *readers {
	return &readers{most: most, each: each, grace: grace, reading: list.New(), of: map[netip.Prefix]int{}}
}

// enter takes a request in and returns the function that ends its stay. It returns false
// if there is no room for one more request. Once the request has entered, another
// goroutine may call cut to end the reading of its body.
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

// makeRoom ends the reading of the oldest request that mayGo accepts, and reports whether it
// did. It does not if that request's grace is not over yet.
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

// remove takes a request out. It does nothing if the request was removed before.
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

// senderOf returns the network that a request comes from: an IPv4 address, or the /64
// network of an IPv6 address, which a provider gives to one customer. Behind a proxy it
// takes the last address of X-Forwarded-For, which the proxy has added. It returns the
// zero Prefix if there is no address that it can read.
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
