package output

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration spells a length of time for people: 340ms, 4.2s, 2m 13s, 3h 05m,
// 2d 4h. Negative lengths, which only clocks that disagree can make, are 0s.
func Duration(d time.Duration) string {
	switch {
	case d <= 0:
		return "0s"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d < 10*time.Second:
		return strconv.FormatFloat(float64(d.Milliseconds()/100)/10, 'f', 1, 64) + "s"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + "s"
	case d < time.Hour:
		return fmt.Sprintf("%dm %02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh %02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd %dh", int(d.Hours())/24, int(d.Hours())%24)
}

// Millis is Duration for the contract's integer milliseconds.
func Millis(ms int64) string { return Duration(time.Duration(ms) * time.Millisecond) }

// Ago spells a moment relative to now, in its largest unit: 5s ago, 3d ago.
func Ago(t, now time.Time) string {
	d := now.Sub(t)
	future := d < 0
	if future {
		d = -d
	}
	var text string
	switch {
	case d < time.Second:
		return "just now"
	case d < time.Minute:
		text = strconv.Itoa(int(d.Seconds())) + "s"
	case d < time.Hour:
		text = strconv.Itoa(int(d.Minutes())) + "m"
	case d < 48*time.Hour:
		text = strconv.Itoa(int(d.Hours())) + "h"
	default:
		text = strconv.Itoa(int(d.Hours()/24)) + "d"
	}
	if future {
		return "in " + text
	}
	return text + " ago"
}

// Bytes spells a size in IEC units: 512 B, 1.5 KiB, 64 GiB.
func Bytes(n uint64) string {
	if n < 1024 {
		return strconv.FormatUint(n, 10) + " B"
	}
	units := []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	f, unit := float64(n), ""
	for _, unit = range units {
		f /= 1024
		if f < 1024 {
			break
		}
	}
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0") + " " + unit
}

// NanoUSD spells nano-USD as a decimal string of dollars, exactly and with at
// least two decimals: 6667 is "0.000006667", 1500000000 is "1.50".
func NanoUSD(n int64) string {
	sign, u := split(n)
	text := fmt.Sprintf("%s%d.%09d", sign, u/1e9, u%1e9)
	cut := len(text) - 7 // keeps two decimals
	return text[:cut] + strings.TrimRight(text[cut:], "0")
}

// Cents spells cents as a decimal string of dollars.
func Cents(n int64) string {
	sign, u := split(n)
	return fmt.Sprintf("%s%d.%02d", sign, u/100, u%100)
}

// split keeps the least int64 from having no positive.
func split(n int64) (sign string, u uint64) {
	if n < 0 {
		return "-", -uint64(n)
	}
	return "", uint64(n)
}
