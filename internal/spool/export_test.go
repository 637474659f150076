package spool //nolint:testpackage // what tests put in the place of the disk

import "os"

// File and Disk are what tests put in the place of the real disk.
type File = file

// FaultyDisk is the real disk with faults.
type FaultyDisk struct {
	Open  func(path string, create bool) error    // before a file is opened
	Write func(f *os.File, b []byte) (int, error) // instead of a write
	Sync  func(path string) error                 // before an fsync, of a folder too
	Cut   func(path string) error                 // before a truncation
}

func (d *FaultyDisk) open(path string, create bool) (file, error) {
	if d.Open != nil {
		if err := d.Open(path, create); err != nil {
			return nil, err
		}
	}
	f, err := realDisk{}.open(path, create)
	if err != nil {
		return nil, err
	}
	return &faultyFile{f.(*os.File), d}, nil
}

func (d *FaultyDisk) syncFolder(path string) error {
	if d.Sync != nil {
		if err := d.Sync(path); err != nil {
			return err
		}
	}
	return realDisk{}.syncFolder(path)
}

type faultyFile struct {
	*os.File
	d *FaultyDisk
}

func (f *faultyFile) Write(b []byte) (int, error) {
	if f.d.Write != nil {
		return f.d.Write(f.File, b)
	}
	return f.File.Write(b)
}

func (f *faultyFile) Sync() error {
	if f.d.Sync != nil {
		if err := f.d.Sync(f.Name()); err != nil {
			return err
		}
	}
	return f.File.Sync()
}

func (f *faultyFile) Truncate(size int64) error {
	if f.d.Cut != nil {
		if err := f.d.Cut(f.Name()); err != nil {
			return err
		}
	}
	return f.File.Truncate(size)
}

// WithDisk puts a faulty disk into a Config.
func WithDisk(cfg Config, d *FaultyDisk) Config {
	cfg.disk = d
	return cfg
}

// Sweep does at once what Run does once a minute.
func (s *Spool) Sweep() { s.sweep() }

// Opened is how many files are open.
func (s *Spool) Opened() int {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	return s.open
}
