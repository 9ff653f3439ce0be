// Package datastream reads logs and values end to end: an agent seals them to a
// key that is made here for one stream, the control plane passes them on.
//
// It owns the reader's half of the relay. What it returns is the customer's
// data in the clear: it must go to the person who asked, and nowhere else.
package datastream
