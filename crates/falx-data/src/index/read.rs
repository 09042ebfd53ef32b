//! One file into its rows.

use std::fs::Metadata;
use std::path::Path;
use std::sync::Arc;

use falx_core::{ImageId, Window};
use falx_dicom::series::SeriesSlice;
use falx_dicom::{CtSlice, DicomError, Reader, Refusal, SliceHeader};
use serde::{Deserialize, Serialize};

use super::digest::{Digest, digest};
use super::files::{Found, Source};
use super::layout::Kind;
use super::names::{cq500_patient, mask_beside, name_ct_ich, patient_folder, pseudonym};
use super::summary::WindowFrom;
use super::{Acquisition, IndexRow, Layout};
use crate::location::{Location, is_picture};
use crate::source::{self, Fault, WINDOWED_PICTURE, archive, picture, volume};

/// A row without its place in the series, and what that place is computed from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Fact {
    pub(super) row: IndexRow,
    position: Option<[f64; 3]>,
    orientation: Option<[f64; 6]>,
    pixel_spacing: Option<[f64; 2]>,
    /// The slice's number in its series where no position is known.
    pub(super) number: Option<u32>,
}

impl Fact {
    fn of(row: IndexRow) -> Self {
        Self {
            row,
            position: None,
            orientation: None,
            pixel_spacing: None,
            number: None,
        }
    }

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

    /// True where the position decides where the slice lies.
    pub(super) fn has_position(&self) -> bool {
        self.position.is_some()
    }
}

/// How files are read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReadOptions {
    /// Stop before the pixels.
    pub(super) headers_only: bool,
    /// The window of pictures.
    pub(super) window: Option<Window>,
}

/// The window of CT-ICH's brain pictures: level 40, width 120.
const CT_ICH_BRAIN: [f32; 2] = [40.0, 120.0];
/// The window of pictures of which nobody says another: the brain window of the seed and of most published sets.
const USUAL: [f32; 2] = [40.0, 80.0];

/// The window of a layout's pictures, and who says so.
pub(super) fn picture_window(
    layout: Layout,
    declared: Option<Window>,
) -> Option<(Window, WindowFrom)> {
    let (window, from) = match (layout, declared) {
        (Layout::CtIch, _) => (
            Window::new(CT_ICH_BRAIN[0], CT_ICH_BRAIN[1]),
            WindowFrom::Layout,
        ),
        (Layout::Images, Some(window)) => (Ok(window), WindowFrom::Declared),
        (Layout::Images, None) => (Window::new(USUAL[0], USUAL[1]), WindowFrom::Assumed),
        _ => return None,
    };
    Some((window.ok()?, from))
}

/// Reads files into rows; keeps its buffers.
#[derive(Default)]
pub(super) struct RowReader {
    dicom: Reader,
    slice: CtSlice,
    pub(super) options: ReadOptions,
}

impl RowReader {
    pub(super) fn new(options: ReadOptions) -> Self {
        Self {
            options,
            ..Self::default()
        }
    }

