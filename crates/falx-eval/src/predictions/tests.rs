//! Anybody's predictions: other forms are understood and said, faults are named, counted and never dropped.

use std::fmt::Write as _;

use falx_core::Probability;
use proptest::prelude::*;

use super::*;

const HEADER: &str =
    "image_id,epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any\n";

fn understood(text: &str, scale: Scale) -> Predictions {
    read_from(text.as_bytes(), Path::new("p.csv"), scale).unwrap_or_else(|e| panic!("{e}"))
}

fn refused(text: impl AsRef<[u8]>) -> String {
    read_from(text.as_ref(), Path::new("p.csv"), Scale::Probabilities)
        .unwrap_err()
        .to_string()
}

fn values(predictions: &Predictions) -> Vec<(&str, [f64; 6])> {
    let rows = predictions.rows.iter();
    rows.map(|r| (r.image_id.as_str(), r.probabilities.map(Probability::get)))
        .collect()
}

/// Twelve slices whose values a function makes of slice and label.
fn table(value: impl Fn(usize, usize) -> f64) -> String {
    let mut text = HEADER.to_owned();
    for slice in 0..12 {
        let _ = write!(text, "s{slice}");
        for label in 0..6 {
            let _ = write!(text, ",{}", value(slice, label));
        }
        text.push('\n');
    }
    text
}

