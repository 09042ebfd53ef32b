use falx_core::{ImageId, LabelRow, PatientId, Probability, Silent};

use super::*;
use crate::{Case, EvaluateOptions, evaluate};

fn report(prediction: f64) -> Report {
    let cases: Vec<Case> = (0..40)
        .map(|i| Case {
            image_id: ImageId(format!("ID_{i:02}")),
            patient: PatientId(format!("P{:02}", i / 2)),
            study: Some(format!("S{:02}", i / 2).into()),
            series: None,
            order: None,
            attributes: None,
            truth: LabelRow(
                [
                    i % 7 == 0,
                    false,
                    i % 5 == 0,
                    i % 3 == 0,
                    i % 4 == 0,
                    i % 2 == 0,
                ]
                .map(Some),
            ),
            prediction: [Probability::new(prediction).unwrap(); 6],
        })
        .collect();
    Report {
        title: "A <title> & more".to_owned(),
        subtitle: "Fold 0".to_owned(),
        facts: vec![("Seed".to_owned(), "7".to_owned())],
        evaluation: evaluate(
            &cases,
            &EvaluateOptions {
                replicates: 20,
                ..EvaluateOptions::default()
            },
            &Silent,
        )
        .unwrap(),
        curves: vec![
            TrainingCurve {
                name: "training loss".to_owned(),
                points: vec![(1.0, 0.5), (2.0, f64::NAN), (3.0, 0.3)],
                baseline: Some(0.23),
            },
            TrainingCurve {
                name: "validation loss".to_owned(),
                points: vec![(1.0, 0.4)],
                baseline: Some(0.23),
            },
            TrainingCurve {
                name: "rate".to_owned(),
                points: Vec::new(),
                baseline: None,
            },
        ],
        pictures: vec![Picture {
            png: vec![1, 2, 3, 4],
            caption: "any, \"missed\"".to_owned(),
            group: "Missed".to_owned(),
        }],
        notes: vec!["A remark.".to_owned()],
    }
}

#[test]
fn the_page_stands_alone() {
    let html = to_html(&report(0.3));
    for needed in [
        "<!DOCTYPE html>",
        "<html lang=\"en\">",
        "A &lt;title&gt; &amp; more",
        "Research use; not a medical device.",
        "data:image/png;base64,AQIDBA==",
        "alt=\"any, &quot;missed&quot;\"",
        "prefers-color-scheme: dark",
        "@media print",
        "scope=\"row\"",
        "no skill 0.23",
        "A remark.",
    ] {
        assert!(html.contains(needed), "{needed}");
    }
    for outside in ["http://", "https://", "<script", "<link", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(
        !html.contains("NaN") && !html.contains(">inf"),
        "no broken numbers"
    );
    assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
    assert_eq!(
        html.matches("class=\"chart\"").count(),
        2,
        "the two losses share a chart"
    );
}

#[test]
fn worse_than_no_skill_is_marked_in_the_picture() {
    let html = to_html(&report(0.99));
    assert!(html.contains("class=\"verdict bad\""));
    assert!(html.contains("WORSE THAN NO SKILL"));
    assert!(html.contains("class=\"mark bad\""));
    assert!(!to_html(&report(0.3)).contains("class=\"verdict good\""));
}

#[test]
fn the_page_is_written_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    let report = report(0.3);
    write_html(&report, &path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), to_html(&report));
    let error = write_html(&report, &folder.path().join("none/report.html")).unwrap_err();
    assert!(error.to_string().contains("report.html"));
}

#[test]
fn base_64_agrees_with_the_standards_examples() {
    // RFC 4648, section 10.
    for (plain, coded) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ] {
        assert_eq!(
            data_uri::png(plain.as_bytes()),
            format!("data:image/png;base64,{coded}")
        );
    }
}

#[test]
fn ticks_are_round_and_few() {
    assert_eq!(
        svg::ticks((0.0, 1.0)),
        [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]
    );
    assert_eq!(svg::ticks((1.0, 20.0)), [5.0, 10.0, 15.0, 20.0]);
    assert_eq!(svg::ticks((3.0, 3.0)), [3.0]);
    assert_eq!(svg::number(0.00075, 3), "0.00075");
    assert_eq!(svg::number(1200.0, 3), "1200");
    assert_eq!(svg::number(0.6000000000000001, 3), "0.6");
}
