//! What all objects of a study share: who and what was examined, copied as it is, and the series they stand in.

use std::collections::{BTreeMap, BTreeSet};

use dicom_core::{Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::FileMetaTableBuilder;

use crate::check::{check, one_study};
use crate::copied::shared;
use crate::element::{DataSet, put, put_items, text_of};
use crate::findings::WrittenAt;
use crate::text::Repertoire;
use crate::{EvidenceError, SourceSlice, StudyFindings, uid};

/// Who made the objects.
pub const MANUFACTURER: &str = "falx";
/// The version that made them.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Names falx as the writer of a file, whatever library it uses.
const IMPLEMENTATION_CLASS_UID: &str = "2.25.185186971726904762037725560357507463997";

/// The kinds of object, each with a series of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The findings as a structured report.
    Report,
    /// Pictures that every viewer shows.
    Capture,
    /// Heat maps as numbers.
    HeatMap,
    /// The list of the slices and pictures to look at.
    KeyObjects,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Report => "structured report",
            Self::Capture => "secondary capture",
            Self::HeatMap => "parametric map",
            Self::KeyObjects => "key object selection",
        }
    }

    pub const fn sop_class(self) -> &'static str {
        match self {
            Self::Report => uids::COMPREHENSIVE3_DSR_STORAGE,
            Self::Capture => uids::SECONDARY_CAPTURE_IMAGE_STORAGE,
            Self::HeatMap => uids::PARAMETRIC_MAP_STORAGE,
            Self::KeyObjects => uids::KEY_OBJECT_SELECTION_DOCUMENT_STORAGE,
        }
    }

    const fn modality(self) -> &'static str {
        match self {
            Self::Report => "SR",
            Self::Capture | Self::HeatMap => "OT",
            Self::KeyObjects => "KO",
        }
    }

    /// High, so that viewers list the scanner's series first.
    const fn series_number(self) -> &'static str {
        match self {
            Self::Report => "901",
            Self::Capture => "902",
            Self::HeatMap => "903",
            Self::KeyObjects => "904",
        }
    }

    const fn series_description(self) -> &'static str {
        match self {
            Self::Report => "falx findings, research use",
            Self::Capture => "falx pictures, research use",
            Self::HeatMap => "falx heat maps, research use",
            Self::KeyObjects => "falx key images, research use",
        }
    }
}

/// An encoded object.
#[derive(Clone, Debug)]
pub struct Made {
    pub kind: Kind,
    pub file_name: String,
    pub series: String,
    pub sop_instance: String,
    pub bytes: Vec<u8>,
}

impl Made {
    /// The item of a sequence that refers to it.
    pub fn reference(&self) -> DataSet {
        let mut item = DataSet::new_empty();
        put(
            &mut item,
            tags::REFERENCED_SOP_CLASS_UID,
            VR::UI,
            self.kind.sop_class(),
        );
        put(
            &mut item,
            tags::REFERENCED_SOP_INSTANCE_UID,
            VR::UI,
            &*self.sop_instance,
        );
        item
    }
}

/// Findings that were checked against each other, and what every object of their study begins with.
pub struct Study<'a> {
    pub findings: &'a StudyFindings,
    /// Which characters text of our own may have.
    pub repertoire: Repertoire,
    written_at: WrittenAt,
    shared: DataSet,
    /// What the objects' identity depends on besides their content.
    identity: Vec<String>,
}

impl<'a> Study<'a> {
    /// Checks that the findings are of one study and speak of its slices alone.
    pub fn of(findings: &'a StudyFindings) -> Result<Self, EvidenceError> {
        let first = one_study(&findings.sources)?;
        check(findings)?;
        let (shared, repertoire) = shared(first.header(), findings);
        let zone = text_of(first.header(), tags::TIMEZONE_OFFSET_FROM_UTC);
        let written_at = match zone.and_then(|zone| minutes_of(&zone)) {
            Some(minutes) => findings.written_at.at_offset(minutes),
            None => findings.written_at,
        };
        let algorithm = &findings.algorithm;
        let mut identity = vec![
            first.study().to_owned(),
            algorithm.name.clone(),
            algorithm.version.clone(),
            algorithm.model_hash.clone(),
            format!("{} {}", written_at.date(), written_at.time()),
        ];
        let series: BTreeSet<&str> = findings.sources.iter().map(SourceSlice::series).collect();
        identity.extend(series.into_iter().map(str::to_owned));
        Ok(Self {
            findings,
            repertoire,
            written_at,
            shared,
            identity,
        })
    }

