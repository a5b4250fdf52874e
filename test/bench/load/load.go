// Package load is the other side of a speed measurement of the Local API: HTTP clients that keep their
// connections and use as little processor time as they can, because they share it with what they measure.
//
// It owns requests written once and sent often, and the reading of answers as far as counting needs it. It
// refuses to look into answers, and everything of HTTP/1.1 that the Local API does not use.
package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

const readBuffer = 64 << 10

// Conn is a connection that stays open. It is used by one goroutine at a time.
type Conn struct {
	conn net.Conn
	in   *bufio.Reader
}

// Answer is what is known of an answer that was read to its end.
type Answer struct {
	Status    int
	Bytes     int64         // of the body, as they came
	FirstByte time.Duration // from sending the request until the first byte was there
}

// Dial connects to an address of TCP.
func Dial(ctx context.Context, address string) (*Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &Conn{conn: conn, in: bufio.NewReaderSize(conn, readBuffer)}, nil
}

// Close ends the connection.
func (c *Conn) Close() error { return c.conn.Close() }

// Do sends a request, head and body, and reads the answer.
func (c *Conn) Do(request ...[]byte) (Answer, error) {
	began := time.Now()
	buffers := net.Buffers(request)
	if _, err := buffers.WriteTo(c.conn); err != nil {
		return Answer{}, err
	}
	if _, err := c.in.Peek(1); err != nil {
		return Answer{}, fmt.Errorf("waiting for the answer: %w", err)
	}
	answer := Answer{FirstByte: time.Since(began)}
	length, err := c.head(&answer)
	if err != nil {
		return Answer{}, fmt.Errorf("reading the head of the answer: %w", err)
	}
	if length >= 0 {
		answer.Bytes = length
		return answer, c.skip(length)
	}
	answer.Bytes, err = c.chunks()
	return answer, err
}

// chunked is the length of a body that comes in chunks.
const chunked = -1

// head reads status and headers, and returns the length of the body.
func (c *Conn) head(answer *Answer) (length int64, err error) {
	line, err := c.line()
	if err != nil {
		return 0, err
	}
	if len(line) < len("HTTP/1.1 200") {
		return 0, fmt.Errorf("no status in %q", line)
	}
	if answer.Status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, fmt.Errorf("no status in %q", line)
	}
	for {
		if line, err = c.line(); err != nil || len(line) == 0 {
			return length, err
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return 0, err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			length = chunked
		}
	}
}

// line is good until the next one is read.
func (c *Conn) line() ([]byte, error) {
	line, err := c.in.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// chunks reads a body in chunks and returns its size.
func (c *Conn) chunks() (total int64, err error) {
	for {
		line, err := c.line()
		if err != nil {
			return total, err
		}
		size, err := strconv.ParseInt(string(line), 16, 64)
		if err != nil {
			return total, fmt.Errorf("the size of a chunk: %w", err)
		}
		if err := c.skip(size + int64(len("\r\n"))); err != nil || size == 0 {
			return total, err
		}
		total += size
	}
}

func (c *Conn) skip(count int64) error {
	for count > 0 {
		skipped, err := c.in.Discard(int(min(count, readBuffer)))
		count -= int64(skipped)
		if err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
	}
	return nil
}

// Client sends one request after the other until there are no more: then Next returns nil.
type Client interface {
	Next() (request [][]byte)
}

// Outcome is what clients have seen together.
type Outcome struct {
	Requests int
	Bytes    int64
	Took     time.Duration // from the first request to the last answer
}

// Run lets each client use a connection of its own until they all have no more requests. An answer with
// another status than the one that is wanted is an error.
func Run(ctx context.Context, address string, status int, clients ...Client) (Outcome, error) {
	conns := make([]*Conn, len(clients))
	for i := range conns {
		conn, err := Dial(ctx, address)
		if err != nil {
			return Outcome{}, err
		}
		defer conn.Close() //nolint:errcheck // everything was read
		conns[i] = conn
	}
	outcomes := make([]Outcome, len(clients))
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for i, client := range clients {
		group.Go(func() (err error) {
			outcomes[i], err = conns[i].drive(ctx, client, status)
			return err
		})
	}
	err := group.Wait()
	total := Outcome{Took: time.Since(began)}
	for _, outcome := range outcomes {
		total.Requests += outcome.Requests
		total.Bytes += outcome.Bytes
	}
	return total, err
}

func (c *Conn) drive(ctx context.Context, client Client, status int) (seen Outcome, err error) {
	for ctx.Err() == nil {
		request := client.Next()
		if request == nil {
			return seen, nil
		}
		answer, err := c.Do(request...)
		if err != nil {
			return seen, err
		}
		if answer.Status != status {
			return seen, fmt.Errorf("request %d was answered %d", seen.Requests, answer.Status)
		}
		seen.Requests++
		seen.Bytes += answer.Bytes
	}
	return seen, ctx.Err()
}

// Get is a GET that asks for path with headers, each "Name: value".
func Get(path string, headers ...string) []byte {
	return head("GET", path, headers)
}

// Post is the head of a POST to path of a body of that length.
func Post(path string, length int, headers ...string) []byte {
	return head("POST", path, append(headers, "Content-Type: application/json", "Content-Length: "+strconv.Itoa(length)))
}

func head(method, path string, headers []string) []byte {
	text := method + " " + path + " HTTP/1.1\r\nHost: bench\r\n"
	for _, header := range headers {
		text += header + "\r\n"
	}
	return []byte(text + "\r\n")
}
