//! Label tables in Kaggle's form.

use falx_core::LABELS;

/// Labels of one image; `None` where a table leaves one out.
#[derive(Clone, Debug)]
pub struct Row {
    /// The image's id.
    pub image: String,
    /// Its six labels.
    pub labels: [Option<bool>; 6],
}

impl Row {
    /// A row with all six labels.
    pub fn complete(image: &str, labels: [bool; 6]) -> Self {
        Self {
            image: image.to_owned(),
            labels: labels.map(Some),
        }
    }
}

/// `ID,Label` and six lines an image, by id; every value 0.5 where `sample` is asked for.
pub fn table(mut rows: Vec<Row>, sample: bool) -> String {
    rows.sort_by(|a, b| a.image.cmp(&b.image));
    let mut text = String::from("ID,Label\n");
    for row in rows {
        for (label, value) in LABELS.iter().zip(row.labels) {
            let Some(value) = value else { continue };
            let shown = if sample {
                "0.5"
            } else if value {
                "1"
            } else {
                "0"
            };
            text.extend([&row.image, "_", label.name(), ",", shown, "\n"]);
        }
    }
    text
}
