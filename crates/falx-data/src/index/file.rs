//! The index as a Parquet file; column names and order are part of falx's outer contract.

mod acquisition;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, ListArray, RecordBatch, StringArray,
    UInt8Array, UInt32Array,
};
use arrow_schema::{DataType, Field, Schema};
use falx_core::{Hu, ImageId, LABELS, LabelRow, Millimetre, PatientId};

use super::{Index, IndexRow, IndexSummary};
use crate::labels::StudyLabels;
use crate::table::{self, GROUP, Opened, TableError};

const SUMMARY: &str = "falx.summary";
pub(super) const DATA_HASH: &str = "falx.data_hash";
const STUDY_LABELS: &str = "falx.study_labels";

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// [`TableError`] for a file that cannot be read or is no index.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, TableError> {
        let (opened, batches) = Opened::open(path.as_ref(), "index")?;
        let summary: IndexSummary = serde_json::from_str(opened.metadata(SUMMARY)?)
            .map_err(|error| opened.wrong(format!("its summary cannot be read ({error})")))?;
        let mut rows = Vec::with_capacity(batches.room());
        let mut interned = HashSet::new();
        for batch in batches {
            read_batch(&opened, &batch?, &mut interned, &mut rows)?;
        }
        let study_labels = match opened.metadata(STUDY_LABELS) {
            Ok(text) => serde_json::from_str(text).map_err(|error| {
                opened.wrong(format!("its labels of studies cannot be read ({error})"))
            })?,
            Err(_) => Vec::new(),
        };
        Ok(Self {
            rows,
            summary,
            study_labels,
        })
    }

    /// Writes the index; the file appears whole or not at all.
    ///
    /// # Errors
    /// [`TableError`] when the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), TableError> {
        let mut writer = Writer::create(path.as_ref())?;
        for row in &self.rows {
            writer.push(row.clone())?;
        }
        let mut summary = self.summary.clone();
        summary.data_hash = self.data_hash();
        writer.finish(&summary, &self.study_labels)
    }

    /// The data lock: a hash over image ids, pixel hashes and labels, independent of paths and of the rows' order.
    pub fn data_hash(&self) -> String {
        crate::lock::data_hash(self.rows.iter().map(|row| {
            let pixels = row.pixel_hash.as_deref().unwrap_or("");
            (row.image_id.as_str(), pixels, row.labels)
        }))
    }
}

/// Writes an index row by row; the file appears whole or not at all.
pub(super) struct Writer {
    path: PathBuf,
    schema: Arc<Schema>,
    rows: Vec<IndexRow>,
    table: table::Writer,
}

impl Writer {
    pub(super) fn create(path: &Path) -> Result<Self, TableError> {
        let schema = Arc::new(Schema::new(schema()));
        Ok(Self {
            path: path.to_owned(),
            table: table::Writer::create(path, &schema)?,
            rows: Vec::with_capacity(GROUP.min(1 << 12)),
            schema,
        })
    }

    fn wrong(&self, what: impl std::fmt::Display) -> TableError {
        TableError::Content {
            path: self.path.clone(),
            kind: "index",
            what: what.to_string(),
        }
    }

    pub(super) fn push(&mut self, row: IndexRow) -> Result<(), TableError> {
        self.rows.push(row);
        if self.rows.len() == GROUP {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), TableError> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns(&self.rows))
            .map_err(|error| self.wrong(error))?;
        self.rows.clear();
        self.table.write(&batch)
    }

    pub(super) fn finish(
        mut self,
        summary: &IndexSummary,
        studies: &[StudyLabels],
    ) -> Result<(), TableError> {
        if !self.rows.is_empty() {
            self.flush()?;
        }
        let summary = IndexSummary {
            reused: 0,
            ..summary.clone()
        };
        let hash = summary.data_hash.clone();
        let json = |text: Result<String, serde_json::Error>| text.map_err(|e| self.wrong(e));
        let mut metadata = vec![
            (SUMMARY, json(serde_json::to_string(&summary))?),
            (DATA_HASH, hash),
        ];
        if !studies.is_empty() {
            metadata.push((STUDY_LABELS, json(serde_json::to_string(studies))?));
        }
        self.table.finish(&metadata)
    }
}

