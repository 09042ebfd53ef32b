//! Pickles that no `torch.save` writes.

use crate::weights::{FormatError, parse};

/// A file of before PyTorch 1.6 around the pickle `body`, with one storage `0` of two floats.
fn legacy(body: &[u8]) -> Vec<u8> {
    let mut file =
        b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}."
            .to_vec();
    file.extend(body);
    file.extend(b"\x80\x02]X\x01\x00\x00\x000a.");
    file.extend(2u64.to_le_bytes());
    file.extend([1.0f32, 2.0].iter().flat_map(|x| x.to_le_bytes()));
    file
}

/// A dictionary with one tensor `a` of the given offset, shape and strides (small whole numbers).
fn tensor(offset: u8, shape: &[u8], strides: &[u8]) -> Vec<u8> {
    let mut body = b"\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n(".to_vec();
    body.extend(b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02NtQ");
    body.extend([b'K', offset]);
    for lengths in [shape, strides] {
        body.push(b'(');
        body.extend(lengths.iter().flat_map(|&n| [b'K', n]));
        body.push(b't');
    }
    body.extend(b"\x89}tRs.");
    body
}

fn message(body: &[u8]) -> String {
    parse(&legacy(body)).unwrap_err().to_string()
}

#[test]
fn the_honest_one_is_read() {
    let named = parse(&legacy(&tensor(0, &[2], &[1]))).unwrap();
    assert_eq!(named.tensors[0].0, "a");
    assert_eq!(named.tensors[0].1.data, [1.0, 2.0]);
}

#[test]
fn tensors_beyond_their_storage_are_refused() {
    for (offset, shape, strides) in [
        (1, &[2][..], &[1][..]),
        (0, &[2], &[2]),
        (0, &[200, 200], &[0, 0]),
        (0, &[2, 1], &[1]),
        (200, &[1], &[1]),
    ] {
        let message = message(&tensor(offset, shape, strides));
        assert!(
            message.contains("`a`") || message.contains("strides"),
            "{message}"
        );
    }
}

#[test]
fn nothing_but_tensors_can_be_named() {
    for (name, code) in [
        (
            "os.system",
            &b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R."[..],
        ),
        (
            "builtins.eval",
            b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.",
        ),
        (
            "posix.system",
            b"\x80\x02}X\x01\x00\x00\x00acposix\nsystem\ns.",
        ),
        ("torch.load", b"\x80\x02ctorch\nload\n."),
    ] {
        match parse(&legacy(code)) {
            Err(FormatError::ForbiddenGlobal(found)) => assert_eq!(found, name),
            other => panic!("{name}: {other:?}"),
        }
    }
    // INST, OBJ, NEWOBJ and the extension registry are instructions for objects; there are none here.
    for code in [b'i', b'o', 0x81, 0x92, 0x82, 0x83, 0x84, 0x97, 0x98] {
        let message = message(&[0x80, 2, b'(', b'N', code, b'.']);
        assert!(message.contains(&format!("{code:#04x}")), "{message}");
    }
}

#[test]
fn broken_pickles_say_where() {
    for body in [
        &b"\x80\x02."[..],
        b"\x80\x02e.",
        b"\x80\x02(0.",
        b"\x80\x02}(K\x01u.",
        b"\x80\x02K\x01K\x02s.",
        b"\x80\x02h\x07.",
        b"\x80\x02X\xff\xff\xff\xffabc.",
        b"\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc.",
        b"\x80\x02K\x01)R.",
        b"\x80\x02X\x01\x00\x00\x00aQ.",
    ] {
        let message = message(body);
        assert!(message.contains("broken at byte"), "{body:?}: {message}");
    }
    assert!(message(b"\x80\x02K\x01.").contains("a whole number"));
}

/// Dictionaries that contain each other, and themselves: 2^40 names from 200 bytes, or names without an end.
#[test]
fn dictionaries_that_multiply_come_to_an_end() {
    let mut nested = b"\x80\x02}q\x00".to_vec();
    for level in 0..40u8 {
        nested.extend(b"}X\x01\x00\x00\x00ah");
        nested.push(level);
        nested.extend(b"sX\x01\x00\x00\x00bh");
        nested.push(level);
        nested.extend(b"sq");
        nested.push(level + 1);
    }
    nested.push(b'.');
    assert!(message(&nested).contains("too often"));
    assert!(message(b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.").contains("too often"));
}

/// One list of pairs made a dictionary thousands of times would fill any memory.
#[test]
fn copies_have_a_bound() {
    let mut body = b"\x80\x02]q\x00(".to_vec();
    for _ in 0..1000 {
        body.extend(b"K\x01K\x02\x86");
    }
    body.push(b'e');
    for _ in 0..1000 {
        body.extend(b"ccollections\nOrderedDict\nh\x00\x85R");
    }
    body.push(b'.');
    assert!(message(&body).contains("copies more"), "{}", message(&body));
}
