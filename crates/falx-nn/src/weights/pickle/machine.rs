//! The stack machine.

mod calls;

use std::collections::HashMap;

use super::{Global, Handle, Object, StorageKey};
use crate::weights::FormatError;

/// All objects of a pickle.
#[derive(Debug)]
pub struct Loaded {
    objects: Vec<Object>,
    /// The object that the pickle is.
    pub root: Handle,
    /// The pickle's length in bytes.
    pub length: usize,
}

impl Loaded {
    /// The object at `handle`.
    pub fn get(&self, handle: Handle) -> &Object {
        // Handles are made by the machine alone; none lies outside its list.
        self.objects.get(handle.0).unwrap_or(&Object::None)
    }

    /// Every storage that it names.
    pub fn storages(&self) -> impl Iterator<Item = &StorageKey> {
        self.objects.iter().filter_map(|object| match object {
            Object::Storage(storage) => Some(storage),
            _ => None,
        })
    }

    /// The object that the pickle is.
    pub fn root(&self) -> &Object {
        self.get(self.root)
    }
}

/// Reads the pickle that `bytes` begin with.
///
/// # Errors
/// [`FormatError::ForbiddenGlobal`] or [`FormatError::Pickle`].
pub fn load(bytes: &[u8]) -> Result<Loaded, FormatError> {
    let mut machine = Machine {
        bytes,
        at: 0,
        objects: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        copied: 0,
    };
    while machine.step()? {}
    let root = machine.pop()?;
    Ok(Loaded {
        root,
        length: machine.at,
        objects: machine.objects,
    })
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    objects: Vec<Object>,
    stack: Vec<Handle>,
    marks: Vec<usize>,
    memo: HashMap<u32, Handle>,
    /// Items of lists that were made dictionaries.
    copied: usize,
}

type Done = Result<(), FormatError>;

