// Package presence keeps in memory when machines and bouncers were heard of, and writes it to the store for many of them
// at a time.
//
// It promises that nothing waits for it, that what is noted is stored within seconds, or later while the store is away,
// and that who reads a bouncer through it reads what was noted last, stored or not. A process that is killed loses the
// notes of its last moments: bouncers are then told again what they were told since. It refuses to keep anything that
// could not be lost like this.
package presence
