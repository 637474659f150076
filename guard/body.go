package guard

import "io"

// watchedBody tells the policies how the body of an answer ended, and cuts it where it stops coming.
type watchedBody struct {
	io.ReadCloser
	x      *exchange
	status int
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.x.stall.Reset(b.x.d.cfg.Timeouts.Stall)
	n, err := b.ReadCloser.Read(p)
	b.x.stall.Stop()
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		b.x.settle(b.status, nil)
		return n, io.EOF
	}
	err = b.x.d.failure(b.x.ctx, err)
	b.x.settle(b.status, err)
	return n, err
}

// Close ends the exchange. A caller that has seen enough of a body has no complaint about the dependency.
func (b *watchedBody) Close() error {
	err := b.ReadCloser.Close()
	b.x.settle(b.status, nil)
	return err
}

// upgraded is a connection that another protocol has taken over. It keeps its place until it is closed.
type upgraded struct {
	io.ReadWriteCloser
	x *exchange
}

func (u *upgraded) Close() error {
	err := u.ReadWriteCloser.Close()
	u.x.settle(101, nil)
	return err
}
