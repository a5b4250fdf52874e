// Package output carries alerts from a log processor to the Local API without losing one.
//
// It owns the spool: a folder that holds every accepted alert, with a UUID of its own, until the Local API
// has it. Accept returns when the alerts are on disk. One Deliverer sends them in the order in which they
// were accepted, at once when there is nothing else to send and in batches otherwise, and tries for as long
// as the Local API cannot be reached or does not let it in. After a crash an alert may be sent again; its
// UUID is the same, so the Local API stores it once.
//
// Where the Local API is in the same process, Direct hands it the alerts without writing them down, and what it does not
// take at once goes the way of all others.
//
// It refuses to be blocked: a record that is damaged, or an alert that the Local API will never take, is
// set aside in the folder `rejected` with the reason, and the next one goes on.
//
// It refuses to grow without bound. A full spool keeps what it has and refuses new alerts, with an error
// and a metric. Keeping the old ones is deliberate: an accepted alert is a promise, nobody can wash evidence
// away by causing a flood of alerts, and an attacker who is still there when the outage ends is detected
// again, while one who has left is known from the old alert only.
//
// Layout of the folder:
//
//	0000000000000001.log  records, one a line, named after the number of the first one
//	delivered             number of the last record that needs no sending any more
//	rejected/             what was set aside
//	lock                  held by the process that uses the folder
package output
