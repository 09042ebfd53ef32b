use falx_core::{Interrupt, Silent};
use falx_data::index::{IndexOptions, build};

use super::{millilitres, share, sizes};

#[test]
fn ranges_begin_with_their_lower_end() {
    for (ml, words) in [
        (0.99, "under 1 ml"),
        (1.0, "1 to 5 ml"),
        (30.0, "30 ml and over"),
    ] {
        assert_eq!(millilitres(ml), words);
    }
    assert_eq!(share(0.001), "0.1 to 0.5 % of the picture");
    assert_eq!(share(0.02), "2 % of the picture and over");
}

#[test]
fn the_real_masks_have_a_size_where_they_show_something() {
    let Some(sample) = falx_fixtures::shared("data/ct-ich-sample") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let options = IndexOptions {
        sources: vec![sample],
        out: folder.path().join("i.parquet"),
        ..IndexOptions::default()
    };
    build(&options, &Silent, &Interrupt::default()).unwrap();
    let index = falx_data::index::Index::read(&options.out).unwrap();
    let found = sizes(index.rows.iter());
    let masked = index.rows.iter().filter(|row| row.mask.is_some()).count();
    // These masks are of slices with a haemorrhage alone, and pictures have no scale.
    assert_eq!((found.len(), masked), (21, 21));
    assert!(
        found
            .values()
            .all(|words| words.ends_with("of the picture") || words.ends_with("over"))
    );
    let mut distinct: Vec<&String> = found.values().collect();
    distinct.sort();
    distinct.dedup();
    assert!(distinct.len() > 1, "{distinct:?}");
}