    /// Which state of which file this is, and how it is read.
    pub(super) fn identity(&self, found: &Found, source: &Source, state: &Metadata) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(found.path.as_os_str().as_encoded_bytes());
        let changed = state
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
            .unwrap_or_default();
        hasher.update(&[0]);
        hasher.update(&state.len().to_le_bytes());
        hasher.update(&changed.as_nanos().to_le_bytes());
        hasher.update(source.layout.name().as_bytes());
        hasher.update(&[0]);
        hasher.update(source.dataset.as_bytes());
        if let Some(window) = self.options.window {
            hasher.update(&window.center().to_le_bytes());
            hasher.update(&window.width().to_le_bytes());
        }
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_le_bytes(first)
    }

    /// The rows of a file; none for one that is no DICOM and does not claim to be.
    pub(super) fn read(&mut self, found: &Found, source: &Source) -> Vec<Fact> {
        match found.kind {
            Kind::Dicom => self.dicom(found, source).into_iter().collect(),
            Kind::Picture => vec![self.picture(found, source)],
            Kind::Volume => Self::volume(found, source, self.options.headers_only),
            Kind::Archive(kind) => {
                let mut facts = Vec::new();
                let options = self.options;
                let outcome = archive::each_entry(&found.path, kind, |entry, bytes| {
                    facts.extend(of_entry(found, source, entry, bytes, options));
                    true
                });
                if let Err(fault) = outcome {
                    facts.push(faulty(blank_row(found, source), &fault));
                }
                facts
            }
            Kind::Other => Vec::new(),
        }
    }

    fn dicom(&mut self, found: &Found, source: &Source) -> Option<Fact> {
        let read = if self.options.headers_only {
            let read = self.dicom.read_header(&found.path);
            read.map(|header| self.slice.header = header)
        } else {
            self.dicom.read_slice_into(&found.path, &mut self.slice)
        };
        let mut row = blank_row(found, source);
        match read {
            Ok(()) => {
                let digest = (!self.options.headers_only).then(|| digest(&self.slice));
                let defects = self.slice.defects.iter().map(|defect| defect.name());
                if digest.is_some() {
                    row.defects = defects.map(str::to_owned).collect();
                }
                Some(usable(row, &self.slice.header, digest, source, found))
            }
            Err(error) => {
                let refusal = error.refused().map(|refused| refused.refusal);
                if refusal == Some(Refusal::NotDicom) && !found.is_dcm() {
                    return None;
                }
                row.defects.push(reason(&error).to_owned());
                Some(Fact::of(row))
            }
        }
    }

    fn picture(&self, found: &Found, source: &Source) -> Fact {
        let mut row = blank_row(found, source);
        let mut number = None;
        let window = picture_window(source.layout, self.options.window).map(|(window, _)| window);
        if source.layout == Layout::CtIch {
            let slice = found.stem().parse::<u32>().unwrap_or(0);
            name_ct_ich(&mut row, &patient_folder(&found.relative), slice);
            number = Some(slice);
            row.mask = mask_beside(&found.path);
        } else {
            row.image_id = ImageId(found.stem());
        }
        let Ok(bytes) = std::fs::read(&found.path) else {
            row.defects.push("io".to_owned());
            return Fact::of(row);
        };
        let decoded = picture::decode(&bytes, window);
        let mut fact = of_slice(row, decoded, self.options.headers_only);
        fact.number = number;
        if fact.row.usable {
            fact.row.defects.push(WINDOWED_PICTURE.to_owned());
        }
        fact
    }

    fn volume(found: &Found, source: &Source, headers_only: bool) -> Vec<Fact> {
        let volume = match volume::Volume::read(&found.path) {
            Ok(volume) => volume,
            Err(fault) => return vec![faulty(blank_row(found, source), &fault)],
        };
        let name = found.path.file_name().unwrap_or_default().to_string_lossy();
        let patient = name.split('.').next().unwrap_or_default().to_owned();
        let mask = found
            .path
            .parent()
            .and_then(Path::parent)
            .map(|root| root.join("masks").join(name.as_ref()))
            .filter(|mask| mask.is_file());
        let rows = (1..=volume.len()).map(|number| {
            let place = |volume: &Path| {
                Location::VolumeSlice {
                    volume: volume.to_owned(),
                    number,
                }
                .to_path()
            };
            let mut row = blank_row(found, source);
            row.path = place(&found.path);
            row.mask = mask.as_deref().map(place);
            name_ct_ich(&mut row, &patient, number);
            of_slice(row, volume.slice(number), headers_only)
        });
        rows.collect()
    }
}

/// The row of a slice that was decoded from something else than a DICOM file.
fn of_slice(mut row: IndexRow, slice: Result<CtSlice, Fault>, headers_only: bool) -> Fact {
    let slice = match slice {
        Ok(slice) => slice,
        Err(fault) => return faulty(row, &fault),
    };
    row.rows = slice.header.rows as u32;
    row.cols = slice.header.cols as u32;
    if !headers_only {
        row.measure(digest(&slice));
    }
    row.usable = true;
    let window = slice.header.windows.first();
    row.acquisition = Some(Arc::new(Acquisition {
        thickness_mm: slice.header.slice_thickness,
        pixel_mm: slice.header.pixel_spacing.map(|[rows, _]| rows),
        window_center: window.map(|window| f64::from(window.center())),
        window_width: window.map(|window| f64::from(window.width())),
        plane: slice.header.plane(),
        ..Acquisition::default()
    }));
    placed(row, &slice.header)
}

