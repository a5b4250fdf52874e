// Package hubtest runs the test cases of a hub folder: a log, the items that are to understand it, and
// assertions on what they made of it.
//
// It owns the published layout of a test case (<hub>/.tests/<name>/), the small installation in which one
// runs, the language of the assertions, and what a run reports. It judges the program crowdsec from
// outside, by its dump files. It never downloads: data files come from a folder. It writes nothing into the
// hub but the runtime and results of a test, and not even those when it is given a folder for work. How a
// result is shown is known to the commands.
package hubtest
