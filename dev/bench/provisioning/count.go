package provisioning

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Counter counts requests by their kind.
type Counter struct {
	mu  sync.Mutex
	all map[string]int
}

func (c *Counter) add(kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]int{}
	}
	c.all[kind]++
}

// Counts returns how many requests there were since they were asked for last, by kind.
func (c *Counter) Counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := maps.Clone(c.all)
	clear(c.all)
	return all
}

// kindOf returns the method and the resource of a request, with ID in place of IDs:
// "PATCH /Groups/ID".
func kindOf(method, base, path string) string {
	parts := strings.Split(strings.Trim(strings.TrimPrefix(path, base), "/"), "/")
	for i := range parts[1:] {
		parts[i+1] = "ID"
	}
	return method + " /" + strings.Join(parts, "/")
}

// proxyHTTP passes requests through to a service, and counts them. It listens on address until stop
// is called.
func proxyHTTP(ctx context.Context, address string, service *url.URL, config *tls.Config, count *Counter) (at string, stop func(), err error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = config
	transport.MaxIdleConnsPerHost = 256
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			count.add(kindOf(r.In.Method, service.Path, r.In.URL.Path))
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = service.Scheme, service.Host, service.Host
		},
	}
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(ln) }() // until stop
	return ln.Addr().String(), func() { _ = server.Close() }, nil
}

// operations names the requests of LDAP by their tags (RFC 4511 section 4).
var operations = map[byte]string{
	0x60: "bind", 0x42: "unbind", 0x63: "search", 0x66: "modify", 0x68: "add", 0x4a: "delete", 0x6c: "modify DN", 0x6e: "compare", 0x50: "abandon", 0x77: "extended",
}

// proxyLDAP passes connections through to a directory, and counts the requests in them.
func proxyLDAP(ctx context.Context, address string, dial func() (net.Conn, error), count *Counter) (at string, stop func(), err error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", nil, err
	}
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = client.Close() }() // the other side has ended
				server, err := dial()
				if err != nil {
					return
				}
				defer func() { _ = server.Close() }() // likewise
				go func() {
					_, _ = io.Copy(client, server)
					_ = client.Close()
				}()
				_ = countLDAP(client, server, count)
			}()
		}
	}()
	return ln.Addr().String(), func() { _ = ln.Close() }, nil
}

// longestRequest bounds what is read of a request.
const longestRequest = 64 << 20

// countLDAP copies requests from one side to the other.
func countLDAP(from io.Reader, to io.Writer, count *Counter) error {
	in := bufio.NewReader(from)
	for {
		head, length, err := element(in)
		if err != nil {
			return err
		}
		if head[0] != 0x30 || length > longestRequest {
			return errors.New("it is no LDAP")
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(in, body); err != nil {
			return err
		}
		kind := "unknown"
		if len(body) > 2 && body[0] == 0x02 && int(body[1])+2 < len(body) { // the ID of the message is an INTEGER of a few bytes
			if name, known := operations[body[int(body[1])+2]]; known {
				kind = name
			}
		}
		count.add(kind)
		if _, err := to.Write(append(head, body...)); err != nil {
			return err
		}
	}
}

// element reads the tag and the length of a BER element of definite length.
func element(in *bufio.Reader) (head []byte, length int, err error) {
	for range 2 {
		b, err := in.ReadByte()
		if err != nil {
			return nil, 0, err
		}
		head = append(head, b)
	}
	if head[1] < 0x80 {
		return head, int(head[1]), nil
	}
	if head[1] > 0x84 {
		return nil, 0, fmt.Errorf("a length of %d bytes", head[1]&0x7f)
	}
	for range head[1] & 0x7f {
		b, err := in.ReadByte()
		if err != nil {
			return nil, 0, err
		}
		head, length = append(head, b), length<<8|int(b)
	}
	return head, length, nil
}

// dialer returns how to reach a directory.
func dialer(at *url.URL, config *tls.Config) func() (net.Conn, error) {
	host := at.Host
	if at.Port() == "" {
		host = net.JoinHostPort(at.Hostname(), map[string]string{"ldap": "389", "ldaps": "636"}[at.Scheme])
	}
	if at.Scheme == "ldaps" {
		return func() (net.Conn, error) { return (&tls.Dialer{Config: config}).Dial("tcp", host) } //nolint:noctx // as long as the client's connection
	}
	return func() (net.Conn, error) { return net.DialTimeout("tcp", host, 10*time.Second) } //nolint:noctx // likewise
}