fn placed(row: IndexRow, header: &SliceHeader) -> Fact {
    Fact {
        position: header.image_position,
        orientation: header.image_orientation,
        pixel_spacing: header.pixel_spacing,
        ..Fact::of(row)
    }
}

/// The row of an archive's entry; none for one that is no DICOM and does not claim to be.
fn of_entry(
    found: &Found,
    source: &Source,
    entry: &str,
    bytes: Result<&[u8], Fault>,
    options: ReadOptions,
) -> Option<Fact> {
    let place = Location::Entry {
        archive: found.path.clone(),
        entry: entry.to_owned(),
    };
    let inner = Found {
        path: place.to_path(),
        relative: format!("{}!/{entry}", found.relative),
        source: found.source,
        kind: Kind::Dicom,
    };
    let mut row = blank_row(&inner, source);
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(fault) => return Some(faulty(row, &fault)),
    };
    // Pictures beside DICOM in an archive are previews.
    if is_picture(Path::new(entry)) {
        return None;
    }
    match source::slice_of(bytes) {
        Ok(slice) => {
            let digest = (!options.headers_only).then(|| digest(&slice));
            let defects = slice.defects.iter().map(|defect| defect.name().to_owned());
            row.defects = defects.collect();
            Some(usable(row, &slice.header, digest, source, &inner))
        }
        Err(refused) if refused.refusal == Refusal::NotDicom && !inner.is_dcm() => None,
        Err(refused) => {
            row.defects.push(refused.refusal.name().to_owned());
            Some(Fact::of(row))
        }
    }
}

fn faulty(mut row: IndexRow, fault: &Fault) -> Fact {
    row.defects.push(fault.fault.name().to_owned());
    Fact::of(row)
}

fn usable(
    mut row: IndexRow,
    header: &SliceHeader,
    digest: Option<Digest>,
    source: &Source,
    found: &Found,
) -> Fact {
    let layout = source.layout;
    if layout != Layout::Rsna {
        let uid = header.sop_instance_uid.clone();
        row.image_id = ImageId(uid.unwrap_or_else(|| found.relative.clone()));
    }
    row.sop_uid.clone_from(&header.sop_instance_uid);
    if layout != Layout::Cq500 {
        row.patient = header.patient_id.as_deref().map(|id| pseudonym(id, layout));
    }
    row.age_years = header.patient_age_years.map(shown_age);
    row.sex = header.patient_sex.as_deref().map(Into::into);
    row.study_uid = header.study_instance_uid.as_deref().map(Into::into);
    row.series_uid = header.series_instance_uid.as_deref().map(Into::into);
    row.rows = header.rows as u32;
    row.cols = header.cols as u32;
    row.transfer_syntax = Some(header.transfer_syntax.as_str().into());
    if let Some(digest) = digest {
        row.measure(digest);
    }
    row.usable = true;
    row.acquisition = Some(Arc::new(acquisition(header)));
    placed(row, header)
}

/// Ages over 89 are one group.
///
/// # Source
/// HIPAA Privacy Rule, 45 CFR 164.514(b)(2)(i)(C).
fn shown_age(years: f64) -> f32 {
    if years > 89.0 { 90.0 } else { years as f32 }
}

impl IndexRow {
    /// Takes what the pixels say.
    fn measure(&mut self, digest: Digest) {
        self.hu_min = digest.range.map(|(low, _)| low);
        self.hu_max = digest.range.map(|(_, high)| high);
        self.bone_fraction = Some(digest.bone_fraction);
        self.brain_fraction = Some(digest.brain_fraction);
        self.pixel_hash = Some(digest.hash);
    }
}

/// The name of what is wrong with a file: the refusal's, or `io`.
pub(crate) fn reason(error: &DicomError) -> &'static str {
    error
        .refused()
        .map_or("io", |refused| refused.refusal.name())
}

fn blank_row(found: &Found, source: &Source) -> IndexRow {
    let patient = match source.layout {
        Layout::Cq500 => cq500_patient(&found.path),
        _ => None,
    };
    let id = match source.layout {
        Layout::Rsna => found.stem(),
        _ => found.relative.clone(),
    };
    IndexRow {
        patient,
        ..IndexRow::unread(found.path.clone(), ImageId(id), source.dataset.clone())
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
        body_part: header.body_part.clone(),
        contrast: Some(header.has_contrast),
        plane: header.plane(),
    }
}