    /// The slice at a place that [`Study::of`] has checked.
    pub fn slice(&self, place: usize) -> Option<&'a SourceSlice> {
        self.findings.sources.get(place)
    }

    /// The slices that speak most for any finding, in their order along the head.
    pub fn key_slices(&self) -> Vec<&'a SourceSlice> {
        let places = self.findings.findings.iter().flat_map(|f| &f.key_slices);
        let places: BTreeSet<usize> = places.copied().collect();
        places.into_iter().filter_map(|at| self.slice(at)).collect()
    }

    /// An identifier that follows from the run and `what`.
    pub fn uid(&self, what: &str) -> String {
        let mut parts: Vec<&[u8]> = vec![b"falx-evidence 1", what.as_bytes()];
        parts.extend(self.identity.iter().map(String::as_bytes));
        uid::derived(&parts)
    }

    /// An identifier of the detector alone.
    pub fn device_uid(&self) -> String {
        let algorithm = &self.findings.algorithm;
        let parts = [&algorithm.name, &algorithm.version, &algorithm.model_hash];
        let parts: Vec<&[u8]> = parts.into_iter().map(String::as_bytes).collect();
        uid::derived(&[&[&b"falx-evidence device"[..]], &parts[..]].concat())
    }

    /// The series of a kind.
    pub fn series(&self, kind: Kind) -> String {
        self.uid(kind.name())
    }

    /// A line of our own text (LO).
    pub fn line(&self, text: &str) -> String {
        self.repertoire.line(text, 64)
    }

    /// The date and the time of writing.
    pub fn date_and_time(&self) -> (String, String) {
        (self.written_at.date(), self.written_at.time())
    }

    /// When it is written, as people write it.
    pub fn written_at(&self) -> String {
        self.written_at.to_text()
    }

    /// A data set with everything that objects of this kind share.
    pub fn begin(&self, kind: Kind, number: usize) -> DataSet {
        let mut set = self.shared.clone();
        let (date, time) = self.date_and_time();
        put(&mut set, tags::SOP_CLASS_UID, VR::UI, kind.sop_class());
        put(&mut set, tags::MODALITY, VR::CS, kind.modality());
        put(
            &mut set,
            tags::SERIES_INSTANCE_UID,
            VR::UI,
            self.series(kind),
        );
        put(&mut set, tags::SERIES_NUMBER, VR::IS, kind.series_number());
        put(
            &mut set,
            tags::SERIES_DESCRIPTION,
            VR::LO,
            kind.series_description(),
        );
        put(&mut set, tags::SERIES_DATE, VR::DA, &*date);
        put(&mut set, tags::SERIES_TIME, VR::TM, &*time);
        put(&mut set, tags::INSTANCE_NUMBER, VR::IS, number.to_string());
        put(&mut set, tags::CONTENT_DATE, VR::DA, &*date);
        put(&mut set, tags::CONTENT_TIME, VR::TM, &*time);
        put(&mut set, tags::INSTANCE_CREATION_DATE, VR::DA, date);
        put(&mut set, tags::INSTANCE_CREATION_TIME, VR::TM, time);
        if matches!(kind, Kind::Capture | Kind::HeatMap) {
            put_body_part(&mut set, self.slice(0));
        }
        let algorithm = &self.findings.algorithm;
        let versions = [VERSION.to_owned(), self.line(&algorithm.version)];
        let versions: Vec<String> = versions.into_iter().filter(|v| !v.is_empty()).collect();
        put(&mut set, tags::MANUFACTURER, VR::LO, MANUFACTURER);
        put(
            &mut set,
            tags::MANUFACTURER_MODEL_NAME,
            VR::LO,
            self.model_name(),
        );
        put(
            &mut set,
            tags::DEVICE_SERIAL_NUMBER,
            VR::LO,
            self.serial_number(),
        );
        put(
            &mut set,
            tags::SOFTWARE_VERSIONS,
            VR::LO,
            versions.join("\\"),
        );
        set
    }

    /// The detector's name, which may not be empty.
    pub fn model_name(&self) -> String {
        or_unnamed(self.line(&self.findings.algorithm.name))
    }

    /// What tells its weights from others, which may not be empty.
    pub fn serial_number(&self) -> String {
        or_unnamed(self.line(&self.findings.algorithm.model_hash))
    }

    /// Encodes an object, whose identity is that of its content.
    pub fn encode(
        &self,
        kind: Kind,
        file_name: String,
        mut set: DataSet,
    ) -> Result<Made, EvidenceError> {
        let series = self.series(kind);
        put(&mut set, tags::SOP_INSTANCE_UID, VR::UI, &*series);
        let content = bytes_of(kind, set.clone())?;
        let sop_instance = uid::derived(&[b"falx-evidence instance", &content]);
        drop(content);
        put(&mut set, tags::SOP_INSTANCE_UID, VR::UI, &*sop_instance);
        Ok(Made {
            kind,
            file_name,
            series,
            sop_instance,
            bytes: bytes_of(kind, set)?,
        })
    }
}

