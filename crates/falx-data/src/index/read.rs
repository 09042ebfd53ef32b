//! One file into one row.

use std::sync::Arc;

use falx_core::{Hu, ImageId, LabelRow, PatientId};
use falx_dicom::series::SeriesSlice;
use falx_dicom::{CtSlice, DicomError, Reader, Refusal, SliceHeader};

use super::files::{Found, is_rsna_id};
use super::{Acquisition, IndexRow, Layout};

/// A row without its place in the series, and what that place is computed from.
pub(super) struct Fact {
    pub(super) row: IndexRow,
    position: Option<[f64; 3]>,
    orientation: Option<[f64; 6]>,
    pixel_spacing: Option<[f64; 2]>,
}

impl Fact {
    /// What the series' geometry needs to know.
    pub(super) fn geometry(&self) -> SeriesSlice<'_> {
        SeriesSlice {
            sop_instance_uid: self.row.sop_uid.as_deref(),
            rows: self.row.rows as usize,
            cols: self.row.cols as usize,
            image_position: self.position,
            image_orientation: self.orientation,
            pixel_spacing: self.pixel_spacing,
            digest: None,
        }
    }
}

/// Values of bone.
const BONE_HU: std::ops::RangeInclusive<f32> = 300.0..=f32::INFINITY;
/// Values of brain, blood and cerebrospinal fluid.
const BRAIN_HU: std::ops::RangeInclusive<f32> = 0.0..=80.0;

/// What a file turned out to be.
pub(super) enum Read {
    /// A slice, or a DICOM file that is refused.
    Row(Box<Fact>),
    /// No DICOM at all.
    NotDicom,
}

/// Reads one file, into a `slice` whose buffers are used again.
///
/// Whatever its state, it ends as a row unless it is no DICOM and does not claim to be.
pub(super) fn read(
    reader: &mut Reader,
    slice: &mut CtSlice,
    found: &Found,
    layout: Layout,
) -> Read {
    match reader.read_slice_into(&found.path, slice) {
        Ok(()) => Read::Row(Box::new(usable(found, slice, layout))),
        Err(error) => {
            let refusal = error.refused().map(|refused| refused.refusal);
            if refusal == Some(Refusal::NotDicom) && !found.is_dcm() {
                Read::NotDicom
            } else {
                Read::Row(Box::new(refused(found, &error, layout)))
            }
        }
    }
}

fn usable(found: &Found, slice: &CtSlice, layout: Layout) -> Fact {
    let header = &slice.header;
    let range = hu_range(slice);
    let mut row = blank_row(found);
    row.image_id = match layout {
        Layout::Rsna => ImageId(found.stem()),
        Layout::Auto | Layout::Folders => ImageId(
            header
                .sop_instance_uid
                .clone()
                .unwrap_or_else(|| found.relative.clone()),
        ),
    };
    row.sop_uid.clone_from(&header.sop_instance_uid);
    row.patient = header.patient_id.as_deref().map(|id| pseudonym(id, layout));
    row.study_uid = header.study_instance_uid.as_deref().map(Into::into);
    row.series_uid = header.series_instance_uid.as_deref().map(Into::into);
    row.rows = header.rows as u32;
    row.cols = header.cols as u32;
    row.transfer_syntax = Some(header.transfer_syntax.as_str().into());
    row.pixel_hash = Some(pixel_hash(slice));
    row.hu_min = range.map(|(low, _)| low);
    row.hu_max = range.map(|(_, high)| high);
    row.defects = slice
        .defects
        .iter()
        .map(|defect| defect.name().to_owned())
        .collect();
    row.usable = true;
    row.acquisition = Some(Arc::new(acquisition(header)));
    let pixels = slice.hu.len().max(1) as f32;
    let share = |range: std::ops::RangeInclusive<f32>| {
        let within = slice.hu.iter().filter(|hu| range.contains(&hu.0));
        within.count() as f32 / pixels
    };
    row.bone_fraction = Some(share(BONE_HU));
    row.brain_fraction = Some(share(BRAIN_HU));
    Fact {
        row,
        position: header.image_position,
        orientation: header.image_orientation,
        pixel_spacing: header.pixel_spacing,
    }
}

fn refused(found: &Found, error: &DicomError, layout: Layout) -> Fact {
    let mut row = blank_row(found);
    if layout == Layout::Rsna {
        row.image_id = ImageId(found.stem());
    }
    row.defects.push(reason(error).to_owned());
    Fact {
        row,
        position: None,
        orientation: None,
        pixel_spacing: None,
    }
}

