package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFirstLogLineHoldsNoSecret(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := Config{DatabaseURL: "postgres://sb:hunter2@db/sb", Mail: "smtp://me:hunter2@mail.example.com", PublicURL: "https://sb.example.com"}
	slog.New(slog.NewJSONHandler(&out, nil)).LogAttrs(t.Context(), slog.LevelInfo, "starting", slog.Any("config", c))
	require.NotContains(t, out.String(), "hunter2")
	require.Contains(t, out.String(), "REDACTED")
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", c, c, c, c.DatabaseURL), "hunter2")
}

func TestClientAddressBehindProxies(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	r.RemoteAddr = "10.0.0.1:4711"
	r.Header.Set("X-Forwarded-For", "192.0.2.66, 203.0.113.9")
	for proxies, want := range map[int]string{0: "10.0.0.1", 1: "203.0.113.9", 2: "192.0.2.66", 3: "10.0.0.1"} {
		c := Config{Proxies: proxies}
		require.Equal(t, want, c.clientIP()(r), "%d proxies", proxies)
	}
	for url, want := range map[string]int{"https://sb.example.com": 1, "http://127.0.0.1:7070": 0} {
		c := Config{DatabaseURL: "postgres://db/sb", PublicURL: url, Proxies: -1}
		require.NoError(t, c.Validate())
		require.Equal(t, want, c.Proxies, "left out, for %s", url)
	}
	c := Config{DatabaseURL: "postgres://db/sb", Address: "127.0.0.1:7070", Proxies: -2}
	require.ErrorContains(t, c.Validate(), "SIGNALBOX_PROXIES")
}

func TestWhatIsNotFitForProductionIsSaid(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]int{
		"http://127.0.0.1:7070": 0, "http://localhost:7070": 0, "http://sb.example.com": 2, "https://sb.example.com": 1,
	} {
		c := Config{DatabaseURL: "postgres://db/sb", PublicURL: url, Mail: "terminal"}
		require.NoError(t, c.Validate())
		require.Len(t, c.warnings(), want, url)
	}
}

func TestProfilesAreServedToThisMachineAlone(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"127.0.0.1:6060": true, "localhost:6060": true, "[::1]:0": true,
		"0.0.0.0:6060": false, ":6060": false, "10.0.0.1:6060": false, "6060": false,
	} {
		c := Config{DatabaseURL: "postgres://db/sb", Address: "127.0.0.1:7070", ProfileAddress: address}
		if err := c.Validate(); ok {
			require.NoError(t, err, address)
		} else {
			require.ErrorContains(t, err, "SIGNALBOX_PROFILE_ADDRESS", address)
		}
	}
}
