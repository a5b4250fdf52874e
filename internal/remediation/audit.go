package remediation

import "time"

// Audit is what a comparison of the backend with the desired state has found, before anything was repaired.
type Audit struct {
	At       time.Time
	Took     time.Duration // reading and comparing
	Wanted   int           // elements that have to be enforced
	Missing  int           // of those, the ones that were absent, or in a set that no rule looked at
	Stale    int           // of those, the ones that were enforced with another end
	Foreign  int           // elements that were enforced and must not be
	Damaged  bool          // something around the sets was missing or differed
	Repaired bool          // there is no difference any more
}

// Audits are the results of all comparisons so far.
type Audits struct {
	Last     Audit // zero At: there was none yet
	Verified int   // comparisons
	Restored int   // missing and stale elements that were repaired
	Removed  int   // foreign elements that were removed
	Rebuilt  int   // times that something around the sets was repaired
}

// Coverage is the share of the wanted elements that were enforced, in percent; 100 when nothing is wanted.
func (a Audit) Coverage() float64 {
	const percent = 100
	if a.Wanted == 0 {
		return percent
	}
	return percent * float64(a.Wanted-a.Missing) / float64(a.Wanted)
}

// fields returns what is worth logging.
func (a Audit) fields() []any {
	return []any{
		"coverage_percent", a.Coverage(), "elements", a.Wanted, "missing", a.Missing, "stale", a.Stale,
		"foreign", a.Foreign, "damaged", a.Damaged, "repaired", a.Repaired, "took", a.Took,
	}
}

// audit turns a plan of everything into what it says about the state before.
func audit(plan Plan) Audit {
	added, refreshed, removed := plan.counts()
	return Audit{
		Wanted: plan.wanted, Missing: added + plan.idle, Stale: refreshed, Foreign: removed, Damaged: plan.Repair,
	}
}

// note adds an audit whose differences were repaired, or not.
func (a *Audits) note(found Audit) {
	a.Last = found
	a.Verified++
	if !found.Repaired {
		return
	}
	a.Restored += found.Missing + found.Stale
	a.Removed += found.Foreign
	if found.Damaged {
		a.Rebuilt++
	}
}