impl Machine<'_> {
    fn broken<T>(&self, reason: impl Into<String>) -> Result<T, FormatError> {
        Err(FormatError::Pickle {
            at: self.at,
            reason: reason.into(),
        })
    }

    fn take(&mut self, length: usize) -> Result<&[u8], FormatError> {
        let end = self.at.checked_add(length);
        match end.and_then(|end| self.bytes.get(self.at..end)) {
            Some(taken) => {
                self.at += length;
                Ok(taken)
            }
            None => self.broken("it ends in the middle"),
        }
    }

    /// An unsigned little-endian number of `width` bytes, at most eight.
    fn number(&mut self, width: usize) -> Result<u64, FormatError> {
        let bytes = self.take(width)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
    }

    /// Bytes behind their length, which is a number of `width` bytes.
    fn counted(&mut self, width: usize) -> Result<&[u8], FormatError> {
        let length = self.number(width)?;
        match usize::try_from(length) {
            Ok(length) => self.take(length),
            Err(_) => self.broken("a length is beyond all memory"),
        }
    }

    fn text(&mut self, width: usize) -> Done {
        let text = std::str::from_utf8(self.counted(width)?).map(str::to_owned);
        match text {
            Ok(text) => self.push(Object::Text(text)),
            Err(_) => self.broken("a text is no UTF-8"),
        }
    }

    fn line(&mut self) -> Result<String, FormatError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(length) = rest.iter().position(|&byte| byte == b'\n') else {
            return self.broken("a line has no end");
        };
        let line = std::str::from_utf8(self.take(length)?).map(str::to_owned);
        self.at += 1;
        line.or_else(|_| self.broken("a line is no UTF-8"))
    }

    /// A signed little-endian whole number of any length up to 16 bytes.
    fn long(&mut self, width: usize) -> Done {
        let bytes = self.counted(width)?;
        if bytes.len() > 16 {
            return self.broken("a whole number has more than 16 bytes");
        }
        let sign = bytes.last().is_some_and(|&byte| byte >= 0x80);
        let mut whole = [if sign { 0xff } else { 0 }; 16];
        for (target, &byte) in whole.iter_mut().zip(bytes) {
            *target = byte;
        }
        self.push(Object::Int(i128::from_le_bytes(whole)))
    }

    #[allow(clippy::unnecessary_wraps, reason = "every instruction ends alike")]
    fn push(&mut self, object: Object) -> Done {
        self.stack.push(Handle(self.objects.len()));
        self.objects.push(object);
        Ok(())
    }

    fn pop(&mut self) -> Result<Handle, FormatError> {
        // What lies below a mark belongs to whoever set it.
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.pop() {
            Some(handle) if self.stack.len() >= floor => Ok(handle),
            _ => self.broken("it takes more from its stack than it put there"),
        }
    }

    fn since_mark(&mut self) -> Result<Vec<Handle>, FormatError> {
        match self.marks.pop() {
            Some(mark) if mark <= self.stack.len() => Ok(self.stack.split_off(mark)),
            _ => self.broken("it looks for a mark that is not there"),
        }
    }

    fn top(&mut self) -> Result<&mut Object, FormatError> {
        let object = self
            .stack
            .last()
            .and_then(|handle| self.objects.get_mut(handle.0));
        match object {
            Some(object) => Ok(object),
            None => Err(FormatError::Pickle {
                at: self.at,
                reason: "it uses an empty stack".to_owned(),
            }),
        }
    }

    fn pairs(&self, items: &[Handle]) -> Result<Vec<(Handle, Handle)>, FormatError> {
        let (pairs, rest) = items.as_chunks::<2>();
        if rest.is_empty() {
            Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
        } else {
            self.broken("a key has no value")
        }
    }

    fn tuple(&mut self, length: usize) -> Done {
        let mut items = Vec::with_capacity(length);
        for _ in 0..length {
            items.push(self.pop()?);
        }
        items.reverse();
        self.push(Object::Tuple(items))
    }

    fn set_items(&mut self, items: &[Handle]) -> Done {
        let pairs = self.pairs(items)?;
        match self.top()? {
            Object::Dict(dict) => dict.extend(pairs),
            _ => return self.broken("it puts items into something that is no dictionary"),
        }
        Ok(())
    }

    fn append(&mut self, items: Vec<Handle>) -> Done {
        match self.top()? {
            Object::List(list) => list.extend(items),
            _ => return self.broken("it appends to something that is no list"),
        }
        Ok(())
    }

    fn put(&mut self, key: u32) -> Done {
        match self.stack.last() {
            Some(&handle) => {
                self.memo.insert(key, handle);
                Ok(())
            }
            None => self.broken("it remembers from an empty stack"),
        }
    }

    fn recall(&mut self, key: u32) -> Done {
        match self.memo.get(&key) {
            Some(&handle) => {
                self.stack.push(handle);
                Ok(())
            }
            None => self.broken(format!("it remembers nothing under {key}")),
        }
    }

    /// One instruction; false at the end.
    fn step(&mut self) -> Result<bool, FormatError> {
        let code = self.number(1)? as u8;
        match code {
            b'.' => return Ok(false),
            // PROTO and FRAME say nothing that is needed.
            0x80 => self.take(1).map(|_| ())?,
            0x95 => self.take(8).map(|_| ())?,
            b'(' => self.marks.push(self.stack.len()),
            b'0' => self.pop().map(|_| ())?,
            b'1' => self.since_mark().map(|_| ())?,
            b'N' => self.push(Object::None)?,
            0x88 => self.push(Object::Bool(true))?,
            0x89 => self.push(Object::Bool(false))?,
            b'J' => {
                let number = self.number(4)? as u32 as i32;
                self.push(Object::Int(number.into()))?;
            }
            b'K' | b'M' => {
                let number = self.number(if code == b'K' { 1 } else { 2 })?;
                self.push(Object::Int(number.into()))?;
            }
            0x8a => self.long(1)?,
            0x8b => self.long(4)?,
            b'G' => {
                self.take(8)?;
                self.push(Object::Float)?;
            }
            // T and U are Python 2's strings, which old files name their tensors with.
            b'X' | b'T' => self.text(4)?,
            0x8c | b'U' => self.text(1)?,
            0x8d => self.text(8)?,
            b'B' | b'C' | 0x8e => {
                self.counted(match code {
                    b'B' => 4,
                    b'C' => 1,
                    _ => 8,
                })?;
                self.push(Object::Bytes)?;
            }
            b')' => self.push(Object::Tuple(Vec::new()))?,
            0x85..=0x87 => self.tuple(usize::from(code - 0x84))?,
            b't' => {
                let items = self.since_mark()?;
                self.push(Object::Tuple(items))?;
            }
            b']' => self.push(Object::List(Vec::new()))?,
            b'l' => {
                let items = self.since_mark()?;
                self.push(Object::List(items))?;
            }
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.since_mark()?;
                self.append(items)?;
            }
            b'}' => self.push(Object::Dict(Vec::new()))?,
            b'd' => {
                let items = self.since_mark()?;
                let pairs = self.pairs(&items)?;
                self.push(Object::Dict(pairs))?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set_items(&[key, value])?;
            }
            b'u' => {
                let items = self.since_mark()?;
                self.set_items(&items)?;
            }
            b'q' | b'r' => {
                let key = self.number(if code == b'q' { 1 } else { 4 })? as u32;
                self.put(key)?;
            }
            0x94 => self.put(self.memo.len() as u32)?,
            b'h' | b'j' => {
                let key = self.number(if code == b'h' { 1 } else { 4 })? as u32;
                self.recall(key)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Object::Global(Global::named(&module, &name)?))?;
            }
            0x93 => self.stack_global()?,
            b'R' => self.reduce()?,
            b'b' => self.build()?,
            b'Q' => self.persistent()?,
            _ => {
                return self.broken(format!(
                    "the instruction {code:#04x} is none that tensors need"
                ));
            }
        }
        Ok(true)
    }

    fn object(&self, handle: Handle) -> &Object {
        self.objects.get(handle.0).unwrap_or(&Object::None)
    }
}
