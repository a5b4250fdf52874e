package corpus

import "fmt"

// web is what an access log speaks of.
type web struct {
	pages, browsers  []string // of ordinary browsing
	probes, scanners []string // of those who look for holes
}

func newWeb() web {
	return web{
		pages: pages(),
		browsers: []string{
			"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
			"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
			"Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
			"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
		},
		probes: []string{
			"/wp-login.php", "/.env", "/.git/config", "/phpmyadmin/", "/admin/", "/shell.php", "/../../etc/passwd", "/backup.sql",
			"/wp-config.php.bak", "/cgi-bin/test.cgi", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "/c99.php",
			"/id?x=1%27%20OR%201=1--", "/index.php?id=1+UNION+SELECT+1,2,3", "/?q=<script>alert(1)</script>", "/${jndi:ldap://x.y/a}",
		},
		scanners: []string{"Nikto/2.1.6", "sqlmap/1.7", "masscan/1.0", "python-requests/2.31.0", "Mozilla/5.0 zgrab/0.x"},
	}
}

func pages() []string {
	all := []string{
		"/", "/index.html", "/about", "/contact", "/blog/", "/static/app.js", "/static/app.css", "/img/logo.png", "/favicon.ico",
		"/api/v1/items?page=2", "/api/v1/items/481", "/login", "/cart", "/search?q=red+shoes", "/product/12", "/product/99?ref=mail",
	}
	for _, numbered := range []struct {
		format string
		count  int
	}{{"/blog/post-%d", 300}, {"/product/%d", 600}, {"/static/chunk-%d.js", 60}} {
		for i := range numbered.count {
			all = append(all, fmt.Sprintf(numbered.format, i))
		}
	}
	return all
}

// nginx writes a line of an access log.
func (w *writer) nginx() {
	if w.random.float() < 0.01 {
		w.probe()
	} else {
		w.browse()
	}
}

func (w *writer) probe() {
	r := w.random
	path, client, agent := pick(r, w.web.probes), w.client(w.foes), pick(r, w.web.scanners)
	status := pick(r, []int{404, 404, 403, 400})
	w.text(client, " - - [", w.combined, `] "GET `, path, ` HTTP/1.1" `).number(status)
	w.text(" ").number(r.between(100, 600))
	w.text(` "-" "`, agent, `"`)
}

func (w *writer) browse() {
	r := w.random
	path, client, agent := pick(r, w.web.pages), w.client(w.friends), pick(r, w.web.browsers)
	status, method, referer := 200, "GET", "https://shop.example.com/"
	if r.float() >= 0.96 {
		status = pick(r, []int{304, 301, 302, 404})
	}
	if (path == "/login" || path == "/cart") && r.float() < .5 {
		method = "POST"
	}
	if r.float() < .4 {
		referer = "-"
	}
	w.text(client, " - - [", w.combined, `] "`, method, " ", path, ` HTTP/2.0" `).number(status)
	w.text(" ").number(r.between(200, 90_000))
	w.text(` "`, referer, `" "`, agent, `"`)
}
