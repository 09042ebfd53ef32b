use super::record::{frame, masked, records};
use super::*;

/// Two records as TensorBoard's own `RecordWriter` (2.21.0) writes them: `falx`, `intracranial haemorrhage`.
const THEIRS: &str = "04000000000000004245520466616c78dca118841800000000000000a37f4b22\
                      696e7472616372616e69616c206861656d6f72726861676591b261bb";

#[test]
fn records_are_framed_and_summed_as_tensorboard_does_it() {
    // RFC 3720, B.4: 32 bytes of 0, of 255, and ascending.
    for (bytes, sum) in [
        (vec![0_u8; 32], 0x8a91_36aa_u32),
        (vec![255; 32], 0x62a8_ab43),
        ((0..32).collect(), 0x46dd_794e),
    ] {
        let undone = masked(&bytes).wrapping_sub(0xa282_ead8).rotate_left(15);
        assert_eq!(undone, sum);
    }
    let words = [b"falx".as_slice(), b"intracranial haemorrhage"];
    let mut framed = Vec::new();
    for word in words {
        frame(word, &mut framed);
    }
    let digit = |at: usize| char::from(THEIRS.as_bytes()[at]).to_digit(16).unwrap() as u8;
    let places = (0..THEIRS.len()).step_by(2);
    let theirs: Vec<u8> = places.map(|at| 16 * digit(at) + digit(at + 1)).collect();
    assert_eq!(framed, theirs);
    let read: Vec<&[u8]> = records(&framed).collect();
    assert_eq!(read, words);
}

#[test]
fn a_record_that_is_cut_off_or_damaged_ends_the_file() {
    let mut framed = Vec::new();
    for words in [b"one", b"two", b"ten"] {
        frame(words, &mut framed);
    }
    assert_eq!(records(&framed).count(), 3);
    for cut in 0..framed.len() {
        assert_eq!(records(&framed[..cut]).count(), cut / 19, "cut at {cut}");
    }
    for at in 0..framed.len() {
        let mut damaged = framed.clone();
        damaged[at] ^= 1;
        assert_eq!(records(&damaged).count(), at / 19, "at {at}");
    }
    // A length that no memory holds.
    let length = u64::MAX.to_le_bytes();
    let mut huge = length.to_vec();
    huge.extend(masked(&length).to_le_bytes());
    assert_eq!(records(&huge).count(), 0);
}

#[test]
fn steps_that_are_taken_again_are_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::begin(folder.path(), 1).unwrap();
    for step in 1..=10 {
        writer
            .scalars(step, &[("a", step as f64), ("b", 0.5)])
            .unwrap();
    }
    writer.text(0, "recipe", "seed = 1").unwrap();
    drop(writer);
    // The last record of a killed run is cut off.
    let first = files(folder.path()).unwrap().remove(0);
    let bytes = std::fs::read(&first).unwrap();
    std::fs::write(&first, &bytes[..bytes.len() - 5]).unwrap();
    let mut writer = EventWriter::begin(folder.path(), 7).unwrap();
    for step in 7..=8 {
        writer.scalars(step, &[("a", 100.0 + step as f64)]).unwrap();
    }
    writer.flush().unwrap();
    assert_ne!(writer.path(), first);
    let told = read_scalars(folder.path()).unwrap();
    let a: Vec<f32> = told
        .iter()
        .filter(|told| told.tag == "a")
        .map(|told| told.value)
        .collect();
    assert_eq!(a, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 107.0, 108.0]);
    assert_eq!(told.iter().filter(|told| told.tag == "b").count(), 6);
}

#[test]
fn files_of_one_second_follow_each_other_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let later = folder.path().join(format!("{PREFIX}9999999990.falx"));
    std::fs::write(&later, []).unwrap();
    std::fs::write(folder.path().join("other"), []).unwrap();
    for _ in 0..3 {
        drop(EventWriter::begin(folder.path(), 1).unwrap());
    }
    let names = files(folder.path()).unwrap();
    assert_eq!(names.len(), 4);
    assert_eq!(names[0], later);
    assert!(names[3].ends_with(format!("{PREFIX}9999999993.falx")));
    assert!(
        read_scalars(&folder.path().join("none"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn settings_have_dotted_names() {
    let table: toml::Table =
        toml::from_str("seed = 3\n[a]\nb = 0.5\nc = [1, 2]\n[a.d]\ne = true\nf = \"x\"").unwrap();
    let mut flat = BTreeMap::new();
    flatten("", &table, &mut flat);
    let names: Vec<&str> = flat.keys().map(String::as_str).collect();
    assert_eq!(names, ["a.b", "a.c", "a.d.e", "a.d.f", "seed"]);
    assert_eq!(flat["a.c"].kind, Some(Kind::Words("[1, 2]".to_owned())));
    assert_eq!(flat["seed"].kind, Some(Kind::Number(3.0)));
}
