//! The parts of a message in the order in which they begin, kept outside of memory: a message of 40 MB may have eight
//! million, and the end of each is known only after those inside it.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::process;

use readdress::mime::{Part, Span};

/// Octets that are held in memory before they go to a file. Nearly every message has fewer, and needs no file.
const BUFFER: usize = 1 << 20;

/// Octets of the end of a part, which a record begins with.
const END: usize = size_of::<u64>();

/// A file of records. The last ones are in memory.
#[derive(Default)]
pub(super) struct PartSpool {
    file: Option<File>,
    /// The records that follow those in the file.
    buffer: Vec<u8>,
    /// Octets in the file.
    flushed: u64,
    /// The parts that have not ended: the index of each, and the offset of its record.
    open: Vec<(usize, u64)>,
    parts: usize,
}

impl PartSpool {
    /// Adds a part whose end is not known yet.
    pub(super) fn begin(&mut self, part: &Part) -> io::Result<()> {
        self.open
            .push((self.parts, self.flushed + self.buffer.len() as u64));
        self.parts += 1;
        self.buffer.extend_from_slice(&part.body.end.to_le_bytes());
        for number in [
            part.header.start,
            part.header.end - part.header.start,
            part.body.start - part.header.end,
            part.depth as u64,
        ] {
            write_number(&mut self.buffer, number);
        }
        let name = part.filename.as_deref();
        self.buffer.push(u8::from(name.is_some()));
        for text in [
            &*part.path,
            &part.content_type,
            &part.encoding,
            name.unwrap_or_default(),
        ] {
            write_number(&mut self.buffer, text.len() as u64);
            self.buffer.extend_from_slice(text.as_bytes());
        }
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        Ok(())
    }

    /// Notes where a part ends.
    pub(super) fn end(&mut self, index: usize, end: u64) -> io::Result<()> {
        let Some(open) = self.open.iter().rposition(|(begun, _)| *begun == index) else {
            return Ok(());
        };
        let (_, at) = self.open.remove(open);
        let end = end.to_le_bytes();
        match (at.checked_sub(self.flushed), &self.file) {
            (None, Some(file)) => file.write_all_at(&end, at),
            (at, _) => {
                let at = usize::try_from(at.unwrap_or(0)).map_err(io::Error::other)?;
                self.buffer[at..at + END].copy_from_slice(&end);
                Ok(())
            }
        }
    }

    /// The number of parts.
    pub(super) fn parts(&self) -> usize {
        self.parts
    }

    /// Passes all parts to `each`, in the order in which they began.
    pub(super) fn read(self, mut each: impl FnMut(&Part) -> io::Result<()>) -> io::Result<()> {
        let flushed = match &self.file {
            Some(file) => {
                io::Seek::rewind(&mut &*file)?;
                Some(BufReader::with_capacity(BUFFER, file))
            }
            None => None,
        };
        let mut records: Box<dyn Read> = match flushed {
            Some(file) => Box::new(file.chain(&self.buffer[..])),
            None => Box::new(&self.buffer[..]),
        };
        for _ in 0..self.parts {
            each(&read_part(&mut records)?)?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(temporary_file()?),
        };
        file.write_all_at(&self.buffer, self.flushed)?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// A file that goes with the process: when it is returned, it has no name any more.
fn temporary_file() -> io::Result<File> {
    let path = env::temp_dir().join(format!("readdress-{}.parts", process::id()));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    let file = match options.open(&path) {
        // One that ended before it could remove it had the same number.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(&path)?;
            options.open(&path)?
        }
        opened => opened?,
    };
    fs::remove_file(&path)?;
    Ok(file)
}

fn read_part(records: &mut impl Read) -> io::Result<Part> {
    let mut body_end = [0; END];
    records.read_exact(&mut body_end)?;
    let header_start = read_number(records)?;
    let header_end = header_start + read_number(records)?;
    let body_start = header_end + read_number(records)?;
    let depth = read_number(records)?;
    let mut named = [0];
    records.read_exact(&mut named)?;
    let [path, content_type, encoding, name] = [(); 4].map(|()| read_text(records));
    Ok(Part {
        path: path?,
        depth: usize::try_from(depth).map_err(io::Error::other)?,
        content_type: content_type?,
        encoding: encoding?,
        filename: Some(name?).filter(|_| named == [1]),
        header: Span {
            start: header_start,
            end: header_end,
        },
        body: Span {
            start: body_start,
            end: u64::from_le_bytes(body_end),
        },
    })
}

/// Writes seven bits an octet, the lowest first; the last octet has its highest bit clear. Most numbers are small.
fn write_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

fn read_number(records: &mut impl Read) -> io::Result<u64> {
    let mut number = 0;
    let mut octet = [0x80];
    let mut shift = 0;
    while octet[0] >= 0x80 {
        records.read_exact(&mut octet)?;
        number |= u64::from(octet[0] & 0x7f) << shift;
        shift += 7;
    }
    Ok(number)
}

fn read_text(records: &mut impl Read) -> io::Result<String> {
    let octets = read_number(records)?;
    let mut text = vec![0; usize::try_from(octets).map_err(io::Error::other)?];
    records.read_exact(&mut text)?;
    String::from_utf8(text).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catches an end that is written into another record, in memory or in the file.
    #[test]
    fn parts_are_read_as_they_began() {
        let part = |n: u64| Part {
            path: format!("1.{n}"),
            depth: 2,
            content_type: "text/plain".repeat(20),
            encoding: "7bit".to_owned(),
            filename: n.is_multiple_of(2).then(|| format!("n\u{e4}me {n}")),
            header: Span {
                start: n * 1_000_000,
                end: n * 1_000_000 + n,
            },
            body: Span {
                start: n * 1_000_000 + n + 2,
                end: 0,
            },
        };
        let count = 10_000;
        let mut spool = PartSpool::default();
        spool.begin(&part(0)).unwrap();
        for n in 1..count {
            spool.begin(&part(n)).unwrap();
            spool.end(usize::try_from(n).unwrap(), n + 2).unwrap();
        }
        spool.end(0, 2).unwrap();
        assert!(spool.file.is_some() && spool.open.is_empty());
        let mut n = 0;
        spool
            .read(|read| {
                let mut want = part(n);
                want.body.end = n + 2;
                assert_eq!(*read, want);
                n += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(n, count);
    }
}
