// Package cache holds a bounded number of values, each for a bounded time.
//
// It owns the three replacement strategies that the configuration can name (LRU, LFU, ARC) and expiry by an
// injected clock. It promises that a cache never holds more than its size and never returns an expired or
// foreign value. It starts no goroutine: an expired value is dropped when it is asked for or when its
// place is needed.
package cache
