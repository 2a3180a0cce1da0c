package mail_test

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	stdmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tenurehq/tenure/internal/smtptest"
	"github.com/tenurehq/tenure/notice"
	"github.com/tenurehq/tenure/notice/mail"
	"github.com/tenurehq/tenure/secret"
)

// start starts a server, and returns a client that is configured for it.
func start(t *testing.T, encryption mail.Encryption, o smtptest.Options) (*smtptest.Server, mail.Server) {
	t.Helper()
	o.StartTLS, o.Implicit = encryption == mail.StartTLS, encryption == mail.Implicit
	s := smtptest.Start(t, o)
	return s, mail.Server{Address: s.Address, From: "Tenure <tenure@example.com>", Encryption: encryption, Roots: s.Roots, Timeout: 10 * time.Second}
}

var message = notice.Mail{Subject: "Tenure: r-1 waits", Text: "Zoë asks: ü\n", HTML: "<p>Zoë asks</p>"}

func TestAMailArrivesOverEveryKindOfConnection(t *testing.T) {
	for _, encryption := range []mail.Encryption{mail.StartTLS, mail.Implicit, mail.None} {
		t.Run(string(encryption), func(t *testing.T) {
			s, client := start(t, encryption, smtptest.Options{})
			require.NoError(t, client.Mail(t.Context(), "ada@example.com", "ID7", message))
			mails := s.Mails()
			require.Len(t, mails, 1)
			assert.Equal(t, encryption != mail.None, mails[0].Encrypted)
			assert.Equal(t, "tenure@example.com", mails[0].From)
			assert.Equal(t, "ada@example.com", mails[0].To)
			parsed, err := stdmail.ReadMessage(strings.NewReader(mails[0].Data))
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
		s, client := start(t, encryption, smtptest.Options{Password: "geheim"})
		client.Username, client.Password = secret.Of("tenure"), secret.Of("geheim")
		require.NoError(t, client.Mail(t.Context(), "ada@example.com", "ID7", message))
		assert.Equal(t, "tenure", s.Mails()[0].Login)

		client.Password = secret.Of("falsch")
		err := client.Mail(t.Context(), "ada@example.com", "ID7", message)
		require.ErrorContains(t, err, "refused the connection or the login")
		assert.NotContains(t, err.Error(), "falsch")
	}
}

// A server that offers no encryption, because somebody on the way removes the offer, gets
// neither password nor mail.
func TestNothingIsSentUnencryptedUnlessConfigured(t *testing.T) {
	s, client := start(t, mail.None, smtptest.Options{})
	client.Encryption = mail.StartTLS
	require.Error(t, client.Mail(t.Context(), "ada@example.com", "ID7", message))
	assert.Empty(t, s.Mails())
	s, client = start(t, mail.None, smtptest.Options{Password: "geheim"})
	client.Encryption, client.Username, client.Password = mail.StartTLS, secret.Of("tenure"), secret.Of("geheim")
	require.Error(t, client.Mail(t.Context(), "ada@example.com", "ID7", message))
	assert.Empty(t, s.Mails())
}

func TestAServerThatNobodyTrustsGetsNothing(t *testing.T) {
	for _, encryption := range []mail.Encryption{mail.StartTLS, mail.Implicit} {
		s, client := start(t, encryption, smtptest.Options{})
		client.Roots = nil
		require.ErrorContains(t, client.Mail(t.Context(), "ada@example.com", "ID7", message), "certificate is not trusted")
		assert.Empty(t, s.Mails())
	}
}

func TestARefusalNamesNobody(t *testing.T) {
	_, client := start(t, mail.StartTLS, smtptest.Options{
		Refuse: &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "ada@example.com is no user here"},
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
	s, client := start(t, mail.StartTLS, smtptest.Options{Dies: true})
	require.Error(t, client.Mail(t.Context(), "ada@example.com", "ID7", message))
	require.Error(t, client.Mail(t.Context(), "ada@example.com", "ID7", message))
	mails := s.Mails()
	require.Len(t, mails, 2)
	for _, m := range mails {
		assert.Contains(t, m.Data, "Message-ID: <ID7@example.com>")
	}
}

func TestNobodyAddsAHeaderOrARecipient(t *testing.T) {
	s, client := start(t, mail.None, smtptest.Options{})
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
	assert.Empty(t, s.Mails())
	// In a text, it is text.
	evil := notice.Mail{Subject: "x", Text: "a\r\n.\r\nMAIL FROM:<evil@example.com>\r\n", HTML: "b"}
	require.NoError(t, client.Mail(t.Context(), "ada@example.com", "ID7", evil))
	require.Len(t, s.Mails(), 1)
	assert.Equal(t, "ada@example.com", s.Mails()[0].To)
}