#[test]
fn other_forms_of_the_same_table_are_understood_and_said() {
    let want = [
        ("ID_a", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
        ("ID_b", [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
    ];
    let labels = "epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any";
    let comma = format!("{HEADER}ID_a,.1,.2,.3,.4,.5,.6\nID_b,0,0,0,0,0,1\n");
    let mut long = "\u{FEFF}ID,Label\r\n".to_owned();
    for (image, row) in want {
        for (label, x) in LABELS.iter().zip(row).rev() {
            let _ = write!(long, "{image}_{label},{x}\r\n");
        }
    }
    let european = |separator: &str| {
        let header = labels.replace(',', separator);
        let row = |id: &str, x: &str| format!("{id} {x}\n").replace(' ', separator);
        format!("ID{separator}{header}\n")
            + &row("\"ID_a\"", "0,1 0,2 0,3 0,4 0,5 0,6")
            + &row("ID_b", "0 0 0 0 0 1")
    };
    for (text, notes) in [
        (comma.clone(), 0),
        (format!("\u{FEFF}{}", comma.replace('\n', "\r\n")), 0),
        (format!("{}\n\n", comma.replace("ID_a,", "\"ID_a\",")), 0),
        (comma.replace("image_id", "sop_uid"), 1),
        (
            comma
                .replace("image_id", "image")
                .replace("ID_a,", "ID_a.dcm,"),
            2,
        ),
        (
            comma
                .to_uppercase()
                .replace("IMAGE_ID", "Image_ID")
                .replace("ID_A", "ID_a")
                .replace("ID_B", "ID_b"),
            0,
        ),
        (european(";"), 3),
        (european("\t"), 3),
        (long.clone(), 1),
        (long.replace(',', ";"), 2),
        (long.replace("ID,Label", "id,label"), 1),
    ] {
        let read = understood(&text, Scale::Probabilities);
        assert_eq!(values(&read), want, "{text}");
        assert_eq!(read.notes.len(), notes, "{:?} of {text}", read.notes);
    }
}

#[test]
fn logits_and_percentages_are_recognised_and_read_when_asked_for() {
    let logit = |slice: usize, label: usize| -6.0 + slice as f64 * 0.75 + label as f64 * 0.2;
    let text = table(logit);
    assert_eq!(
        refused(&text),
        "p.csv: the values look like logits (46 below 0, 16 above 1, of 72): apply the sigmoid, or pass --logits"
    );
    let read = understood(&text, Scale::Logits);
    for (slice, row) in read.rows.iter().enumerate() {
        for (label, p) in row.probabilities.iter().enumerate() {
            let expected = 1.0 / (1.0 + (-logit(slice, label)).exp());
            assert!((p.get() - expected).abs() < 1e-15);
        }
    }
    assert!(read.notes[0].contains("sigmoid"));

    let percent = table(|slice, label| (slice * 6 + label) as f64 * 1.25);
    assert_eq!(
        refused(&percent),
        "p.csv: the values look like percentages (71 above 1, of 72; the highest is 88.75); add --percentages to divide each by 100"
    );
    let read = understood(&percent, Scale::Percentages);
    assert_eq!(read.rows[11].probabilities[5].get(), 0.8875);
    // Neither a stray nor a rounding error makes logits of probabilities.
    let stray = table(|slice, label| if slice + label == 0 { -3.0 } else { 0.25 });
    assert!(
        refused(&stray).contains("line 2 has -3 as epidural"),
        "{}",
        refused(&stray)
    );
    let rounding = table(|slice, _| if slice < 6 { -1e-9 } else { 0.25 });
    assert!(
        refused(&rounding).contains("(the first of 36)"),
        "{}",
        refused(&rounding)
    );
}

#[test]
fn every_fault_is_named_with_its_line_and_counted() {
    let good = "x,.1,.1,.1,.1,.1,.1\n";
    let of = |rows: &str| format!("{HEADER}{rows}");
    let kaggle = |rows: &str| format!("ID,Label\n{rows}");
    let twice = "ID_854fba667,.1,.1,.1,.1,.1,.1\nID_854fba667,.2,.1,.1,.1,.1,.1\n";
    let texts = [
        String::new(),
        HEADER.to_owned(),
        "This is a letter, not a table.\nIt goes on.\n".to_owned(),
        "image_id,any\nx,.5\n".to_owned(),
        HEADER.replace("image_id", "case") + good,
        of("x,NaN,.1,.1,.1,.1,.1\ny,,,,,,\n"),
        of("x,.1,.1,inf,.1,.1,.1\n"),
        of("x,high,.1,.1,.1,.1,.1\n"),
        of("x,.1,.1,.1,.1,.1,1.5\n"),
        of("x,.1,.1\ny,.1\n"),
        of("x,0,1,0,1,0,1,0,1,0,1,0,1\n"),
        of(&format!("{good}y,.1,.1,.1,.1,.1,.1\n{good}{good}")),
        of(twice),
        of(",.1,.1,.1,.1,.1,.1\n ,.1,.1,.1,.1,.1,.1\n"),
        kaggle(""),
        kaggle("x_any,.5\n"),
        kaggle("x_any,.5\nx_any,.5\n"),
        kaggle("x_ever,.5\nx,.5\n"),
        kaggle("x_any,NaN\nx_epidural,\n"),
        "image_id;any\0".to_owned(),
        "PAR1 and so on".to_owned(),
    ];
    let messages: Vec<String> = texts.iter().map(refused).collect();
    insta::assert_snapshot!(messages.join("\n"));
    assert!(refused(b"\xFF\xFEi\0m\0").contains("UTF-16"));
    assert!(refused([HEADER.as_bytes(), b"x,\xFF,0,0,0,0,0\n"].concat()).contains("line 2"));
}

#[test]
fn known_duplicates_with_the_same_values_count_once_and_it_is_said() {
    let row = "ID_a64d5deed,.1,.1,.1,.1,.1,.1\n";
    let read = understood(
        &format!("{HEADER}{row}x,0,0,0,0,0,0\n{row}"),
        Scale::Probabilities,
    );
    assert_eq!(read.rows.len(), 2);
    assert_eq!(read.rows[1].image_id.as_str(), "x");
    assert!(read.notes[0].contains("twice"), "{:?}", read.notes);
    let mut long = "ID,Label\n".to_owned();
    for _ in 0..2 {
        for label in LABELS {
            let _ = writeln!(long, "ID_a64d5deed_{label},0.1");
        }
    }
    let read = understood(&long, Scale::Probabilities);
    assert_eq!((read.rows.len(), read.notes.len()), (1, 2));
}

proptest! {
    #[test]
    fn no_bytes_trip_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for scale in [Scale::Probabilities, Scale::Logits, Scale::Percentages] {
            prop_assert!(read_from(bytes.as_slice(), Path::new("p"), scale).is_err());
        }
    }

    #[test]
    fn no_damage_trips_the_reader(
        long in any::<bool>(),
        at in 0..400_usize,
        byte in any::<u8>(),
        cut in 0..300_usize,
    ) {
        let mut bytes = if long {
            let rows: Vec<String> = LABELS.iter().map(|l| format!("x_y_{l},0.25\n")).collect();
            format!("ID,Label\n{}", rows.concat()).into_bytes()
        } else {
            table(|slice, _| slice as f64 / 12.0).into_bytes()
        };
        if let Some(b) = bytes.get_mut(at) {
            *b = byte;
        }
        bytes.truncate(bytes.len().saturating_sub(cut));
        if let Ok(read) = read_from(bytes.as_slice(), Path::new("p"), Scale::Probabilities) {
            prop_assert!(!read.rows.is_empty());
        }
    }
}

#[test]
fn a_table_of_studies_is_known_by_its_column() {
    for column in ["study_uid", "StudyInstanceUID", "study"] {
        let text = HEADER.replace("image_id", column) + "1.2.3,.1,.1,.1,.1,.1,.1\n";
        let read = understood(&text, Scale::Probabilities);
        assert_eq!((read.of, read.rows.len()), (UnitOfAnalysis::Study, 1));
        assert_eq!(
            read.notes,
            [format!(
                "The studies' ids were read from the column `{column}`."
            )]
        );
    }
    let both = HEADER.replace("any\n", "any,study_uid\n") + "ID_a,.1,.1,.1,.1,.1,.1,1.2.3\n";
    assert_eq!(
        understood(&both, Scale::Probabilities).of,
        UnitOfAnalysis::Slice
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.csv");
    std::fs::write(
        &path,
        HEADER.replace("image_id", "study_uid") + "1.2,0,0,0,0,0,0\n",
    )
    .unwrap();
    let refused = read_csv(&path).unwrap_err().to_string();
    assert!(refused.contains("its rows are studies"), "{refused}");
}
