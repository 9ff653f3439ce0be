package mail_test

import (
	"bufio"
	"context"
	"io"
	"mime/quotedprintable"
	"net"
	stdmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/tenancy/mail"
)

// relay is a mail server that takes one mail and offers no encryption.
type relay struct {
	listener net.Listener
	mails    chan string
	refuses  string // the address that it does not know
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	r := &relay{listener: listener, mails: make(chan string, 1), refuses: "nobody@example.com"}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go r.serve(conn)
		}
	}()
	return r
}

func (r *relay) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	lines := bufio.NewReader(conn)
	say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
	say("220 relay")
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " "); verb {
		case "DATA":
			say("354 go on")
			var text strings.Builder
			for line, err = lines.ReadString('\n'); err == nil && line != ".\r\n"; line, err = lines.ReadString('\n') {
				text.WriteString(line)
			}
			r.mails <- text.String()
			say("250 taken")
		case "RCPT":
			if strings.Contains(line, r.refuses) {
				say("550 no such mailbox")
			} else {
				say("250 ok")
			}
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestSMTPSends(t *testing.T) {
	t.Parallel()
	r := newRelay(t)
	smtp, err := mail.NewSMTP("smtp+plain://"+r.listener.Addr().String(), "Signalbox <noreply@example.com>")
	require.NoError(t, err)
	sent := mail.Invitation("bob@example.com", "ada@example.com", "Ärzte & Söhne", "member", "https://signalbox.example.com/invite?token=sbi_1", time.Now())
	require.NoError(t, smtp.Send(t.Context(), sent))

	got, err := stdmail.ReadMessage(strings.NewReader(<-r.mails))
	require.NoError(t, err)
	require.Equal(t, `"Signalbox" <noreply@example.com>`, got.Header.Get("From"))
	require.Equal(t, "<bob@example.com>", got.Header.Get("To"))
	require.Equal(t, "auto-generated", got.Header.Get("Auto-Submitted"))
	require.NotEmpty(t, got.Header.Get("Message-ID"))
	text, err := io.ReadAll(quotedprintable.NewReader(got.Body))
	require.NoError(t, err)
	require.Equal(t, sent.Text, strings.ReplaceAll(string(text), "\r\n", "\n"))
}

func TestSMTPSaysWhatWentWrong(t *testing.T) {
	t.Parallel()
	r := newRelay(t)
	url := r.listener.Addr().String()
	smtp, err := mail.NewSMTP("smtp+plain://"+url, "noreply@example.com")
	require.NoError(t, err)
	require.ErrorContains(t, smtp.Send(t.Context(), mail.Message{To: r.refuses}), "send a mail")
	require.ErrorContains(t, smtp.Send(t.Context(), mail.Message{To: "nonsense"}), "receiver")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, smtp.Send(ctx, mail.Message{To: "ada@example.com"}))

	encrypted, err := mail.NewSMTP("smtp://"+url, "noreply@example.com")
	require.NoError(t, err)
	require.Error(t, encrypted.Send(t.Context(), mail.Message{To: "ada@example.com"}), "never without encryption")
}

func TestSMTPChecksItsConfiguration(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"", "mail.example.com", "http://mail.example.com", "smtp://user:secret@mail.example.com:port", "smtp://:587"} {
		_, err := mail.NewSMTP(server, "noreply@example.com")
		require.Error(t, err, server)
		require.NotContains(t, err.Error(), "secret")
	}
	_, err := mail.NewSMTP("smtp://mail.example.com", "nonsense")
	require.ErrorContains(t, err, "sender")
	for _, server := range []string{"smtp://user:secret@mail.example.com", "smtps://user:secret@mail.example.com:465"} {
		_, err := mail.NewSMTP(server, "Signalbox <noreply@example.com>")
		require.NoError(t, err)
	}
}
