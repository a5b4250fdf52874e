// Package detection tells from a picture of a machine which services run on it, and what it takes to read their logs.
//
// It owns two published formats: that of detect.yaml, the rules with their expressions, and that of a setup, which lists
// the services found with what they need from the hub and where their logs are. It decides from values and changes
// nothing; the picture is taken, and the setup is carried out, by others.
package detection
