// Package mail sends the few mails of tenancy: plain text, one receiver.
//
// It owns the texts and three ways to send: SMTP, and for a developer's machine
// a folder or the terminal. It must not know users or tokens: links come in
// finished. Sending may take seconds and fail; whoever sends decides what that
// means. Nothing is queued or repeated here.
package mail

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Message is a mail to one person.
type Message struct {
	To      string // an address that was checked
	Subject string
	Text    string
}

// String is the message as a person reads it.
func (m Message) String() string {
	return fmt.Sprintf("To: %s\nSubject: %s\n\n%s", m.To, m.Subject, m.Text)
}

// Folder writes each mail to a file of its own, for tests and development.
type Folder struct {
	dir string
	now func() time.Time
}

// NewFolder returns a Folder that writes below dir, which it makes when needed.
func NewFolder(dir string, now func() time.Time) *Folder { return &Folder{dir: dir, now: now} }

// Send writes the mail. The names of files sort by time.
func (f *Folder) Send(_ context.Context, m Message) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("make the mail folder: %w", err)
	}
	file, err := os.CreateTemp(f.dir, f.now().UTC().Format("20060102T150405.000000Z")+"-*.txt")
	if err != nil {
		return fmt.Errorf("write a mail: %w", err)
	}
	_, err = io.WriteString(file, m.String())
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write a mail: %w", err)
	}
	return nil
}

// Terminal prints mails for the developer who started the server.
type Terminal struct {
	mu  sync.Mutex
	out io.Writer
}

// NewTerminal returns a Terminal that prints to out.
func NewTerminal(out io.Writer) *Terminal { return &Terminal{out: out} }

// Send prints the mail between two rules.
func (t *Terminal) Send(_ context.Context, m Message) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	rule := strings.Repeat("─", 72)
	if _, err := fmt.Fprintf(t.out, "%s\n%s%s\n", rule, m, rule); err != nil {
		return fmt.Errorf("print a mail: %w", err)
	}
	return nil
}
