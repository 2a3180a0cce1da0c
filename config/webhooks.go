package config

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/tenurehq/tenure/hr/source"
	"github.com/tenurehq/tenure/ledger/pace"
	"github.com/tenurehq/tenure/receiver"
	"github.com/tenurehq/tenure/receiver/scheme"
	"github.com/tenurehq/tenure/secret"
)

// Webhooks says how the starter receives HR systems' webhooks.
type Webhooks struct {
	Listen string // host:port
	// Certificate names PEM files, relative to the working directory; nil: plain HTTP.
	// Whoever serves them reads them again when they change.
	Certificate *receiver.Certificate
	BehindProxy bool  // plain HTTP is allowed, since a proxy in front speaks TLS
	MaxBody     int64 // bytes; default 512 KiB
	Endpoints   []WebhookEndpoint
}

// WebhookEndpoint is a path that takes the webhooks of one HR system, all but its Key.
type WebhookEndpoint struct {
	receiver.Endpoint
	Channel source.Channel // which events its webhooks may carry, of those that its topic may
}

// mostBody leaves room for headers in a record of 1 MiB, what brokers take.
const mostBody = 1000 << 10

// readWebhooks reads the section webhooks; topics are those that are consumed.
func readWebhooks(v value, topics []Topic) *Webhooks {
	w := &Webhooks{}
	var listen value
	v.mapping(
		on("listen", func(v value) { listen, w.Listen = v, v.typed().(string) }),
		on("tls", func(v value) {
			var certificate, key value
			v.mapping(
				on("certificate", func(v value) { certificate = v }),
				on("key", func(v value) { key = v }),
			)
			if certificate.node != nil && key.node != nil {
				certificatePath, keyPath := readKeyPair(certificate, key)
				w.Certificate = &receiver.Certificate{Certificate: certificatePath, Key: keyPath}
			}
		}),
		into("behindProxy", &w.BehindProxy),
		into("maxBody", &w.MaxBody),
		on("endpoints", func(v value) {
			w.Endpoints = readEndpoints(v, topics)
			if len(w.Endpoints) == 0 && !v.l.failed(v.path) {
				v.failf("must name an endpoint at least")
			}
		}),
	)
	if listen.node != nil && w.Listen != "" && w.Certificate == nil && !w.BehindProxy && !v.l.failedWithin(v.path) && !onLoopback(w.Listen) {
		listen.failf("webhooks would come over plain HTTP, for everybody on the way to read: add webhooks.tls, " +
			"or say behindProxy: true if a proxy in front speaks TLS")
	}
	return w
}

func readEndpoints(v value, topics []Topic) []WebhookEndpoint {
	var endpoints []WebhookEndpoint
	paths := map[string]bool{}
	v.list(func(v value) {
		e := readEndpoint(v, topics)
		if paths[e.Path] && e.Path != "" {
			v.l.fail(v.at, join(v.path, "path"), "path %q is there twice", e.Path)
		}
		paths[e.Path] = true
		endpoints = append(endpoints, e)
	})
	return endpoints
}

func readEndpoint(v value, topics []Topic) WebhookEndpoint {
	var e WebhookEndpoint
	var hmac *scheme.HMAC // if the scheme is one
	v.mapping(
		into("path", &e.Path),
		on("topic", func(v value) { e.Topic = v.topicOf(topics) }),
		on("scheme", func(v value) {
			name := v.choice("scheme")
			e.Verifier, _ = scheme.Lookup(name)
			if h, ok := e.Verifier.(scheme.HMAC); ok {
				hmac = &h
			}
		}),
		on("signature", func(v value) {
			if generic, ok := e.Verifier.(scheme.HMAC); !ok || generic != scheme.Generic() {
				v.l.fail(v.at, v.path, "only the scheme %s has to be told what its signatures are", scheme.NameHMAC)
				return
			}
			readSignature(v, hmac)
		}),
		on("window", func(v value) {
			window := v.typed().(time.Duration)
			if hmac == nil || hmac.Timestamp == "" {
				v.failf("is of no use: nothing in a request says when it was sent")
				return
			}
			hmac.Window = window
		}),
		on("secrets", func(v value) { e.Secrets = v.secretsFor(e.Verifier) }),
		on("rate", func(v value) { e.limit(v.typed().(pace.Rate)) }),
		into(keySources, &e.Channel.Sources),
		into(keyTypes, &e.Channel.Types),
	)
	v.checkChannel(e.Channel)
	if hmac != nil {
		e.Verifier = *hmac
	}
	return e
}

// limit lets the endpoint accept so many requests.
func (e *WebhookEndpoint) limit(r pace.Rate) {
	e.Rate, e.Burst = rate.Limit(float64(r.Calls)/r.Per.Seconds()), r.Calls
}

// readSignature reads what the signatures of the scheme hmac are.
func readSignature(v value, h *scheme.HMAC) {
	v.mapping(
		into("header", &h.Header),
		into("prefix", &h.Prefix),
		on("encoding", func(v value) {
			h.Encoding = scheme.Encoding(v.choice("encoding"))
		}),
		into("timestamp", &h.Timestamp),
		into("signs", &h.Signs),
	)
	if v.l.failedWithin(v.path) {
		return
	}
	if err := h.Check(); err != nil {
		v.l.fail(v.at, v.path, "%s", err)
	}
}

// secretsFor reads the secrets of a scheme.
func (v value) secretsFor(s scheme.Verifier) []secret.Secret {
	var secrets []secret.Secret
	v.list(func(v value) {
		one := v.typed().(secret.Secret)
		text, err := "", error(nil)
		if v.needed() {
			text, err = one.Reveal()
		}
		if err == nil && text != "" && s != nil {
			if err := scheme.CheckSecret(s, text); err != nil {
				v.failf("%s", err)
			}
		}
		secrets = append(secrets, one)
	})
	if len(secrets) == 0 && !v.l.failed(v.path) {
		v.failf("must hold a secret at least")
	}
	return secrets
}

// topicOf reads the name of a topic that is consumed.
func (v value) topicOf(topics []Topic) string {
	name := v.text()
	if name == "" || v.l.failed(v.path) || v.l.failedWithin("kafka.topics") {
		return name
	}
	names := make([]string, len(topics))
	for i, t := range topics {
		if t.Name == name {
			return name
		}
		names[i] = t.Name
	}
	v.failf("topic %q is not one of kafka.topics, so nobody would read it%s", name, hint(name, names))
	return name
}

var pathForm = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

// parsePath reads the path of an endpoint.
func parsePath(text string) (string, error) {
	if !pathForm.MatchString(text) {
		return "", errors.New(`must be a path such as "/bamboohr", of letters, digits and -._~`)
	}
	return text, nil
}

var headerForm = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// parseHeader reads the name of an HTTP header.
func parseHeader(text string) (string, error) {
	if !headerForm.MatchString(text) {
		return "", errors.New(`must be the name of an HTTP header such as "X-Signature"`)
	}
	return text, nil
}

var sizeForm = regexp.MustCompile(`^([0-9]{1,9})(KiB|MiB)$`)

// parseBodySize reads 64KiB, up to what fits into a record.
func parseBodySize(text string) (int64, error) {
	m := sizeForm.FindStringSubmatch(text)
	if m == nil {
		return 0, errors.New(`must be a size such as "64KiB"`)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	size := n << 10
	if strings.HasPrefix(m[2], "M") {
		size <<= 10
	}
	if err != nil || size == 0 || size > mostBody {
		return 0, errors.New("must be from 1KiB to 1000KiB: more does not fit into a record, with its headers")
	}
	return size, nil
}
