package parse

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"unicode/utf16"
	"unicode/utf8"

	kgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// source is an opened file as a stream of UTF-8 text, whatever it was packed and encoded in.
type source struct {
	r     io.Reader
	close []func()

	size    int64        // bytes of the file on disk
	changed int64        // when it was changed last, Unix nanoseconds
	read    atomic.Int64 // bytes of it read so far
	plain   *os.File     // set when the text lies uncompressed in the file, so that its middle can be looked at
	notes   []string
}

// errDirectory tells a directory from an unreadable file: Walk descends, ReadFile refuses.
var errDirectory = errors.New("is a directory: name a file in it, or give the folder to investigate")

// openSource opens a regular file without ever blocking, and peels compression and encoding off by content.
func openSource(dir, name string) (*source, error) {
	path := name
	if dir != "" {
		path = filepath.Join(dir, filepath.FromSlash(name))
	}
	st, err := os.Stat(path)
	if err != nil {
		return nil, openError(err)
	}
	if err := regular(st.Mode()); err != nil {
		return nil, err
	}
	// O_NONBLOCK: should a pipe take the file's place after the check, open must not wait for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, openError(err)
	}
	if st, err = f.Stat(); err == nil {
		err = regular(st.Mode())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	s := &source{size: st.Size(), changed: st.ModTime().UnixNano(), close: []func(){func() { f.Close() }}}
	if err := s.peel(f); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// atMost returns n, or less where the file is known to need less: a case folder has many small files.
func (s *source) atMost(n int) int {
	// A file that is still written to may grow a little while it is read.
	if need := s.size + 4096; s.plain != nil && need < int64(n) {
		return int(need)
	}
	return n
}

// Close releases the file and the decompressor.
func (s *source) Close() {
	for i := len(s.close) - 1; i >= 0; i-- {
		s.close[i]()
	}
	s.close = nil
}

// regular says why something that is not a regular file is not read.
func regular(m fs.FileMode) error {
	switch {
	case m.IsRegular():
		return nil
	case m.IsDir():
		return errDirectory
	case m&fs.ModeNamedPipe != 0:
		return errors.New("is a named pipe: reading it could wait for ever; save its output to a file and read that")
	case m&fs.ModeSocket != 0:
		return errors.New("is a socket: not read")
	case m&fs.ModeDevice != 0:
		return errors.New("is a device: not read")
	}
	return fmt.Errorf("is not a regular file (%s): not read", m)
}

// openError words the usual failures with their remedy.
func openError(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("no permission to read it: run as a user who may, or chmod a+r the file: %w", err)
	case errors.Is(err, syscall.ELOOP):
		return fmt.Errorf("symbolic links lead round in a circle: point the link at the real file: %w", err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("not found, or a symbolic link to nowhere: check the path: %w", err)
	}
	return fmt.Errorf("cannot open: %w", err)
}

// countingReader counts what was read from disk, for the progress bar.
type countingReader struct {
	r io.Reader
	n *atomic.Int64
}

func (c countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

var (
	magicGzip  = []byte{0x1f, 0x8b}
	magicZstd  = []byte{0x28, 0xb5, 0x2f, 0xfd}
	magicBzip2 = []byte("BZh")
	magicXz    = []byte{0xfd, '7', 'z', 'X', 'Z', 0}
	magicZip   = []byte("PK\x03\x04")
	magicLz4   = []byte{0x04, 0x22, 0x4d, 0x18}
	bomUTF8    = []byte{0xef, 0xbb, 0xbf}
	bomUTF16LE = []byte{0xff, 0xfe}
	bomUTF16BE = []byte{0xfe, 0xff}
)

// peel finds compression by its magic number and encoding by its byte order mark.
func (s *source) peel(f *os.File) error {
	br := bufio.NewReaderSize(countingReader{f, &s.read}, int(min(64<<10, s.size+16))) // folders of many small files exist
	head, _ := br.Peek(8)
	switch {
	case bytes.HasPrefix(head, magicGzip):
		z, err := kgzip.NewReader(br)
		if err != nil {
			return fmt.Errorf("damaged gzip file, no text in it can be read: %w", err)
		}
		s.close = append(s.close, func() { z.Close() })
		return s.decode(z)
	case bytes.HasPrefix(head, magicZstd):
		// One goroutine and 64 MB: a log needs no more, and a crafted window must not eat the machine.
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(16<<20), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return fmt.Errorf("damaged zstd file, no text in it can be read: %w", err)
		}
		s.close = append(s.close, z.Close)
		return s.decode(z)
	case bytes.HasPrefix(head, magicBzip2) && len(head) > 3 && head[3] >= '1' && head[3] <= '9':
		return errors.New("is bzip2-compressed: unpack it with bunzip2, or repack it as gzip or zstd")
	case bytes.HasPrefix(head, magicXz):
		return errors.New("is xz-compressed: unpack it with unxz, or repack it as gzip or zstd")
	case bytes.HasPrefix(head, magicLz4):
		return errors.New("is lz4-compressed: unpack it with unlz4, or repack it as gzip or zstd")
	case bytes.HasPrefix(head, magicZip):
		return errors.New("is a zip archive: unpack it into the folder")
	}
	enc := encodingOf(head)
	if enc == encUTF8 {
		s.plain = f
		// Plain text needs no second buffer: rewind and read the file itself.
		if _, err := f.Seek(0, io.SeekStart); err == nil {
			s.read.Store(0)
			s.r = countingReader{f, &s.read}
			return nil
		}
	}
	return s.decode(br)
}

// decode sets r to UTF-8 text, transcoding UTF-16 (Windows tools write it).
func (s *source) decode(r io.Reader) error {
	br := bufio.NewReaderSize(r, 64<<10)
	head, _ := br.Peek(8)
	switch encodingOf(head) {
	case encUTF16LE:
		s.notes = append(s.notes, "UTF-16 text, transcoded")
		s.r = &utf16Reader{br: br, order: 0}
	case encUTF16BE:
		s.notes = append(s.notes, "UTF-16 text, transcoded")
		s.r = &utf16Reader{br: br, order: 1}
	default:
		s.r = br
	}
	return nil
}

type encoding int

const (
	encUTF8 encoding = iota
	encUTF16LE
	encUTF16BE
)

// encodingOf guesses from the first bytes: the mark, or ASCII with every other byte zero.
func encodingOf(head []byte) encoding {
	if bytes.HasPrefix(head, bomUTF16LE) {
		return encUTF16LE
	}
	if bytes.HasPrefix(head, bomUTF16BE) {
		return encUTF16BE
	}
	if len(head) == 8 {
		le, be := true, true
		for i := 0; i < 8; i += 2 {
			le = le && head[i] != 0 && head[i] < 0x80 && head[i+1] == 0
			be = be && head[i] == 0 && head[i+1] != 0 && head[i+1] < 0x80
		}
		if le {
			return encUTF16LE
		}
		if be {
			return encUTF16BE
		}
	}
	return encUTF8
}

// utf16Reader transcodes UTF-16 to UTF-8; a lone surrogate becomes U+FFFD, a lone last byte is dropped.
type utf16Reader struct {
	br    *bufio.Reader
	order int // 0 little endian, 1 big endian
	out   []byte
	buf   [4096]byte
}

func (u *utf16Reader) unit() (rune, error) {
	a, err := u.br.ReadByte()
	if err != nil {
		return 0, err
	}
	b, err := u.br.ReadByte()
	if err != nil {
		return 0, err
	}
	if u.order == 1 {
		a, b = b, a
	}
	return rune(a) | rune(b)<<8, nil
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	if len(u.out) == 0 {
		out := u.buf[:0]
		for len(out) < len(u.buf)-8 {
			r, err := u.unit()
			if err != nil {
				if len(out) == 0 {
					return 0, err
				}
				break
			}
			if utf16.IsSurrogate(r) {
				r2, err := u.unit()
				if err != nil {
					break
				}
				r = utf16.DecodeRune(r, r2)
			}
			if r == 0xfeff {
				continue
			}
			out = utf8.AppendRune(out, r)
			if r == '\n' && u.br.Buffered() < 2 {
				break
			}
		}
		u.out = out
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

// readError words an error in the middle of a stream. What was read before it counts.
func readError(err error, read int64) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the compressed stream breaks off after %d bytes of the file (a copy cut short, or still being "+
			"written); what was readable counts, fetch the file again for the rest: %w", read, err)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, kgzip.ErrHeader):
		return fmt.Errorf("garbage follows the compressed stream at about byte %d; what came before it counts: %w", read, err)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, kgzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch):
		return fmt.Errorf("the compressed stream is damaged before byte %d; what was readable counts, fetch the file again: %w", read, err)
	}
	return fmt.Errorf("reading failed after %d bytes; what came before counts: %w", read, err)
}