/// The items that refer to `slices` by study and series, as reports list their evidence; further objects of this study
/// come after them.
pub fn evidence(slices: &[&SourceSlice], made: &[&Made]) -> Vec<DataSet> {
    let study = slices.first().map_or("", |slice| slice.study());
    let mut item = DataSet::new_empty();
    put(&mut item, tags::STUDY_INSTANCE_UID, VR::UI, study);
    put_items(
        &mut item,
        tags::REFERENCED_SERIES_SEQUENCE,
        series_items(slices, made, tags::REFERENCED_SOP_SEQUENCE),
    );
    vec![item]
}

/// The items of Referenced Series Sequence, with `instances` as the sequence of what they hold; a file of several frames is
/// named once.
pub fn series_items(slices: &[&SourceSlice], made: &[&Made], instances: Tag) -> Vec<DataSet> {
    let mut named = BTreeSet::new();
    let mut series: BTreeMap<&str, Vec<DataSet>> = BTreeMap::new();
    for slice in slices {
        if named.insert(slice.sop_instance_uid()) {
            let references = series.entry(slice.series()).or_default();
            references.push(slice.object_reference());
        }
    }
    for object in made {
        let references = series.entry(&object.series).or_default();
        references.push(object.reference());
    }
    let items = series.into_iter().map(|(uid, references)| {
        let mut item = DataSet::new_empty();
        put(&mut item, tags::SERIES_INSTANCE_UID, VR::UI, uid);
        put_items(&mut item, instances, references);
        item
    });
    items.collect()
}

/// The part of the body as the source names it; where it names none, nobody can say that it is no paired one, whose side would
/// have to be told.
fn put_body_part(set: &mut DataSet, source: Option<&SourceSlice>) {
    let part = source.and_then(|source| text_of(source.header(), tags::BODY_PART_EXAMINED));
    match part {
        Some(part) => put(set, tags::BODY_PART_EXAMINED, VR::CS, part),
        None => put(set, tags::LATERALITY, VR::CS, ""),
    }
}

fn or_unnamed(text: String) -> String {
    if text.is_empty() {
        "not named".to_owned()
    } else {
        text
    }
}

fn bytes_of(kind: Kind, set: DataSet) -> Result<Vec<u8>, EvidenceError> {
    let fault = |reason: String| EvidenceError::Encode {
        what: kind.name(),
        reason,
    };
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .implementation_class_uid(IMPLEMENTATION_CLASS_UID)
        .implementation_version_name(format!("falx {VERSION}"));
    let file = set.with_meta(meta).map_err(|e| fault(e.to_string()))?;
    let mut bytes = Vec::new();
    file.write_all(&mut bytes)
        .map_err(|e| fault(e.to_string()))?;
    Ok(bytes)
}

/// Minutes of a Timezone Offset From UTC (`+0530`).
fn minutes_of(zone: &str) -> Option<i32> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_at_checked(2)?;
    Some(sign * (60 * hours.parse::<i32>().ok()? + minutes.parse::<i32>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::minutes_of;

    #[test]
    fn time_zones_are_read() {
        assert_eq!(minutes_of("+0530"), Some(330));
        assert_eq!(minutes_of("-0100"), Some(-60));
        for text in ["", "0100", "+", "+1", "+aa00", "Z"] {
            assert_eq!(minutes_of(text), None, "{text}");
        }
    }
}
