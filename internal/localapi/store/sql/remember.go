package sql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// remembered is how many statements a connection keeps.
const remembered = 200

// remembering makes connections keep the statements that they prepared, until others are used more recently. Preparing
// costs SQLite as much as executing, and it does not keep statements by itself. Rows of a statement must be read to
// their end before the same text is used on the same connection again.
type remembering struct{ driver.Connector }

// Connect implements driver.Connector.
func (c remembering) Connect(ctx context.Context) (driver.Conn, error) {
	plain, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	capable, ok := plain.(capableConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's connection (%T) cannot do what we need", plain), plain.Close())
	}
	conn := &rememberingConn{capableConn: capable}
	conn.statements, err = simplelru.NewLRU(remembered, func(_ string, s capableStmt) {
		conn.closing = errors.Join(conn.closing, s.Close())
	})
	if err != nil {
		return nil, errors.Join(err, plain.Close())
	}
	return conn, nil
}

// capableConn is what database/sql asks of a connection.
type capableConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type capableStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// rememberingConn is used by one goroutine at a time, as any connection of a driver.
type rememberingConn struct {
	capableConn

	statements *simplelru.LRU[string, capableStmt]
	closing    error // of statements that had to go
}

// ExecContext implements driver.ExecerContext. It is not interrupted: nothing that we execute takes long, except the
// wait for the lock, which BeginTx does.
func (c *rememberingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	statement, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.ExecContext(context.WithoutCancel(ctx), args)
}

// QueryContext implements driver.QueryerContext.
func (c *rememberingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	statement, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	return statement.QueryContext(ctx, args)
}

func (c *rememberingConn) statement(ctx context.Context, query string) (capableStmt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if known, ok := c.statements.Get(query); ok {
		return known, nil
	}
	plain, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	statement, ok := plain.(capableStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the driver's statement (%T) cannot do what we need", plain), plain.Close())
	}
	c.statements.Add(query, statement)
	return statement, nil
}

// Close implements driver.Conn. The statements go first: a connection that has some keeps its file open.
func (c *rememberingConn) Close() error {
	c.statements.Purge()
	return errors.Join(c.closing, c.capableConn.Close())
}
