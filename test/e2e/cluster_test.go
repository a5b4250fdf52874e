package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"shieldwall/internal/localapi/store/sql/dbtest"
)

// cluster is Local APIs that share a database.
type cluster struct {
	t      *testing.T
	server *dbtest.Server
	db     dbtest.Database
	nodes  []*node
	token  string // of a machine, good at every node
}

type node struct {
	*instance

	engine *process
}

// onServers runs a test on MariaDB and on PostgreSQL, with servers that keep what they acknowledge.
func onServers(t *testing.T, test func(t *testing.T, server *dbtest.Server)) {
	t.Helper()
	for name, start := range map[string]func(testing.TB) *dbtest.Server{"mariadb": dbtest.MariaDB, "postgresql": dbtest.PostgreSQL} {
		t.Run(name, func(t *testing.T) { test(t, start(t)) })
	}
}

// newCluster starts two Local APIs.
func newCluster(t *testing.T, server *dbtest.Server) *cluster {
	t.Helper()
	c := &cluster{t: t, server: server, db: server.Database(t)}
	for range 2 {
		in := newInstance(t, "")
		in.write("config.yaml", fmt.Sprintf(`
config_paths: {config_dir: %[1]s, data_dir: %[1]s/data}
db_config: {type: %[2]s, db_path: %[3]s, user: %[4]s, db_name: %[5]s, flush: {max_items: 1000000}}
api:
  client: {credentials_path: %[1]s/local_api_credentials.yaml}
  server: {listen_uri: %[6]s, profiles_path: %[1]s/profiles.yaml}
`, in.dir, c.db.Type, c.db.Socket, c.db.User, c.db.Name, in.address))
		c.nodes = append(c.nodes, &node{instance: in})
	}
	c.nodes[0].register()
	for _, n := range c.nodes {
		n.engine = n.startEngine("-no-cs")
	}
	c.token = c.nodes[0].login()
	return c
}

// listed is a node as cscli lists it.
type listed struct {
	PID      int       `json:"pid"`
	Address  string    `json:"address"`
	LastSeen time.Time `json:"last_seen"`
	Leases   []string  `json:"leases"`
	Lag      int64     `json:"lag"`
}

func (n *node) list() []listed {
	n.t.Helper()
	var nodes []listed
	if err := json.Unmarshal([]byte(n.cscli("lapi", "nodes", "-o", "json")), &nodes); err != nil {
		n.t.Fatal(err)
	}
	return nodes
}

// holder returns the node that holds a lease, nil while there is none. It is asked at one that runs.
func (c *cluster) holder(at *node) *node {
	c.t.Helper()
	for _, entry := range at.list() {
		for _, n := range c.nodes {
			if len(entry.Leases) > 0 && n.engine.cmd.Process.Pid == entry.PID {
				return n
			}
		}
	}
	return nil
}

// other returns the node that is not n.
func (c *cluster) other(n *node) *node {
	if n == c.nodes[0] {
		return c.nodes[1]
	}
	return c.nodes[0]
}

// count returns the second column of what the query finds by the first.
func (c *cluster) count(query string) map[string]int {
	c.t.Helper()
	db, err := c.db.Open()
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // only read
	rows, err := db.QueryContext(c.t.Context(), query)
	if err != nil {
		c.t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells what matters
	counts := map[string]int{}
	for rows.Next() {
		var (
			what  string
			count int
		)
		if err := rows.Scan(&what, &count); err != nil {
			c.t.Fatal(err)
		}
		counts[what] = count
	}
	if err := rows.Err(); err != nil {
		c.t.Fatal(err)
	}
	return counts
}

// expectStored checks that what was acknowledged is in the database, once, with its decision.
func (c *cluster) expectStored(acknowledged []string) {
	c.t.Helper()
	alerts := c.count("SELECT uuid, COUNT(*) FROM alerts GROUP BY uuid")
	decisions := c.count("SELECT a.uuid, COUNT(*) FROM alerts a JOIN decisions d ON d.alert_decisions = a.id GROUP BY a.uuid")
	for _, uuid := range acknowledged {
		if alerts[uuid] != 1 || decisions[uuid] != 1 {
			c.t.Errorf("%s was answered 201 and is stored %d times with %d decisions", uuid, alerts[uuid], decisions[uuid])
		}
	}
	for uuid, count := range alerts {
		if count != 1 || decisions[uuid] != 1 {
			c.t.Errorf("%s is stored %d times with %d decisions", uuid, count, decisions[uuid])
		}
	}
}
