//! Lines of a text file of any size, one at a time, with the way each one ends.

use std::io::{BufRead, ErrorKind};

/// No line of a submission is this long; the rest of a longer one (a binary file, say) is skipped, not kept.
const LONGEST: usize = 4096;

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ending {
    /// `\n`
    Lf,
    /// `\r\n`
    CrLf,
    /// `\r` alone
    Cr,
    /// The end of the file.
    File,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Counted from 1.
    pub(crate) number: u64,
    pub(crate) text: &'a [u8],
    pub(crate) ending: Ending,
}

/// Reads lines into one reused buffer.
pub(crate) struct Lines<R> {
    input: R,
    text: Vec<u8>,
    number: u64,
    byte_order_mark: bool,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            text: Vec::new(),
            number: 0,
            byte_order_mark: false,
        }
    }

    /// True once a byte order mark was seen (and skipped) at the file's beginning.
    pub(crate) const fn has_byte_order_mark(&self) -> bool {
        self.byte_order_mark
    }

    /// The next line, or `None` at the end.
    pub(crate) fn next(&mut self) -> std::io::Result<Option<Line<'_>>> {
        self.text.clear();
        let ending = loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            if buffer.is_empty() {
                if self.text.is_empty() {
                    return Ok(None);
                }
                break Ending::File;
            }
            let end = buffer.iter().position(|&b| b == b'\n' || b == b'\r');
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or(buffer);
            let room = LONGEST.saturating_sub(self.text.len()).min(part.len());
            self.text
                .extend_from_slice(part.get(..room).unwrap_or(part));
            let found = end.and_then(|at| buffer.get(at).copied());
            let used = end.map_or(buffer.len(), |at| at + 1);
            self.input.consume(used);
            match found {
                Some(b'\n') => break Ending::Lf,
                Some(_) => break self.after_return()?,
                None => {}
            }
        };
        self.number += 1;
        let mut text = self.text.as_slice();
        if self.number == 1
            && let Some(rest) = text.strip_prefix(b"\xEF\xBB\xBF")
        {
            self.byte_order_mark = true;
            text = rest;
        }
        Ok(Some(Line {
            number: self.number,
            text,
            ending,
        }))
    }

    /// A `\r` was read: does `\n` follow?
    fn after_return(&mut self) -> std::io::Result<Ending> {
        loop {
            match self.input.fill_buf() {
                Ok([b'\n', ..]) => {
                    self.input.consume(1);
                    return Ok(Ending::CrLf);
                }
                Ok(_) => return Ok(Ending::Cr),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}
