package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/signalboxhq/signalbox/agent/gpu"
)

const maxSlots = 10_000

// Validate checks what an agent needs to start. All errors are reported at once.
func (c *Config) Validate() error {
	var errs []error
	complain := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("configuration: "+format, args...))
	}
	if err := c.checkServer(); err != nil {
		errs = append(errs, err)
	}
	if token := c.Token.Reveal(); token != "" && !strings.HasPrefix(token, "sbj_") {
		complain("token: a join token begins with sbj_")
	}
	if c.Name == "" || len(c.Name) > 100 {
		complain("name: want 1 to 100 characters, got %d", len(c.Name))
	}
	if len(c.Address) > 255 || strings.ContainsAny(c.Address, " /\t\n") {
		complain("address: want a host name or an IP, got %q", c.Address)
	}
	if c.Slots < 1 || c.Slots > maxSlots {
		complain("slots: want 1 to %d, got %d", maxSlots, c.Slots)
	}
	if _, err := gpu.ParseMost(c.GPUs); err != nil {
		complain("gpus: %w", err)
	}
	if c.GPUType != "" && !gpu.ValidType(c.GPUType) {
		complain("gpu_type: want letters, digits, dots, dashes and underscores, as in a100, got %q", c.GPUType)
	}
	for key, value := range map[string]int64{
		"cpu_millis": c.CPU, "memory_bytes": c.Memory, "log_limit": c.LogLimit, "log_total": c.LogTotal,
		"log_retention": int64(c.LogRetention), "artifact_retention": int64(c.ArtifactRetention), "drain_grace": int64(c.DrainGrace),
	} {
		if value < 0 {
			complain("%s: must not be negative", key)
		}
	}
	for key, value := range c.Labels {
		if key == "" || value == "" || len(key) > 63 || len(value) > 63 {
			complain("labels: %q=%q: want 1 to 63 characters each", key, value)
		}
	}
	if _, err := c.Level(); err != nil {
		complain("log_level: want debug, info, warn or error, got %q", c.LogLevel)
	}
	if !slices.Contains([]string{"text", "json"}, c.LogFormat) {
		complain("log_format: want text or json, got %q", c.LogFormat)
	}
	return errors.Join(errs...)
}

// Level is LogLevel as slog knows it.
func (c *Config) Level() (slog.Level, error) {
	var level slog.Level
	err := level.UnmarshalText([]byte(c.LogLevel))
	return level, err
}

// checkServer wants https, because what an agent sends in the clear (its token,
// its assertions) makes others agents; loopback is no wire.
func (c *Config) checkServer() error {
	if c.Server == "" {
		return fmt.Errorf("configuration: set server, the control plane's URL: --server, %sSERVER, or server in the file", Prefix)
	}
	u, err := url.Parse(c.Server)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("configuration: server: want a URL as in https://signalbox.example.com, got %q", c.Server)
	}
	if u.Scheme == "http" && !c.Insecure && !loopback(u.Hostname()) {
		return fmt.Errorf("configuration: server: %s is plain HTTP to another machine; use https, or --insecure in a network you trust", c.Server)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
