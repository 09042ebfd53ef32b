//! How slices were taken, as columns of the index.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt32Array,
};
use arrow_schema::{DataType, Field};
use falx_dicom::Plane;

use crate::index::{Acquisition, IndexRow};
use crate::table::{Opened, TableError};

/// The columns' names and types.
pub(super) fn fields() -> Vec<Field> {
    let may = |name: &str, kind| Field::new(name, kind, true);
    vec![
        may("manufacturer", DataType::Utf8),
        may("model", DataType::Utf8),
        may("kernel", DataType::Utf8),
        may("kvp", DataType::Float64),
        may("thickness_mm", DataType::Float64),
        may("pixel_mm", DataType::Float64),
        may("intercept", DataType::Float64),
        may("bits_stored", DataType::UInt32),
        may("signed", DataType::Boolean),
        may("window_center", DataType::Float64),
        may("window_width", DataType::Float64),
        may("body_part", DataType::Utf8),
        may("contrast", DataType::Boolean),
        may("plane", DataType::Utf8),
    ]
}

/// The columns of [`Acquisition`], in the schema's order.
pub(super) fn columns(rows: &[IndexRow]) -> Vec<ArrayRef> {
    let of = |row: &IndexRow| row.acquisition.clone();
    let taken: Vec<Option<Arc<Acquisition>>> = rows.iter().map(of).collect();
    let all = || taken.iter().map(Option::as_deref);
    let text = |get: fn(&Acquisition) -> Option<&str>| -> ArrayRef {
        Arc::new(all().map(|a| a.and_then(get)).collect::<StringArray>())
    };
    let float = |get: fn(&Acquisition) -> Option<f64>| -> ArrayRef {
        Arc::new(all().map(|a| a.and_then(get)).collect::<Float64Array>())
    };
    vec![
        text(|a| a.manufacturer.as_deref()),
        text(|a| a.model.as_deref()),
        text(|a| a.kernel.as_deref()),
        float(|a| a.kvp),
        float(|a| a.thickness_mm),
        float(|a| a.pixel_mm),
        float(|a| a.intercept),
        Arc::new(
            all()
                .map(|a| a.and_then(|a| a.bits_stored))
                .collect::<UInt32Array>(),
        ),
        Arc::new(
            all()
                .map(|a| a.and_then(|a| a.signed))
                .collect::<BooleanArray>(),
        ),
        float(|a| a.window_center),
        float(|a| a.window_width),
        text(|a| a.body_part.as_deref()),
        Arc::new(
            all()
                .map(|a| a.and_then(|a| a.contrast))
                .collect::<BooleanArray>(),
        ),
        text(|a| a.plane.map(Plane::name)),
    ]
}

/// The acquisitions of a batch's rows; rows that follow each other and are alike share one.
pub(super) fn read(
    opened: &Opened,
    batch: &RecordBatch,
) -> Result<Vec<Option<Arc<Acquisition>>>, TableError> {
    let text = |name: &str| opened.column::<StringArray>(batch, name);
    let float = |name: &str| opened.column::<Float64Array>(batch, name);
    let (manufacturer, model, kernel) = (text("manufacturer")?, text("model")?, text("kernel")?);
    let (kvp, thickness, pixel) = (float("kvp")?, float("thickness_mm")?, float("pixel_mm")?);
    let (intercept, center, width) = (
        float("intercept")?,
        float("window_center")?,
        float("window_width")?,
    );
    let bits = opened.column::<UInt32Array>(batch, "bits_stored")?;
    let signed = opened.column::<BooleanArray>(batch, "signed")?;
    let part = opened.newer_column::<StringArray>(batch, "body_part")?;
    let contrast = opened.newer_column::<BooleanArray>(batch, "contrast")?;
    let plane = opened.newer_column::<StringArray>(batch, "plane")?;
    let named = |name: String| Plane::ALL.into_iter().find(|plane| plane.name() == name);
    let string =
        |column: &StringArray, at: usize| column.is_valid(at).then(|| column.value(at).to_owned());
    let number = |column: &Float64Array, at: usize| column.is_valid(at).then(|| column.value(at));
    let mut last: Option<Arc<Acquisition>> = None;
    let mut all = Vec::with_capacity(batch.num_rows());
    for at in 0..batch.num_rows() {
        let taken = Acquisition {
            manufacturer: string(manufacturer, at),
            model: string(model, at),
            kernel: string(kernel, at),
            kvp: number(kvp, at),
            thickness_mm: number(thickness, at),
            pixel_mm: number(pixel, at),
            intercept: number(intercept, at),
            bits_stored: bits.is_valid(at).then(|| bits.value(at)),
            signed: signed.is_valid(at).then(|| signed.value(at)),
            window_center: number(center, at),
            window_width: number(width, at),
            body_part: part.and_then(|part| string(part, at)),
            contrast: contrast.and_then(|told| told.is_valid(at).then(|| told.value(at))),
            plane: plane.and_then(|plane| string(plane, at)).and_then(named),
        };
        if taken == Acquisition::default() {
            all.push(None);
            continue;
        }
        if last.as_deref() != Some(&taken) {
            last = Some(Arc::new(taken));
        }
        all.push(last.clone());
    }
    Ok(all)
}
