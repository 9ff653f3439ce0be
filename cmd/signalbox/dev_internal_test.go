package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGreetingNamesAnotherAddress(t *testing.T) {
	t.Parallel()
	usual := greeting("http://127.0.0.1:7070", "postgres://postgres@/signalbox?host=%2Ftmp%2Fsb")
	require.Contains(t, usual, "`signalbox login`")
	require.Contains(t, usual, "DATABASE_URL='postgres://postgres@/signalbox?host=%2Ftmp%2Fsb'")
	require.Contains(t, greeting("http://127.0.0.1:7171", ""), "`signalbox login --server http://127.0.0.1:7171`")
}
