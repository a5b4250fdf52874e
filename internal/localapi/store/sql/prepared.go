package sql

import (
	"context"
	dbsql "database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// prepared are statements that one connection uses again and again. There are few, so they stay as long as the
// connection. Preparing costs SQLite as much as executing; database/sql offers no way to keep a statement of the only
// connection while a transaction has it.
type prepared struct {
	conn       any // the driver's
	statements map[string]executor
}

type executor interface {
	driver.Stmt
	driver.StmtExecContext
}

// exec executes a statement on conn. The caller has conn for itself, and the statement is not interrupted.
func (p *prepared) exec(ctx context.Context, conn *dbsql.Conn, query string, args []any) error {
	values, err := valuesOf(args)
	if err != nil {
		return err
	}
	return conn.Raw(func(current any) error {
		if p.conn != current {
			p.conn, p.statements = current, map[string]executor{}
		}
		statement, err := p.statement(ctx, query)
		if err != nil {
			return err
		}
		_, err = statement.ExecContext(context.WithoutCancel(ctx), values)
		return err
	})
}

// close ends the statements. A connection that closes while it has some would keep its file open.
func (p *prepared) close(ctx context.Context, db *dbsql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	return errors.Join(conn.Raw(p.closeStatements), conn.Close())
}

func (p *prepared) closeStatements(current any) (err error) {
	if p.conn != current {
		return nil // the connection that had them is gone
	}
	for query, statement := range p.statements {
		err = errors.Join(err, statement.Close())
		delete(p.statements, query)
	}
	return err
}

func (p *prepared) statement(ctx context.Context, query string) (executor, error) {
	if known, ok := p.statements[query]; ok {
		return known, nil
	}
	preparer, ok := p.conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, fmt.Errorf("the driver's connection (%T) cannot prepare statements", p.conn)
	}
	statement, err := preparer.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	known, ok := statement.(executor)
	if !ok {
		return nil, fmt.Errorf("the driver's statement (%T) cannot be executed", statement)
	}
	p.statements[query] = known
	return known, nil
}

// valuesOf does what database/sql does with arguments.
func valuesOf(args []any) ([]driver.NamedValue, error) {
	values := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, err
		}
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: value}
	}
	return values, nil
}
