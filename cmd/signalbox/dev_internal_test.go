package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGreetingNamesAnotherAddress(t *testing.T) {
	t.Parallel()
	usual := greeting("http://127.0.0.1:7070", "postgres://postgres@/signalbox?host=%2Ftmp%2Fsb", nil)
	require.Contains(t, usual, "Sign up there, then `signalbox login`")
	require.Contains(t, usual, "DATABASE_URL='postgres://postgres@/signalbox?host=%2Ftmp%2Fsb'")
	require.Contains(t, greeting("http://127.0.0.1:7171", "", nil), "`signalbox login --server http://127.0.0.1:7171`")
}

func TestGreetingKnowsTheAccountOfADemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.Nil(t, knownAccount(dir))
	path := filepath.Join(dir, "demo.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"email": "demo-x@example.com", "password": "p4ss", "token": "sbu_t0ken"}`), 0o600))
	text := greeting("http://127.0.0.1:7070", "", knownAccount(dir))
	require.Contains(t, text, "Sign in there as demo-x@example.com with the password \"p4ss\", or sign up, then `signalbox login`.")
	require.NotContains(t, text, "sbu_")
	require.NoError(t, os.WriteFile(path, []byte("nonsense"), 0o600))
	require.Nil(t, knownAccount(dir))
}
