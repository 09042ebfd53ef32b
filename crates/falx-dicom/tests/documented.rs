//! The page for users lists every refusal and every defect, in the words of the code.

use std::path::Path;

use falx_dicom::series::SeriesDefect;
use falx_dicom::{Defect, Refusal};

#[test]
fn the_page_has_a_line_for_each_refusal_and_defect() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dicom.md");
    let page = std::fs::read_to_string(path).unwrap();
    let refusals = Refusal::ALL
        .iter()
        .map(|r| format!("| `{r}` | {} | {} |", r.describe().trim(), r.remedy()));
    let defects = Defect::ALL
        .iter()
        .map(|d| format!("| `{d}` | {} |", d.describe().trim()));
    let of_series = SeriesDefect::ALL
        .iter()
        .map(|d| format!("| `{d}` | {} |", d.describe().trim()));
    let missing: Vec<String> = refusals
        .chain(defects)
        .chain(of_series)
        .filter(|line| !page.lines().any(|found| found == line))
        .collect();
    assert!(
        missing.is_empty(),
        "missing in docs/dicom.md:\n{}",
        missing.join("\n")
    );
}
