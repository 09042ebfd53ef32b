use std::path::PathBuf;

use super::GivenSplit;
use crate::index::Index;
use crate::split::{SplitError, is_split_file, split};
use crate::synthetic::{index, row};

fn csv(text: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("folds.csv");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn folds(text: &str) -> Result<Vec<(String, i32)>, SplitError> {
    let (_folder, path) = csv(text);
    let given = GivenSplit::read(&path)?;
    Ok(given
        .rows
        .into_iter()
        .map(|(id, fold)| (id.0, fold))
        .collect())
}

fn four() -> Index {
    index(
        ["a", "b", "c", "d"]
            .into_iter()
            .zip(["P", "P", "Q", "R"])
            .map(|(id, patient)| row(id, Some(patient), id, [0, 0, 0, 0, 1, 1]))
            .collect(),
    )
}

#[test]
fn csvs_are_read_as_people_write_them() {
    let expected = |pairs: &[(&str, i32)]| -> Vec<(String, i32)> {
        pairs
            .iter()
            .map(|&(id, fold)| (id.to_owned(), fold))
            .collect()
    };
    // A BOM, CRLF, quotes, spaces, wrong case, columns that mean nothing, pandas' floats, a repeated row.
    let text = "\u{feff}\"age\", Image_ID ,FOLD,\r\n51,\"b\",1.0,\r\n7, a ,0.0,x\r\n7,a,0,\r\n";
    assert_eq!(folds(text).unwrap(), expected(&[("a", 0), ("b", 1)]));
    let names = "ID,split\na,Train\nb,VAL\nc,test\n";
    assert_eq!(
        folds(names).unwrap(),
        expected(&[("a", 1), ("b", 0), ("c", -1)])
    );
    // Folds counted from 1.
    let ones = "id,fold\na,1\nb,2\nc,10\nd,-1\n";
    assert_eq!(
        folds(ones).unwrap(),
        expected(&[("a", 0), ("b", 1), ("c", 2), ("d", -1)])
    );
    // Rows that contradict each other are both kept, for the audit to find.
    let twice = "id,fold\na,0\na,1\n";
    assert_eq!(folds(twice).unwrap(), expected(&[("a", 0), ("a", 1)]));
}

#[test]
fn bad_csvs_are_named_with_their_lines() {
    for (text, words) in [
        (
            "image,fold\na,0\n",
            "no column image_id; found: image, fold",
        ),
        ("image_id,part\na,0\n", "no column fold"),
        ("", "no column image_id"),
        ("image_id,fold\n", "no rows"),
        ("image_id,fold\na,0\nb\n", "line 3: it has no fold"),
        (
            "image_id,fold\na,0\nb,\n,1\n",
            "2 bad rows: line 3: it has no fold; line 4: it has no id",
        ),
        ("image_id,fold\na,-2\n", "line 2: fold -2 is below -1"),
        (
            "image_id,fold\na,0.5\n",
            "line 2: fold 0.5 is no whole number",
        ),
    ] {
        let message = folds(text).unwrap_err().to_string();
        assert!(
            message.contains(words) && message.contains("folds.csv"),
            "{message}"
        );
    }
    let lines = (0..1000).map(|number| format!("id{number},{number}\n"));
    let many = format!("image_id,fold\n{}", lines.collect::<String>());
    assert!(
        folds(&many)
            .unwrap_err()
            .to_string()
            .contains("more than 100 folds")
    );
    let (_folder, path) = csv(b"image_id,fold\n\xff\xfe,0\n");
    let message = GivenSplit::read(&path).unwrap_err().to_string();
    assert!(message.contains("line 2: its id is no text"), "{message}");
    let missing = GivenSplit::read(path.with_file_name("none.csv")).unwrap_err();
    assert!(missing.to_string().contains("none.csv"));
}

#[test]
fn a_csv_becomes_a_split_unless_it_leaks_or_is_of_something_else() {
    let index = four();
    let given = |text: &str| {
        let (_folder, path) = csv(text);
        GivenSplit::read(&path).unwrap().for_index(&index)
    };
    let good = given("image_id,fold\na,val\nb,val\nc,train\nd,test\nstranger,train\n").unwrap();
    let audit = good.audit(&index);
    assert!(!audit.leaks() && !audit.fits());
    assert_eq!(audit.not_in_index.count, 1);
    let locked = good.locked_to(&index).unwrap();
    assert!(locked.audit(&index).fits());
    locked.check_leaks(&index).unwrap();
    assert_eq!(locked.options.folds, 2);
    assert_eq!(locked.rows[0].patient.as_str(), "P");

    let leak = given("image_id,fold\na,0\nb,1\nc,1\nd,1\n").unwrap();
    assert!(matches!(
        leak.locked_to(&index),
        Err(SplitError::Leak { count: 1 })
    ));
    let contradiction = given("image_id,fold\na,0\nb,0\nc,1\nc,0\nd,1\n").unwrap();
    assert!(matches!(
        contradiction.locked_to(&index),
        Err(SplitError::Leak { count: 1 })
    ));
    let one = given("image_id,fold\na,train\nb,train\nc,train\nd,test\n").unwrap();
    assert!(matches!(
        one.locked_to(&index),
        Err(SplitError::OneFold { folds: 1 })
    ));
    let strangers = given("image_id,fold\nx,0\ny,1\n").unwrap_err();
    assert!(
        matches!(&strangers, SplitError::Strangers { rows: 2, .. }),
        "{strangers}"
    );
}

#[test]
fn a_split_file_is_told_from_a_csv() {
    let (_folder, path) = csv("image_id,fold\n");
    assert!(!is_split_file(&path).unwrap());
    let options = crate::split::SplitOptions {
        folds: 2,
        test_fraction: 0.0,
        seed: 0,
    };
    split(&four(), &options).unwrap().write(&path).unwrap();
    assert!(is_split_file(&path).unwrap());
    assert!(is_split_file(path.with_file_name("none")).is_err());
}
