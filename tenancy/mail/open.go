package mail

import (
	"context"
	"io"
	"strings"
	"time"
)

// Sender sends mails.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Open returns the Sender that a server was told of: "terminal" prints to out,
// "file:<folder>" is a Folder, and anything else NewSMTP's URL. from is the
// sender's address for SMTP.
func Open(where, from string, out io.Writer, now func() time.Time) (Sender, error) {
	if where == "terminal" {
		return NewTerminal(out), nil
	}
	if dir, ok := strings.CutPrefix(where, "file:"); ok {
		return NewFolder(dir, now), nil
	}
	return NewSMTP(where, from)
}
