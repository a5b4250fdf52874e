package bucket_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"shieldwall/internal/logprocessor/bucket"
	"shieldwall/internal/logprocessor/event"
)

func address(i int) string {
	return netip.AddrFrom4([4]byte{byte(11 + i>>24), byte(i >> 16), byte(i >> 8), byte(i)}).String()
}

func sshd(i int) *event.Event {
	evt := event.New(event.Line{
		Raw: fmt.Sprintf("Mar 14 09:26:%02d host-1 sshd[%d]: Failed password for invalid user admin%d from %s port %d ssh2", i%60, i%30000, i%500, address(i), i%60000),
		Src: "/var/log/auth.log", Module: "file", Process: true, Time: start, Labels: map[string]string{"type": "syslog"},
	}, event.Live)
	evt.Stage, evt.StrTime = "s02-enrich", fmt.Sprintf("Mar 14 09:26:%02d", i%60)
	evt.MarshaledTime, evt.Time = fmt.Sprintf("2026-03-14T09:26:%02dZ", i%60), start.Add(time.Duration(i)*time.Microsecond)
	evt.Parsed = map[string]string{
		"timestamp": evt.StrTime, "logsource": "syslog", "program": "sshd", "pid": fmt.Sprint(i % 30000), "message": evt.Line.Raw[30:],
		"sshd_client_ip": address(i), "sshd_invalid_user": fmt.Sprint("admin", i%500), "sshd_port": fmt.Sprint(i % 60000), "facility": "", "priority": "",
		"timestamp8601": "", "sshd_protocol": "ssh2",
	}
	evt.Meta = map[string]string{
		"service": "ssh", "log_type": "ssh_failed-auth", "source_ip": address(i), "target_user": fmt.Sprint("admin", i%500), "machine": "host-1",
		"datasource_path": "/var/log/auth.log", "datasource_type": "file",
	}
	evt.Enriched = map[string]string{"MarshaledTime": evt.MarshaledTime}
	return evt
}

func nginx(i int) *event.Event {
	agent := fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0", 100+i%40, 100+i%40)
	path := fmt.Sprintf("/article/%d", i%5000)
	evt := event.New(event.Line{
		Raw: fmt.Sprintf(`%s - - [14/Mar/2026:09:26:%02d +0000] "GET %s?page=2 HTTP/1.1" 404 612 "https://example.org/" "%s"`, address(i), i%60, path, agent),
		Src: "/var/log/nginx/access.log", Module: "file", Process: true, Time: start, Labels: map[string]string{"type": "nginx"},
	}, event.Live)
	evt.Stage, evt.StrTime = "s02-enrich", fmt.Sprintf("14/Mar/2026:09:26:%02d +0000", i%60)
	evt.MarshaledTime, evt.Time = fmt.Sprintf("2026-03-14T09:26:%02dZ", i%60), start.Add(time.Duration(i)*time.Microsecond)
	evt.Parsed = map[string]string{
		"time_local": evt.StrTime, "remote_addr": address(i), "remote_user": "-", "verb": "GET", "request": path + "?page=2", "http_version": "1.1", "status": "404",
		"body_bytes_sent": "612", "http_referer": "https://example.org/", "http_user_agent": agent, "file_name": "", "file_dir": path, "file_frag": path, "file_ext": "",
		"http_args": "page=2", "static_ressource": "false", "impact_completion": "false", "target_fqdn": "", "program": "nginx", "message": evt.Line.Raw,
	}
	evt.Meta = map[string]string{
		"service": "http", "log_type": "http_access-log", "source_ip": address(i), "http_status": "404", "http_path": path + "?page=2", "http_verb": "GET",
		"http_user_agent": agent, "http_args_len": "6", "datasource_path": "/var/log/nginx/access.log", "datasource_type": "file",
	}
	evt.Enriched = map[string]string{"MarshaledTime": evt.MarshaledTime}
	return evt
}

func someEvent(i int) *event.Event {
	if i%2 == 0 {
		return sshd(i)
	}
	return nginx(i)
}

// cpuTime is what this process has used of the processors, collecting garbage included: on a machine that others
// use too, it tells more than a clock.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapInuse
}

// BenchmarkMillionBuckets tells what a live bucket weighs, all in, and how fast pours find theirs among so many.
func BenchmarkMillionBuckets(b *testing.B) {
	for _, live := range []int{1000, 100_000, 1_000_000} {
		for _, foresee := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/foresee=%v", live, foresee), func(b *testing.B) {
				kept := make([]event.Packed, 256)
				packer, before := packerOfHub(), heapInUse()
				store, families, at := filled(packer, live)
				size := float64(heapInUse()-before) / float64(live)
				for i := range kept {
					kept[i] = packer.Pack(someEvent(i))
				}
				random := rand.New(rand.NewPCG(1, 2))
				spent := cpuTime(b)
				visits, inputs := make([]bucket.Visit, bucket.MaxForeseen), make([]bucket.Input, bucket.MaxForeseen)
				for n := 0; b.Loop(); n++ {
					if n%len(visits) == 0 {
						for v := range visits {
							i := random.IntN(live)
							inputs[v] = bucket.Input{}
							visits[v] = bucket.Visit{Family: families[i%2], Group: address(i), Input: &inputs[v]}
						}
						if foresee {
							store.Foresee(visits)
						}
					}
					visit := &visits[n%len(visits)]
					at = at.Add(time.Microsecond)
					visit.Input.Kept, visit.Input.At = kept[n%256], at
					visit.Family.Pour(visit.Group, *visit.Input)
				}
				b.ReportMetric(float64(cpuTime(b)-spent)/float64(b.N), "cpu-ns/op")
				b.ReportMetric(size, "bytes/bucket")
				runtime.KeepAlive(store)
			})
		}
	}
}

// packerOfHub keeps what the usual scenarios of the hub ask for.
func packerOfHub() *event.Packer {
	return event.NewPacker(event.Footprint{}.With("Time").With("Enriched", "IsoCode").With("Enriched", "ASNOrg").With("Parsed", "verb"))
}

// filled is a store in which every bucket, one for each address, has one or two events.
func filled(packer *event.Packer, live int) (*bucket.Store, [2]*bucket.Family, time.Time) {
	store, config, at := bucket.NewStore(start), leaky(1<<20, time.Hour), start
	config.Keep = 1
	families := [...]*bucket.Family{store.Family("test/ssh-bf@0123456789abcdef/0", config), store.Family("test/http-probing@0123456789abcdef/0", config)}
	for i := range live {
		evt := someEvent(i)
		for range 1 + i/2%2 {
			at = at.Add(time.Microsecond)
			families[i%2].Pour(address(i), bucket.Input{Kept: packer.Pack(evt), At: at})
		}
	}
	return store, families, at
}
