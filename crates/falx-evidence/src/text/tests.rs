use super::{Repertoire, decimal};

#[test]
fn a_line_has_no_separators_and_fits() {
    let line = |text| Repertoire::Ascii.line(text, 8);
    assert_eq!(line(" a\\b\nc\u{e9} "), "a b c?");
    assert_eq!(line("1234567 890"), "1234567");
    assert_eq!(Repertoire::Latin1.line("\u{e9}\u{3b1}", 8), "\u{e9}?");
    assert_eq!(Repertoire::of("ISO_IR 192").line("\u{3b1}", 8), "\u{3b1}");
    assert_eq!(Repertoire::of("\\ISO 2022 IR 87"), Repertoire::Ascii);
}

#[test]
fn a_paragraph_keeps_its_lines() {
    let text = Repertoire::Ascii.paragraph("one\\two\r\nthree\u{7}\n");
    assert_eq!(text, "one\\two\r\nthree");
}

#[test]
fn decimals_have_sixteen_characters_at_most_and_lose_little() {
    let numbers = [
        0.0,
        1.0,
        100.0,
        -125.0,
        1.0 / 3.0,
        -100.0 / 3.0,
        87.654_321_098_765_43,
        5e-324,
        1.234_567_890_123_456_7e300,
        -98_765_432_109_876_543.0,
        -1.234_567_890_123_456_7e-300,
    ];
    for number in numbers {
        let text = decimal(number);
        assert!(text.len() <= 16, "{text}");
        let back: f64 = text.parse().unwrap();
        assert!((back - number).abs() <= 1e-8 * number.abs(), "{text}");
    }
    assert_eq!(decimal(12.5), "12.5");
    assert_eq!(decimal(0.31000000000000005), "0.31");
    assert_eq!(decimal(14.506_816_861_661_234), "14.5068168616612");
    assert_eq!(decimal(123_456_789_012_345.6), "1.23456789012e14");
}
