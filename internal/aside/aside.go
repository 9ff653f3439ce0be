// Package aside runs what needs a deep stack on a goroutine that ends with it.
//
// A goroutine keeps the deepest stack it ever needed for as long as it waits far
// down in it: the collector halves a stack only while less than a quarter is
// used. So what is deep and seldom, as a query or a signature's proof, must not
// be done by a goroutine that then waits in a long poll, of which there are ten
// thousand. The package knows nothing of what it runs.
package aside

// Do runs fn on a goroutine of its own and waits for it. A panic of fn becomes
// one of the caller's.
func Do(fn func()) {
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		fn()
	}()
	if panicked := <-done; panicked != nil {
		panic(panicked)
	}
}