/// The columns of the index in the order of the outer contract.
pub(super) fn schema() -> Vec<Field> {
    let must = |name: &str, kind| Field::new(name, kind, false);
    let may = |name: &str, kind| Field::new(name, kind, true);
    let defect = Arc::new(Field::new("item", DataType::Utf8, true));
    let mut fields = vec![
        must("path", DataType::Utf8),
        must("image_id", DataType::Utf8),
        may("sop_uid", DataType::Utf8),
        may("patient", DataType::Utf8),
        may("study_uid", DataType::Utf8),
        may("series_uid", DataType::Utf8),
        must("dataset", DataType::Utf8),
        must("rows", DataType::UInt32),
        must("cols", DataType::UInt32),
        may("z_mm", DataType::Float64),
        may("spacing_mm", DataType::Float64),
        may("tilt_deg", DataType::Float64),
        may("order", DataType::UInt32),
        may("transfer_syntax", DataType::Utf8),
        may("pixel_hash", DataType::Utf8),
        may("hu_min", DataType::Float32),
        may("hu_max", DataType::Float32),
        must("defects", DataType::List(defect)),
        must("usable", DataType::Boolean),
    ];
    fields.extend(
        LABELS
            .iter()
            .map(|label| may(label.name(), DataType::UInt8)),
    );
    // Beyond the contract's columns; they may become more.
    fields.extend([
        may("bone_fraction", DataType::Float32),
        may("brain_fraction", DataType::Float32),
    ]);
    fields.extend(acquisition::fields());
    fields.extend([
        may("mask", DataType::Utf8),
        may("age_years", DataType::Float32),
        may("sex", DataType::Utf8),
    ]);
    fields
}

/// The columns of some rows, in the schema's order.
fn columns(rows: &[IndexRow]) -> Vec<ArrayRef> {
    fn text<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
        Arc::new(values.collect::<StringArray>())
    }
    fn float(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
        Arc::new(values.collect::<Float64Array>())
    }
    let mut defects = ListBuilder::new(StringBuilder::new());
    for row in rows {
        for defect in &row.defects {
            defects.values().append_value(defect);
        }
        defects.append(true);
    }
    let paths: Vec<_> = rows.iter().map(|r| r.path.to_string_lossy()).collect();
    let mut columns: Vec<ArrayRef> = vec![
        text(paths.iter().map(|p| Some(p.as_ref()))),
        text(rows.iter().map(|r| Some(r.image_id.as_str()))),
        text(rows.iter().map(|r| r.sop_uid.as_deref())),
        text(
            rows.iter()
                .map(|r| r.patient.as_ref().map(PatientId::as_str)),
        ),
        text(rows.iter().map(|r| r.study_uid.as_deref())),
        text(rows.iter().map(|r| r.series_uid.as_deref())),
        text(rows.iter().map(|r| Some(r.dataset.as_ref()))),
        Arc::new(rows.iter().map(|r| Some(r.rows)).collect::<UInt32Array>()),
        Arc::new(rows.iter().map(|r| Some(r.cols)).collect::<UInt32Array>()),
        float(rows.iter().map(|r| r.z_mm.map(|mm| mm.0))),
        float(rows.iter().map(|r| r.spacing_mm.map(|mm| mm.0))),
        float(rows.iter().map(|r| r.tilt_deg)),
        Arc::new(rows.iter().map(|r| r.order).collect::<UInt32Array>()),
        text(rows.iter().map(|r| r.transfer_syntax.as_deref())),
        text(rows.iter().map(|r| r.pixel_hash.as_deref())),
        Arc::new(
            rows.iter()
                .map(|r| r.hu_min.map(|hu| hu.0))
                .collect::<Float32Array>(),
        ),
        Arc::new(
            rows.iter()
                .map(|r| r.hu_max.map(|hu| hu.0))
                .collect::<Float32Array>(),
        ),
        Arc::new(defects.finish()),
        Arc::new(
            rows.iter()
                .map(|r| Some(r.usable))
                .collect::<BooleanArray>(),
        ),
    ];
    for label in LABELS {
        let values = rows.iter().map(|r| r.labels.get(label).map(u8::from));
        columns.push(Arc::new(values.collect::<UInt8Array>()));
    }
    for fraction in [
        rows.iter()
            .map(|r| r.bone_fraction)
            .collect::<Float32Array>(),
        rows.iter().map(|r| r.brain_fraction).collect(),
    ] {
        columns.push(Arc::new(fraction));
    }
    columns.extend(acquisition::columns(rows));
    let mask = |r: &IndexRow| Some(r.mask.as_ref()?.to_string_lossy().into_owned());
    columns.push(Arc::new(rows.iter().map(mask).collect::<StringArray>()));
    let ages = rows.iter().map(|r| r.age_years);
    columns.push(Arc::new(ages.collect::<Float32Array>()));
    columns.push(text(rows.iter().map(|r| r.sex.as_deref())));
    columns
}

