//! Cuts a stream into records: one JSON object on each line, one list of objects, or objects on
//! several lines. One record is in memory at a time, unparsed. After a broken record it goes on
//! with the next line that begins like a record.

use std::io::{self, BufRead};

/// Longest record of an export of Crafter Profile, and so its longest line, in bytes: MongoDB's own
/// bound of a document.
pub(super) const RECORD_BYTES_MAX: usize = 16 << 20;

/// A record's text, or why there is none, and its first line.
pub(super) struct Piece {
    pub(super) line: usize,
    pub(super) text: Result<Vec<u8>, String>,
}

/// A stream and how far it is read.
pub(super) struct Scanner<R> {
    source: R,
    bytes_read: u64,
    cutter: Cutter,
}

struct Cutter {
    line: usize,
    line_begins: bool,
    /// Up to three bytes at the beginning may be a byte order mark.
    mark_bytes_left: u8,
    shape: Shape,
    state: State,
    record: Vec<u8>,
    record_line: usize,
    too_long: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Unknown,
    Lines,
    OpenList,
    ClosedList,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    Inside {
        depth: usize,
    },
    InText {
        depth: usize,
        escaped: bool,
    },
    /// Skips to a line that begins like a record: what is before it is not understood.
    Skipping,
}

impl<R: BufRead> Scanner<R> {
    pub(super) fn new(source: R) -> Self {
        let cutter = Cutter {
            line: 1,
            line_begins: true,
            mark_bytes_left: 3,
            shape: Shape::Unknown,
            state: State::Between,
            record: Vec::new(),
            record_line: 1,
            too_long: false,
        };
        Scanner { source, bytes_read: 0, cutter }
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The current line, counted from 1.
    pub(super) fn line(&self) -> usize {
        self.cutter.line
    }

    /// The next record; None at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Piece>> {
        loop {
            let chunk = match self.source.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                chunk => chunk?,
            };
            if chunk.is_empty() {
                return Ok(self.cutter.end());
            }
            let mut used = 0;
            let mut piece = None;
            while piece.is_none() && used < chunk.len() {
                piece = self.cutter.take(chunk[used]);
                used += 1;
            }
            self.source.consume(used);
            self.bytes_read += used as u64;
            if piece.is_some() {
                return Ok(piece);
            }
        }
    }
}

impl Cutter {
    fn take(&mut self, byte: u8) -> Option<Piece> {
        if self.is_mark(byte) {
            return None;
        }
        let first = std::mem::replace(&mut self.line_begins, byte == b'\n');
        self.line += usize::from(byte == b'\n');
        match self.state {
            State::Between => self.between(byte),
            State::Skipping if first && self.may_go_on(byte) => {
                self.state = State::Between;
                self.between(byte)
            }
            State::Skipping => None,
            // mongoexport indents every line of a record but the first and the last.
            State::Inside { .. } if first && byte == b'{' => {
                let cut = self.broken("the record is cut: another record begins before its end");
                self.begin(byte);
                Some(cut)
            }
            State::Inside { depth } => self.inside(byte, depth),
            State::InText { .. } if byte == b'\n' => {
                Some(self.broken("the record is cut: a line ends inside a text"))
            }
            State::InText { depth, escaped } => {
                self.push(byte);
                self.state = match byte {
                    b'"' if !escaped => State::Inside { depth },
                    _ => State::InText { depth, escaped: byte == b'\\' && !escaped },
                };
                None
            }
        }
    }

    fn end(&mut self) -> Option<Piece> {
        if matches!(self.state, State::Inside { .. } | State::InText { .. }) {
            return Some(self.broken("the record is cut: the file ends inside it"));
        }
        if self.shape == Shape::OpenList {
            self.shape = Shape::ClosedList;
            let reason = "the list is not closed: the file is cut, or broken above";
            return Some(Piece { line: self.line, text: Err(reason.to_owned()) });
        }
        None
    }

    fn is_mark(&mut self, byte: u8) -> bool {
        let expected = match self.mark_bytes_left {
            3 => 0xEF,
            2 => 0xBB,
            1 => 0xBF,
            _ => return false,
        };
        self.mark_bytes_left = if byte == expected { self.mark_bytes_left - 1 } else { 0 };
        byte == expected
    }

    fn between(&mut self, byte: u8) -> Option<Piece> {
        match (byte, self.shape) {
            (b' ' | b'\t' | b'\r' | b'\n', _) => {}
            (b'{', Shape::Unknown | Shape::Lines | Shape::OpenList) => self.begin(byte),
            (b'[', Shape::Unknown) => self.shape = Shape::OpenList,
            (b',', Shape::OpenList) => {}
            (b']', Shape::OpenList) => self.shape = Shape::ClosedList,
            _ => {
                self.state = State::Skipping;
                let reason = "neither a record nor a list of records";
                return Some(Piece { line: self.line, text: Err(reason.to_owned()) });
            }
        }
        None
    }

    fn inside(&mut self, byte: u8, depth: usize) -> Option<Piece> {
        self.push(byte);
        let depth = match byte {
            b'{' | b'[' => depth + 1,
            b'}' | b']' => depth - 1,
            _ => depth,
        };
        if depth == 0 {
            return Some(self.whole());
        }
        self.state = match byte {
            b'"' => State::InText { depth, escaped: false },
            _ => State::Inside { depth },
        };
        None
    }

    fn may_go_on(&self, byte: u8) -> bool {
        match self.shape {
            Shape::Unknown => matches!(byte, b'{' | b'['),
            Shape::Lines => byte == b'{',
            Shape::OpenList => matches!(byte, b'{' | b',' | b']'),
            Shape::ClosedList => false,
        }
    }

    fn begin(&mut self, byte: u8) {
        if self.shape == Shape::Unknown {
            self.shape = Shape::Lines;
        }
        self.state = State::Inside { depth: 1 };
        self.record_line = self.line;
        self.push(byte);
    }

    fn push(&mut self, byte: u8) {
        if self.too_long {
            return;
        }
        if self.record.len() == RECORD_BYTES_MAX {
            self.too_long = true;
            self.record = Vec::new();
            return;
        }
        self.record.push(byte);
    }

    fn whole(&mut self) -> Piece {
        self.state = State::Between;
        let record = std::mem::take(&mut self.record);
        let text = match std::mem::take(&mut self.too_long) {
            true => Err(format!("longer than {} MiB", RECORD_BYTES_MAX >> 20)),
            false => Ok(record),
        };
        Piece { line: self.record_line, text }
    }

    fn broken(&mut self, reason: &'static str) -> Piece {
        self.state = State::Skipping;
        self.record = Vec::new();
        self.too_long = false;
        Piece { line: self.record_line, text: Err(reason.to_owned()) }
    }
}
