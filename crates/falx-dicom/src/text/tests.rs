use super::*;

#[test]
fn decimal_strings_are_read_strictly() {
    for (text, number) in [
        ("-1024", -1024.0),
        (" +1.5E+1 ", 15.0),
        (".5", 0.5),
        ("1\0", 1.0),
        ("00040", 40.0),
    ] {
        assert_eq!(decimal(text.as_bytes()), Some(number), "{text}");
    }
    for text in [
        "", " ", "nan", "inf", "1,5", "0x1F", "1 0", "1E", "1e999", "1\\2", "--1",
    ] {
        assert_eq!(decimal(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn values_are_counted_exactly() {
    assert_eq!(decimals(b"1\\ -2 \\3.5"), Some([1.0, -2.0, 3.5]));
    assert_eq!(decimals::<2>(b"1\\2\\3"), None);
    assert_eq!(decimals::<3>(b"1\\2"), None);
    assert_eq!(integer(b" 12 "), Some(12));
    assert_eq!(integer(b"1A"), None);
}

#[test]
fn text_that_is_no_utf8_keeps_its_bytes_apart() {
    assert_eq!(to_text(b" a b \0"), Some("a b".to_owned()));
    assert_eq!(to_text(b" \0"), None);
    assert_ne!(to_text(b"\xE9"), to_text(b"\xE8"));
}
