package mail_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	stdmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/notice"
	"github.com/tenurehq/tenure/notice/mail"
	"github.com/tenurehq/tenure/secret"
)

// got is a mail that a server took.
type got struct {
	from, to, login string
	encrypted       bool
	data            string
}

// server is a real SMTP server.
type server struct {
	mu      sync.Mutex
	mails   []got
	logins  bool  // somebody has to sign in
	refuse  error // of recipients
	dies    bool  // it takes the mail, and breaks the connection off without an answer
	address string
	roots   *x509.CertPool
}

func (s *server) NewSession(c *smtp.Conn) (smtp.Session, error) {
	_, encrypted := c.TLSConnectionState()
	return &session{server: s, conn: c, now: got{encrypted: encrypted}}, nil
}

type session struct {
	server *server
	conn   *smtp.Conn
	now    got
}

func (s *session) AuthMechanisms() []string {
	if !s.server.logins {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != "tenure" || password != "geheim" {
			return smtp.ErrAuthFailed
		}
		s.now.login = username
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.logins && s.now.login == "" {
		return smtp.ErrAuthRequired
	}
	s.now.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.server.refuse != nil {
		return s.server.refuse
	}
	s.now.to += to
	return nil
}

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.now.data = string(text)
	s.server.mu.Lock()
	s.server.mails = append(s.server.mails, s.now)
	s.server.mu.Unlock()
	if s.server.dies {
		return s.conn.Conn().Close()
	}
	return nil
}

func (*session) Reset()        {}
func (*session) Logout() error { return nil }

func (s *server) take() []got {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails
}

// start starts the server; encryption is as the client expects it.
func start(t *testing.T, encryption mail.Encryption, change func(*server)) (*server, mail.Server) {
	t.Helper()
	s := &server{}
	if change != nil {
		change(s)
	}
	certificate, roots := certified(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.address, s.roots = listener.Addr().String(), roots
	real := smtp.NewServer(s)
	real.Domain, real.ErrorLog = "localhost", log.New(io.Discard, "", 0)
	real.ReadTimeout, real.WriteTimeout = 10*time.Second, 10*time.Second
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	switch encryption {
	case mail.StartTLS:
		real.TLSConfig = config
	case mail.Implicit:
		listener = tls.NewListener(listener, config)
	}
	var served sync.WaitGroup
	served.Go(func() { _ = real.Serve(listener) })
	t.Cleanup(func() { _ = real.Close(); served.Wait() })
	return s, mail.Server{Address: s.address, From: "Tenure <tenure@example.com>", Encryption: encryption, Roots: roots, Timeout: 10 * time.Second}
}

// certified returns a certificate for 127.0.0.1, and who trusts it.
func certified(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

var message = notice.Mail{Subject: "Tenure: r-1 waits", Text: "Zoë asks: ü\n", HTML: "<p>Zoë asks</p>"}

func TestAMailArrivesOverEveryKindOfConnection(t *testing.T) {
	for _, encryption := range []mail.Encryption{mail.StartTLS, mail.Implicit, mail.None} {
		t.Run(string(encryption), func(t *testing.T) {
			s, client := start(t, encryption, nil)
			require.NoError(t, client.Mail(t.Context(), "ada@example.com", "ID7", message))
			mails := s.take()
			require.Len(t, mails, 1)
			assert.Equal(t, encryption != mail.None, mails[0].encrypted)
			assert.Equal(t, "tenure@example.com", mails[0].from)
			assert.Equal(t, "ada@example.com", mails[0].to)
			parsed, err := stdmail.ReadMessage(strings.NewReader(mails[0].data))
			require.NoError(t, err)
			assert.Equal(t, "Tenure: r-1 waits", parsed.Header.Get("Subject"))
			assert.Equal(t, `"Tenure" <tenure@example.com>`, parsed.Header.Get("From"))
			assert.Equal(t, "<ada@example.com>", parsed.Header.Get("To"))
			assert.Equal(t, "<ID7@example.com>", parsed.Header.Get("Message-ID"))
			assert.Equal(t, "auto-generated", parsed.Header.Get("Auto-Submitted"))
			parts := partsOf(t, parsed)
			assert.Equal(t, strings.ReplaceAll(message.Text, "\n", "\r\n"), parts["text/plain"])
			assert.Equal(t, message.HTML, strings.TrimSpace(parts["text/html"]))
		})
	}
}

func partsOf(t *testing.T, m *stdmail.Message) map[string]string {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	require.NoError(t, err)
	parts := map[string]string{}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts
		}
		require.NoError(t, err)
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		require.NoError(t, err)
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		parts[kind] = string(text)
	}
}

