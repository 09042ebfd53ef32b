use falx_core::{ImageId, LabelRow, PatientId, Probability, Silent};

use super::*;
use crate::{Case, EvaluateOptions, Provenance, evaluate};

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
        provenance: Provenance {
            seed: Some(7),
            commands: vec!["falx evaluate RUN".to_owned()],
            other: vec![("A <b>".to_owned(), "& \"c\"".to_owned())],
            ..Provenance::default()
        },
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
        "alt=\"Head CT slice: any, &quot;missed&quot;\"",
        "prefers-color-scheme: dark",
        "@media print",
        "scope=\"row\"",
        "no skill 0.23",
        "A remark.",
        "A &lt;b&gt;",
        "&amp; &quot;c&quot;",
    ] {
        assert!(html.contains(needed), "{needed}");
    }
    for outside in ["http://", "https://", "<script", "<link", "@import", "url("] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert_eq!(html.matches("not a medical device").count(), 1);
    assert!(
        !html.contains("NaN") && !html.contains(">inf"),
        "no broken numbers"
    );
    assert_eq!(html.matches("<svg").count(), html.matches("</svg>").count());
    assert_eq!(
        html.matches(">Training curves: ").count(),
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
    assert_eq!(svg::number(-0.25, 3), "−0.25");
}

/// The values of an attribute, in the page's order.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    html.split(start.as_str())
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

#[test]
fn addresses_inside_the_page_are_unique_and_reached() {
    let html = to_html(&report(0.3));
    let ids = values(&html, "id");
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "an id is given twice: {ids:?}");
    let hrefs = values(&html, "href");
    assert!(hrefs.len() > 8);
    for href in hrefs {
        let target = href.strip_prefix('#').expect("no link leads outside");
        assert!(ids.contains(&target), "{href}");
    }
    for attribute in ["aria-labelledby", "aria-describedby"] {
        for id in values(&html, attribute) {
            assert!(ids.contains(&id), "{attribute}={id}");
        }
    }
}

#[test]
fn every_drawing_says_what_it_shows() {
    let html = to_html(&report(0.3));
    let drawings: Vec<&str> = html.split("<svg").skip(1).collect();
    assert!(drawings.len() > 20);
    for drawing in drawings {
        let tag = drawing.split('>').next().unwrap();
        if tag.contains("aria-hidden=\"true\"") {
            continue;
        }
        assert!(
            tag.contains("role=\"img\"") && tag.contains("aria-labelledby"),
            "{tag}"
        );
        let body = drawing.split("</svg>").next().unwrap();
        for element in ["title", "desc"] {
            let text = body.split(&format!("<{element} ")).nth(1).unwrap();
            let text = text.split('>').nth(1).unwrap().split('<').next().unwrap();
            assert!(text.len() > 4, "{element}: {text}");
        }
    }
    let pictures = html.matches("<img ").count();
    assert_eq!(
        pictures,
        values(&html, "alt")
            .iter()
            .filter(|alt| !alt.is_empty())
            .count()
    );
}

#[test]
fn headings_go_down_one_step_at_a_time() {
    let html = to_html(&report(0.3));
    let levels: Vec<u32> = html
        .match_indices("<h")
        .filter_map(|(i, _)| html[i + 2..].chars().next()?.to_digit(10))
        .collect();
    assert_eq!(levels.iter().filter(|l| **l == 1).count(), 1);
    assert_eq!(levels.first(), Some(&1));
    for pair in levels.windows(2) {
        assert!(pair[1] <= pair[0] + 1, "{levels:?}");
    }
}

/// Elements that hold others are closed in the order in which they were opened.
#[test]
fn tags_are_nested() {
    let html = to_html(&report(0.3));
    let mut open: Vec<&str> = Vec::new();
    let body = html.split_once("</style>").unwrap().1;
    let body = format!("<html><head>{body}");
    for tag in body.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed out of turn");
        } else {
            let name = tag.split([' ', '\n']).next().unwrap();
            if !["img", "meta", "br", "!DOCTYPE"].contains(&name) {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn what_has_no_data_is_absent() {
    let mut bare = report(0.3);
    bare.curves.clear();
    bare.pictures.clear();
    bare.notes.clear();
    bare.provenance = Provenance::default();
    bare.evaluation.study = None;
    bare.evaluation.warnings.clear();
    let html = to_html(&bare);
    for absent in [
        "id=\"studies\"",
        "id=\"training\"",
        "id=\"slices\"",
        "id=\"notes\"",
        "id=\"origin\"",
        "id=\"again\"",
        ">Mind<",
    ] {
        assert!(!html.contains(absent), "{absent}");
    }
    for present in ["id=\"labels\"", "id=\"claim\"", "id=\"methods\""] {
        assert!(html.contains(present), "{present}");
    }
}

/// A page whose evaluation has both classes at every level.
fn skilled() -> Report {
    let mut cases = crate::tests::cohort(40);
    for case in &mut cases {
        if case.study.as_ref().is_some_and(|s| s.ends_with('1')) {
            case.truth.0 = [Some(false); 6];
        }
    }
    let options = EvaluateOptions {
        replicates: 20,
        ..EvaluateOptions::default()
    };
    Report {
        evaluation: evaluate(&cases, &options, &Silent).unwrap(),
        ..report(0.3)
    }
}

#[test]
fn abstention_and_the_work_list_have_sections_that_the_contents_reach() {
    let mut report = skilled();
    let html = to_html(&report);
    for id in ["abstention", "worklist"] {
        assert!(html.contains(&format!("<section id=\"{id}\"")), "{id}");
        assert!(html.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    for said in [
        "Prediction sets over studies.",
        "Prediction sets over slices.",
        "chosen from ",
        "id=\"selective-studies-t\"",
        "As a table: wrong answers against the share kept, slices",
        "Studies with a haemorrhage are read ",
        "Mean wait: theory beside simulation",
        "taken as if they were exact",
        "Prediction sets of any that promise 90\u{a0}% leave ",
    ] {
        assert!(html.contains(said), "{said}");
    }
    report.evaluation.abstention = None;
    report.evaluation.worklist = None;
    let html = to_html(&report);
    for id in ["abstention", "worklist"] {
        assert!(!html.contains(&format!("\"{id}\"")) && !html.contains(&format!("#{id}")));
    }
    assert!(!html.contains("Prediction sets"));
}
