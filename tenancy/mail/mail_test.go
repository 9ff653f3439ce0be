package mail_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/signalboxhq/signalbox/tenancy/mail"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

func TestFolderKeepsEachMail(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mail")
	folder := mail.NewFolder(dir, func() time.Time { return noon })
	m := mail.Verify("ada@example.com", "Ada", "https://signalbox.example.com/verify?token=sbi_1")
	require.NoError(t, folder.Send(t.Context(), m))
	require.NoError(t, folder.Send(t.Context(), m))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 2)
	require.Regexp(t, `^20261103T120000\.000000Z-\d+\.txt$`, files[0].Name())
	text, err := os.ReadFile(filepath.Join(dir, files[0].Name()))
	require.NoError(t, err)
	require.Equal(t, m.String(), string(text))
	require.Contains(t, string(text), "\nhttps://signalbox.example.com/verify?token=sbi_1\n")

	blocked := mail.NewFolder(filepath.Join(dir, files[0].Name()), time.Now)
	require.Error(t, blocked.Send(t.Context(), m))
}

func TestTerminalPrintsMailsWhole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	terminal := mail.NewTerminal(&out)
	m := mail.Known("ada@example.com", "Ada", "https://signalbox.example.com/sign-in")
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() { require.NoError(t, terminal.Send(t.Context(), m)) })
	}
	group.Wait()
	require.Equal(t, 10, bytes.Count(out.Bytes(), []byte(m.String())))
	require.Error(t, mail.NewTerminal(brokenPipe{}).Send(t.Context(), m))
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestInvitationSaysAllThatMatters(t *testing.T) {
	t.Parallel()
	m := mail.Invitation("bob@example.com", "ada@example.com", "Acme", "member", "https://signalbox.example.com/invite?token=sbi_1", noon)
	require.Equal(t, "Join Acme on Signalbox", m.Subject)
	for _, part := range []string{"ada@example.com", "organization Acme", "role member", "\nhttps://signalbox.example.com/invite?token=sbi_1\n", "3 November 2026, 12:00 UTC"} {
		require.Contains(t, m.Text, part)
	}
}

func TestOpenKnowsItsWays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for where, want := range map[string]mail.Sender{
		"terminal": &mail.Terminal{}, "file:" + dir: &mail.Folder{}, "smtp://mail.example.com": &mail.SMTP{},
	} {
		got, err := mail.Open(where, "noreply@example.com", io.Discard, time.Now)
		require.NoError(t, err)
		require.IsType(t, want, got)
	}
	_, err := mail.Open("pigeon", "noreply@example.com", io.Discard, time.Now)
	require.Error(t, err)
}
