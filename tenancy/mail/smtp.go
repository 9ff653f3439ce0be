package mail

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// sendTimeout bounds one mail, greeting and encryption included: a person waits
// for the page that causes it.
const sendTimeout = 15 * time.Second

// SMTP sends through a mail server.
type SMTP struct {
	from string
	host string
	opts []gomail.Option
}

// NewSMTP returns an SMTP for a server given as a URL, and the address that mails
// come from ("Signalbox <noreply@example.com>"):
//
//	smtp://user:password@mail.example.com:587    STARTTLS, refused without
//	smtps://user:password@mail.example.com:465   TLS from the first byte
//	smtp+plain://localhost:1025                  no encryption, for a local relay
func NewSMTP(server, from string) (*SMTP, error) {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" {
		// The URL holds a password: url.Error would repeat it.
		return nil, errors.New("the mail server must be a URL such as smtp://user:password@mail.example.com:587")
	}
	s := &SMTP{from: from, host: u.Hostname(), opts: []gomail.Option{gomail.WithTimeout(sendTimeout)}}
	switch u.Scheme {
	case "smtp":
		s.opts = append(s.opts, gomail.WithTLSPortPolicy(gomail.TLSMandatory))
	case "smtps":
		s.opts = append(s.opts, gomail.WithSSLPort(false))
	case "smtp+plain":
		s.opts = append(s.opts, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		return nil, fmt.Errorf("the mail server's URL begins with smtp://, smtps:// or smtp+plain://, not %s://", u.Scheme)
	}
	if port := u.Port(); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, fmt.Errorf("read the mail server's port: %w", err)
		}
		s.opts = append(s.opts, gomail.WithPort(n))
	}
	if password, ok := u.User.Password(); ok {
		s.opts = append(s.opts, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	if _, err := s.message(Message{To: "somebody@example.com"}); err != nil {
		return nil, err
	}
	return s, nil
}

// Send hands the mail to the server.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	message, err := s.message(m)
	if err != nil {
		return err
	}
	// A client serves one connection at a time; making one opens none.
	client, err := gomail.NewClient(s.host, s.opts...)
	if err != nil {
		return fmt.Errorf("set up the mail server: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, message); err != nil {
		return fmt.Errorf("send a mail: %w", err)
	}
	return nil
}

func (s *SMTP) message(m Message) (*gomail.Msg, error) {
	message := gomail.NewMsg()
	if err := message.From(s.from); err != nil {
		return nil, fmt.Errorf("read the sender's address: %w", err)
	}
	if err := message.To(m.To); err != nil {
		return nil, fmt.Errorf("read a receiver's address: %w", err)
	}
	message.Subject(m.Subject)
	message.SetDate()
	message.SetMessageID()
	// Out-of-office replies to it would reach nobody.
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	message.SetBodyString(gomail.TypeTextPlain, m.Text)
	return message, nil
}
