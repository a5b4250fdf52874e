// Package firewall is the firewall component as a program: it turns flags and the configuration file into
// running parts and stops them in order.
//
// It promises that testing a configuration changes nothing beside a running instance, that a normal stop
// takes away what the component owns, and that everything else (a crash, a Local API that is away, a wrong
// key) leaves all bans in force until they expire.
package firewall