/// Appends a batch's rows.
fn read_batch(
    opened: &Opened,
    batch: &RecordBatch,
    interned: &mut HashSet<Arc<str>>,
    rows: &mut Vec<IndexRow>,
) -> Result<(), TableError> {
    let text = |name: &str| opened.column::<StringArray>(batch, name);
    let whole = |name: &str| opened.column::<UInt32Array>(batch, name);
    let float = |name: &str| opened.column::<Float64Array>(batch, name);
    let value = |name: &str| opened.column::<Float32Array>(batch, name);
    let (path, image_id, sop_uid) = (text("path")?, text("image_id")?, text("sop_uid")?);
    let (patient, study, series) = (text("patient")?, text("study_uid")?, text("series_uid")?);
    let (dataset, syntax, hash) = (
        text("dataset")?,
        text("transfer_syntax")?,
        text("pixel_hash")?,
    );
    let (height, width, order) = (whole("rows")?, whole("cols")?, whole("order")?);
    let (z, spacing, tilt) = (float("z_mm")?, float("spacing_mm")?, float("tilt_deg")?);
    let (hu_min, hu_max) = (value("hu_min")?, value("hu_max")?);
    let defects = opened.column::<ListArray>(batch, "defects")?;
    let usable = opened.column::<BooleanArray>(batch, "usable")?;
    let mut labels = Vec::with_capacity(LABELS.len());
    for label in LABELS {
        labels.push(opened.column::<UInt8Array>(batch, label.name())?);
    }
    let string =
        |column: &StringArray, at: usize| column.is_valid(at).then(|| column.value(at).to_owned());
    let mut shared = |column: &StringArray, at: usize| {
        column
            .is_valid(at)
            .then(|| intern(interned, column.value(at)))
    };
    let (bone, brain) = (value("bone_fraction")?, value("brain_fraction")?);
    let acquisitions = acquisition::read(opened, batch)?;
    let mask = text("mask")?;
    // Indices of falx 0.1's first builds end here.
    let age = opened.newer_column::<Float32Array>(batch, "age_years")?;
    let sex = opened.newer_column::<StringArray>(batch, "sex")?;
    for (at, acquisition) in acquisitions.into_iter().enumerate() {
        let list = defects.value(at);
        let list = list
            .as_any()
            .downcast_ref::<StringArray>()
            .ok_or_else(|| opened.wrong("its column defects has another type"))?;
        let mut row = LabelRow::default();
        for (slot, column) in row.0.iter_mut().zip(&labels) {
            *slot = column.is_valid(at).then(|| column.value(at) != 0);
        }
        rows.push(IndexRow {
            path: PathBuf::from(path.value(at)),
            image_id: ImageId::from(image_id.value(at)),
            sop_uid: string(sop_uid, at),
            patient: string(patient, at).map(PatientId),
            study_uid: shared(study, at),
            series_uid: shared(series, at),
            dataset: shared(dataset, at).unwrap_or_default(),
            rows: height.value(at),
            cols: width.value(at),
            z_mm: z.is_valid(at).then(|| Millimetre(z.value(at))),
            spacing_mm: spacing.is_valid(at).then(|| Millimetre(spacing.value(at))),
            tilt_deg: tilt.is_valid(at).then(|| tilt.value(at)),
            order: order.is_valid(at).then(|| order.value(at)),
            transfer_syntax: shared(syntax, at),
            pixel_hash: string(hash, at),
            hu_min: hu_min.is_valid(at).then(|| Hu(hu_min.value(at))),
            hu_max: hu_max.is_valid(at).then(|| Hu(hu_max.value(at))),
            defects: list.iter().flatten().map(str::to_owned).collect(),
            usable: usable.value(at),
            labels: row,
            bone_fraction: bone.is_valid(at).then(|| bone.value(at)),
            brain_fraction: brain.is_valid(at).then(|| brain.value(at)),
            acquisition,
            mask: string(mask, at).map(PathBuf::from),
            age_years: age.filter(|age| age.is_valid(at)).map(|age| age.value(at)),
            sex: sex.and_then(|sex| shared(sex, at)),
        });
    }
    Ok(())
}

/// One copy of each text that many rows share.
pub(super) fn intern(interned: &mut HashSet<Arc<str>>, text: &str) -> Arc<str> {
    if let Some(known) = interned.get(text) {
        return Arc::clone(known);
    }
    let new: Arc<str> = text.into();
    interned.insert(Arc::clone(&new));
    new
}
