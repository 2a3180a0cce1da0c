// Package mail carries notices by SMTP.
package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	stdmail "net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/tenurehq/tenure/notice"
	"github.com/tenurehq/tenure/secret"
)

// Encryption says how the connection to a mail server is encrypted.
type Encryption string

// The ways of encryption.
const (
	StartTLS Encryption = "starttls" // the connection is encrypted before anything is said, or not used
	Implicit Encryption = "implicit" // it is encrypted from the beginning (SMTPS, port 465)
	None     Encryption = "none"     // for a server on the same machine
)

// Encryptions lists all ways.
func Encryptions() []string { return []string{string(StartTLS), string(Implicit), string(None)} }

// Server is a mail server. Username and Password may be zero: then nobody signs in.
type Server struct {
	Address    string // host:port
	From       string // the address of whoever sends: "tenure@example.com", "Tenure <tenure@example.com>"
	Username   secret.Secret
	Password   secret.Secret
	Encryption Encryption
	Roots      *x509.CertPool // nil: the machine's
	Timeout    time.Duration  // for each message; zero: 30s
}

// Mail implements notice.Mailer. If it fails after the server has got the mail and before its
// answer has come, nobody knows whether the mail is delivered: a repetition has the same
// Message-ID.
func (s Server) Mail(ctx context.Context, to, id string, m notice.Mail) error {
	message, err := s.message(to, id, m)
	if err != nil {
		return err
	}
	client, err := s.client()
	if err != nil {
		return err
	}
	if err := client.DialWithContext(ctx); err != nil {
		return explain("connect", err)
	}
	defer func() { _ = client.Close() }() // what was answered stands, however the connection ends
	if err := client.Send(message); err != nil && !message.IsDelivered() {
		return explain("send", err)
	}
	return nil
}

// message returns the mail.
func (s Server) message(to, id string, m notice.Mail) (*gomail.Msg, error) {
	from, err := stdmail.ParseAddress(s.From)
	if err != nil {
		return nil, errors.New("notices.mail.from is no e-mail address")
	}
	recipient, err := stdmail.ParseAddress(to)
	if err != nil || recipient.Name != "" || recipient.Address != to {
		return nil, errors.New("the recipient's e-mail address cannot be used")
	}
	if strings.ContainsAny(m.Subject+id, "\r\n") {
		return nil, errors.New("the subject has more than one line")
	}
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	message.FromMailAddress(from)
	message.ToMailAddress(recipient)
	message.Subject(m.Subject)
	message.SetMessageIDWithValue(id + "@" + from.Address[strings.LastIndexByte(from.Address, '@')+1:])
	message.SetDate()
	message.SetGenHeader("Auto-Submitted", "auto-generated") // nobody's autoresponder answers
	message.SetBodyString(gomail.TypeTextPlain, m.Text)
	message.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return message, nil
}

func (s Server) client() (*gomail.Client, error) {
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return nil, errors.New("notices.mail.server must be host:port")
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, errors.New("notices.mail.server must be host:port")
	}
	timeout := s.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	options := []gomail.Option{
		gomail.WithPort(number), gomail.WithTimeout(timeout),
		// A server that has taken the mail need not answer anything more.
		gomail.WithoutRset(), gomail.WithoutNoop(),
		gomail.WithTLSConfig(&tls.Config{ServerName: host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}),
	}
	switch s.Encryption {
	case Implicit:
		options = append(options, gomail.WithSSL())
	case None:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if !s.Username.IsZero() {
		username, err := s.Username.Reveal()
		if err != nil {
			return nil, fmt.Errorf("notices.mail.username: %w", err)
		}
		password, err := s.Password.Reveal()
		if err != nil {
			return nil, fmt.Errorf("notices.mail.password: %w", err)
		}
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(username), gomail.WithPassword(password))
	}
	return gomail.NewClient(host, options...)
}

// reasons says what a server refused. Its own texts are not repeated: they may name people.
var reasons = map[gomail.SendErrReason]string{
	gomail.ErrSMTPMailFrom:  "the mail server refused the sender: see notices.mail.from",
	gomail.ErrSMTPRcptTo:    "the mail server refused the recipient",
	gomail.ErrSMTPData:      "the mail server refused the mail",
	gomail.ErrSMTPDataClose: "the mail server refused the mail, or did not say whether it took it",
}

// explain returns an error without personal data and without the password.
func explain(what string, err error) error {
	var sending *gomail.SendError
	var certificate *tls.CertificateVerificationError
	var timed net.Error
	switch {
	case errors.As(err, &sending):
		text, ok := reasons[sending.Reason]
		if !ok {
			text = "the mail was not sent"
		}
		if code := sending.ErrorCode(); code != 0 {
			return fmt.Errorf("%s (%d)", text, code)
		}
		return errors.New(text)
	case errors.As(err, &certificate):
		return errors.New("the mail server's TLS certificate is not trusted: see notices.mail.server")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timed) && timed.Timeout():
		return errors.New("the mail server did not answer in time")
	case what == "connect" && isRefusal(err):
		return errors.New("the mail server refused the connection or the login: see notices.mail")
	}
	return errors.New("the mail server cannot be reached, or does not speak as notices.mail says")
}

// isRefusal reports whether a server answered with an error.
func isRefusal(err error) bool {
	var answer *textproto.Error
	return errors.As(err, &answer)
}