func TestThePasswordIsSentToWhoeverAsksAndEncrypted(t *testing.T) {
	for _, encryption := range []mail.Encryption{mail.StartTLS, mail.Implicit} {
		s, client := start(t, encryption, func(s *server) { s.logins = true })
		client.Username, client.Password = secret.Of("tenure"), secret.Of("geheim")
		require.NoError(t, client.Mail(t.Context(), "ada@example.com", "ID7", message))
		assert.Equal(t, "tenure", s.take()[0].login)

		client.Password = secret.Of("falsch")
		err := client.Mail(t.Context(), "ada@example.com", "ID7", message)
		require.ErrorContains(t, err, "refused the connection or the login")
		assert.NotContains(t, err.Error(), "falsch")
	}
}

// A server that offers no encryption, because somebody on the way removes the offer, gets
// neither password nor mail.
func TestNothingIsSentUnencryptedUnlessConfigured(t *testing.T) {
	s, client := start(t, mail.None, func(s *server) { s.logins = true })
	client.Encryption, client.Username, client.Password = mail.StartTLS, secret.Of("tenure"), secret.Of("geheim")
	require.Error(t, client.Mail(t.Context(), "ada@example.com", "ID7", message))
	assert.Empty(t, s.take())
}

func TestAServerThatNobodyTrustsGetsNothing(t *testing.T) {
	for _, encryption := range []mail.Encryption{mail.StartTLS, mail.Implicit} {
		s, client := start(t, encryption, nil)
		client.Roots = nil
		require.ErrorContains(t, client.Mail(t.Context(), "ada@example.com", "ID7", message), "certificate is not trusted")
		assert.Empty(t, s.take())
	}
}

func TestARefusalNamesNobody(t *testing.T) {
	_, client := start(t, mail.StartTLS, func(s *server) {
		s.refuse = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "ada@example.com is no user here"}
	})
	err := client.Mail(t.Context(), "ada@example.com", "ID7", message)
	require.EqualError(t, err, "the mail server refused the recipient (550)")
}

func TestAServerThatIsAwayIsAFailure(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	client := mail.Server{Address: listener.Addr().String(), From: "tenure@example.com", Encryption: mail.None}
	require.NoError(t, listener.Close())
	require.ErrorContains(t, client.Mail(t.Context(), "ada@example.com", "ID7", message), "cannot be reached")
}

func TestAServerThatSaysNothingIsGivenUp(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	client := mail.Server{Address: listener.Addr().String(), From: "tenure@example.com", Encryption: mail.None, Timeout: 200 * time.Millisecond}
	require.Error(t, client.Mail(t.Context(), "ada@example.com", "ID7", message))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, client.Mail(ctx, "ada@example.com", "ID7", message))
}

// The protocol does not tell whether a mail is delivered whose DATA is not answered. It counts
// as failed, so that it is sent again: with the same Message-ID, by which mailboxes know it.
func TestAServerThatDiesAfterTheDataHasPerhapsTakenTheMail(t *testing.T) {
	s, client := start(t, mail.StartTLS, func(s *server) { s.dies = true })
	require.Error(t, client.Mail(t.Context(), "ada@example.com", "ID7", message))
	require.Error(t, client.Mail(t.Context(), "ada@example.com", "ID7", message))
	mails := s.take()
	require.Len(t, mails, 2)
	for _, m := range mails {
		assert.Contains(t, m.data, "Message-ID: <ID7@example.com>")
	}
}

func TestNobodyAddsAHeaderOrARecipient(t *testing.T) {
	s, client := start(t, mail.None, nil)
	for _, to := range []string{
		"ada@example.com\r\nBcc: all@example.com", "ada@example.com, all@example.com", "ada@example.com>\r\nRCPT TO:<all@example.com",
		"All <all@example.com>", "<ada@example.com>", "", "ada",
	} {
		assert.Error(t, client.Mail(t.Context(), to, "ID7", message), to)
	}
	for _, subject := range []string{"x\r\nBcc: all@example.com", "x\nBcc: all@example.com"} {
		assert.Error(t, client.Mail(t.Context(), "ada@example.com", "ID7", notice.Mail{Subject: subject}))
	}
	assert.Error(t, client.Mail(t.Context(), "ada@example.com", "ID\r\nBcc: all@example.com", message))
	assert.Empty(t, s.take())
	// In a text, it is text.
	evil := notice.Mail{Subject: "x", Text: "a\r\n.\r\nMAIL FROM:<evil@example.com>\r\n", HTML: "b"}
	require.NoError(t, client.Mail(t.Context(), "ada@example.com", "ID7", evil))
	require.Len(t, s.take(), 1)
	assert.Equal(t, "ada@example.com", s.take()[0].to)
}