/// The name of what is wrong with a file: the refusal's, or `io`.
pub(crate) fn reason(error: &DicomError) -> &'static str {
    error
        .refused()
        .map_or("io", |refused| refused.refusal.name())
}

fn blank_row(found: &Found) -> IndexRow {
    IndexRow {
        path: found.path.clone(),
        image_id: ImageId(found.relative.clone()),
        sop_uid: None,
        patient: None,
        study_uid: None,
        series_uid: None,
        dataset: found.dataset.clone(),
        rows: 0,
        cols: 0,
        z_mm: None,
        spacing_mm: None,
        tilt_deg: None,
        order: None,
        transfer_syntax: None,
        pixel_hash: None,
        hu_min: None,
        hu_max: None,
        defects: Vec::new(),
        usable: false,
        labels: LabelRow::default(),
        bone_fraction: None,
        brain_fraction: None,
        acquisition: None,
    }
}

fn acquisition(header: &SliceHeader) -> Acquisition {
    let window = header.windows.first();
    Acquisition {
        manufacturer: header.manufacturer.clone(),
        model: header.model.clone(),
        kernel: header.convolution_kernel.clone(),
        kvp: header.kvp,
        thickness_mm: header.slice_thickness,
        pixel_mm: header.pixel_spacing.map(|[rows, _]| rows),
        intercept: Some(header.format.rescale_intercept),
        bits_stored: Some(u32::from(header.format.bits_stored)),
        signed: Some(header.format.signed),
        window_center: window.map(|window| f64::from(window.center())),
        window_width: window.map(|window| f64::from(window.width())),
    }
}

/// RSNA's own pseudonym as it is; any other patient id as a keyed hash.
///
/// The key is the same for every index, so that one patient's studies meet across data sets. Whoever holds
/// a list of patient ids could therefore recognise them: an index is pseudonymous, not anonymous.
fn pseudonym(patient_id: &str, layout: Layout) -> PatientId {
    if layout == Layout::Rsna && is_rsna_id(patient_id) {
        return PatientId(patient_id.to_owned());
    }
    let key = blake3::derive_key("falx 2026 patient pseudonym", b"");
    let hash = blake3::keyed_hash(&key, patient_id.as_bytes());
    PatientId(format!("P{}", &hash.to_hex()[..24]))
}

/// BLAKE3 (its first 128 bits, in hex) over rows, columns and HU as little-endian bytes.
fn pixel_hash(slice: &CtSlice) -> String {
    let mut hasher = blake3::Hasher::new();
    for side in [slice.header.rows, slice.header.cols] {
        hasher.update(&(side as u32).to_le_bytes());
    }
    // Piece by piece, so that the bytes stay in the processor's cache.
    let mut bytes = [0_u8; 1 << 14];
    for values in slice.hu.chunks(bytes.len() / 4) {
        for (four, value) in bytes.chunks_exact_mut(4).zip(values) {
            four.copy_from_slice(&value.0.to_le_bytes());
        }
        hasher.update(&bytes[..4 * values.len()]);
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// The smallest and largest value that is not padding.
fn hu_range(slice: &CtSlice) -> Option<(Hu, Hu)> {
    let mut range = Range::default();
    match &slice.padding {
        None => {
            for values in slice.hu.chunks(LANES) {
                range.widen(values.iter().map(|hu| (hu.0, false)));
            }
        }
        Some(padding) => {
            for (values, padding) in slice.hu.chunks(LANES).zip(padding.chunks(LANES)) {
                range.widen(values.iter().map(|hu| hu.0).zip(padding.iter().copied()));
            }
        }
    }
    range.ends()
}

const LANES: usize = 16;

/// Smallest and largest values by lane, so that the processor need not wait for one comparison to begin the next.
struct Range([f32; LANES], [f32; LANES]);

impl Default for Range {
    fn default() -> Self {
        Self([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES])
    }
}

impl Range {
    fn widen(&mut self, values: impl Iterator<Item = (f32, bool)>) {
        for (((hu, is_padding), low), high) in values.zip(&mut self.0).zip(&mut self.1) {
            // Neither end is widened by what was not measured.
            *low = low.min(if is_padding { f32::INFINITY } else { hu });
            *high = high.max(if is_padding { f32::NEG_INFINITY } else { hu });
        }
    }

    fn ends(&self) -> Option<(Hu, Hu)> {
        let low = self.0.iter().copied().fold(f32::INFINITY, f32::min);
        let high = self.1.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        (low <= high).then_some((Hu(low), Hu(high)))
    }
}
