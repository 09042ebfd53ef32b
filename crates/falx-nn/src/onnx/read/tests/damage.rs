//! Damaged files: no panic, whatever byte is wrong and wherever the file ends.

use prost::Message;

use super::file;
use crate::onnx::read::*;

/// A small file with shape arithmetic, every byte of which is turned over.
fn small() -> Vec<u8> {
    super::arithmetic().encode_to_vec()
}

fn take(bytes: &[u8]) {
    // Whatever comes out has gone through every check of the graph.
    if let Ok(imported) = read_bytes(bytes, &ReadOptions::default()) {
        for spec in imported.graph.parameters() {
            let tensor = imported.parameters.get(&spec.name).unwrap();
            assert_eq!(tensor.shape, spec.shape);
            assert!(tensor.data.iter().all(|x| x.is_finite()));
        }
    }
}

#[test]
fn every_byte_of_a_file_may_be_wrong() {
    for bytes in [file().encode_to_vec(), small()] {
        take(&bytes);
        for at in 0..bytes.len() {
            for change in [1_u8, 2, 8, 64, 128, 255] {
                let mut damaged = bytes.clone();
                damaged[at] ^= change;
                take(&damaged);
            }
        }
    }
}

#[test]
fn a_file_may_end_anywhere() {
    for bytes in [file().encode_to_vec(), small()] {
        for end in 0..bytes.len() {
            take(&bytes[..end]);
        }
    }
}

#[test]
fn more_nodes_than_any_network_has_are_not_decoded() {
    let mut bytes = vec![0x08, 8, 0x3A];
    // A graph of empty nodes, two bytes each, which would take hundreds each once decoded.
    let nodes = [0x0A, 0].repeat(1 << 20);
    prost::encoding::encode_varint(nodes.len() as u64, &mut bytes);
    bytes.extend(nodes);
    let error = read_bytes(&bytes, &ReadOptions::default()).unwrap_err();
    assert!(matches!(error, ReadError::TooMany { what: "nodes", .. }));
}

#[test]
fn several_wrong_bytes_are_no_worse() {
    let mut stream = crate::reference::Stream::new("damage");
    for _ in 0..2000 {
        let mut bytes = small();
        for _ in 0..=stream.next() % 12 {
            let at = stream.next() as usize % bytes.len();
            bytes[at] = stream.next() as u8;
        }
        take(&bytes);
    }
}
