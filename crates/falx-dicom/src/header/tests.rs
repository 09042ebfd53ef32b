use super::years;

#[test]
fn ages_are_years_whatever_their_unit() {
    for (age, expected) in [
        ("067Y", Some(67.0)),
        ("018M", Some(1.5)),
        ("000D", Some(0.0)),
        ("42", Some(42.0)),
        ("", None),
        ("Y", None),
        ("-07Y", None),
        ("999Y", None),
        ("sixtyY", None),
        ("67é", None),
    ] {
        assert_eq!(years(age), expected, "{age}");
    }
    assert!((years("052W").unwrap() - 364.0 / 365.25).abs() < 1e-12);
}
