//! The display windows, against values computed from the standard's own formulas.

use falx_dicom::voi::{VoiFunction, VoiWindow};
use serde_json::Value;

fn window(case: &Value) -> Result<VoiWindow, falx_dicom::voi::InvalidVoiWindow> {
    // The set writes a width that is no number as the text "NaN".
    let number = |key: &str| case[key].as_f64().unwrap_or(f64::NAN);
    let function: VoiFunction = case["function"].as_str().unwrap().parse().unwrap();
    VoiWindow::new(number("center"), number("width"), function)
}

#[test]
fn every_window_gives_the_standards_grey_values() {
    let Some(path) = falx_fixtures::shared("conformance/windows.json") else {
        return;
    };
    let set: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let tolerance = set["y_tolerance"].as_f64().unwrap();
    let mut points = 0;
    for case in set["cases"].as_array().unwrap() {
        let window = window(case).unwrap();
        for point in case["points"].as_array().unwrap() {
            let hu = point["hu"].as_f64().unwrap();
            let want = point["y"].as_f64().unwrap();
            let got = window.output(hu);
            assert!(
                (got - want).abs() <= tolerance,
                "{window:?} at {hu}: {got}, expected {want}"
            );
            assert_eq!(
                u64::from(window.output_u8(hu)),
                point["u8"],
                "{window:?} at {hu}"
            );
            points += 1;
        }
    }
    let invalid = set["invalid"].as_array().unwrap();
    for case in invalid {
        assert!(window(case).is_err(), "{case} is unusable");
    }
    assert!(points > 100 && invalid.len() > 5, "the set is not empty");
}
