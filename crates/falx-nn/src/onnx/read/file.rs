//! From bytes to ONNX's messages, with no more memory than the file's own size accounts for.

use std::collections::BTreeMap;
use std::path::Path;

use prost::Message;
use prost::bytes::Bytes;
use prost::encoding::{WireType, decode_key, decode_varint};

use super::error::ReadError;
use crate::onnx::message::Model;

/// What a file may hold of each; the largest networks have some thousands.
const MOST_NODES: usize = 1 << 14;
const MOST_TENSORS: usize = 1 << 16;
const MOST_ATTRIBUTES: usize = 1 << 18;
/// A dimension, an external datum, a name: anything small.
const MOST_PARTS: usize = 1 << 20;

/// The model in `bytes`.
pub fn model(bytes: Bytes) -> Result<Model, ReadError> {
    if bytes.is_empty() {
        return Err(ReadError::NotOnnx("it is empty".to_owned()));
    }
    let mut counts = Counts::default();
    counts.message(&bytes, Kind::Model, 0)?;
    let model = Model::decode(bytes).map_err(|error| ReadError::NotOnnx(error.to_string()))?;
    if model.graph.is_none() {
        return Err(ReadError::NotOnnx("it has no graph".to_owned()));
    }
    Ok(model)
}

/// The file's bytes.
pub fn bytes(path: &Path) -> Result<Bytes, ReadError> {
    let read = std::fs::read(path).map_err(|source| ReadError::Open {
        path: path.to_owned(),
        source,
    })?;
    Ok(read.into())
}

/// The messages that are looked through before they are decoded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Part,
}

/// How many messages of each kind a file holds: each takes a few hundred bytes once it is decoded, but
/// may take only two in the file.
#[derive(Default)]
struct Counts(BTreeMap<Kind, usize>);

impl Counts {
    fn message(&mut self, mut bytes: &[u8], kind: Kind, depth: usize) -> Result<(), ReadError> {
        let broken = |what: &str| ReadError::NotOnnx(what.to_owned());
        if depth > 8 {
            return Err(broken("its messages lie in each other without end"));
        }
        let whole = bytes;
        while !bytes.is_empty() {
            let (tag, wire) = decode_key(&mut bytes).map_err(|error| broken(&error.to_string()))?;
            let length = match wire {
                WireType::Varint => {
                    decode_varint(&mut bytes).map_err(|error| broken(&error.to_string()))?;
                    continue;
                }
                WireType::ThirtyTwoBit => 4,
                WireType::SixtyFourBit => 8,
                WireType::LengthDelimited => {
                    decode_varint(&mut bytes).map_err(|error| broken(&error.to_string()))?
                }
                _ => return Err(broken("it has fields of a form that ONNX does not use")),
            };
            let held = usize::try_from(length)
                .ok()
                .and_then(|length| bytes.split_at_checked(length));
            let Some((held, rest)) = held else {
                let missing = length - bytes.len() as u64;
                // A model begins with its version; other files only look like a long field.
                return Err(if kind == Kind::Model && whole.first() != Some(&0x08) {
                    broken("its first bytes are not those of one")
                } else {
                    ReadError::Truncated { missing }
                });
            };
            bytes = rest;
            if let (WireType::LengthDelimited, Some(part)) = (wire, part(kind, tag)) {
                self.add(part)?;
                self.message_if_any(held, part, depth)?;
            }
        }
        Ok(())
    }

    fn message_if_any(&mut self, held: &[u8], part: Kind, depth: usize) -> Result<(), ReadError> {
        match part {
            Kind::Part => Ok(()),
            _ => self.message(held, part, depth + 1),
        }
    }

    fn add(&mut self, part: Kind) -> Result<(), ReadError> {
        let (what, most) = match part {
            Kind::Model | Kind::Graph => ("graphs", 1 << 4),
            Kind::Node => ("nodes", MOST_NODES),
            Kind::Tensor => ("tensors", MOST_TENSORS),
            Kind::Attribute => ("attributes", MOST_ATTRIBUTES),
            Kind::Part => ("names and shapes", MOST_PARTS),
        };
        let count = self.0.entry(part).or_default();
        *count += 1;
        if *count > most {
            return Err(ReadError::TooMany { what, most });
        }
        Ok(())
    }
}

/// What the field `tag` of a message of `kind` holds, where it is a message or a name that we decode.
fn part(kind: Kind, tag: u32) -> Option<Kind> {
    match (kind, tag) {
        (Kind::Model, 7) => Some(Kind::Graph),
        (Kind::Graph, 1) => Some(Kind::Node),
        (Kind::Graph, 5 | 15) | (Kind::Attribute, 5) => Some(Kind::Tensor),
        (Kind::Node, 5) => Some(Kind::Attribute),
        (Kind::Model, 8 | 25)
        | (Kind::Graph, 11 | 12)
        | (Kind::Node, 1 | 2)
        | (Kind::Attribute, 11)
        | (Kind::Tensor, 13) => Some(Kind::Part),
        _ => None,
    }
}
