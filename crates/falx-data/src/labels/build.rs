//! Rows as they come, in any order, into a table.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use falx_core::{ImageId, LABELS, Label, LabelRow};

use super::{Groups, LabelTable};

/// What has been said of one label of one slice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Once(bool),
    Both,
}

/// What a row says of a slice's patient, study and series.
#[derive(Clone, Copy)]
pub(super) struct Grouping<'a> {
    pub(super) patient: Option<&'a str>,
    pub(super) study: Option<&'a str>,
    pub(super) series: Option<&'a str>,
}

/// Collects rows; remembers the last slice, since the six rows of one usually follow each other.
#[derive(Default)]
pub(super) struct Builder {
    places: HashMap<Box<str>, u32>,
    rows: Vec<[Said; 6]>,
    groups: HashMap<u32, Groups>,
    texts: HashSet<Arc<str>>,
    last: Option<(String, u32)>,
    agreeing: u64,
    disagreeing: u64,
}

impl Builder {
    pub(super) fn add(&mut self, image: &str, label: Label, value: bool) {
        let place = self.place(image);
        self.say(place, label, value);
    }

    pub(super) fn add_row(&mut self, image: &str, row: LabelRow) {
        let place = self.place(image);
        for label in LABELS {
            if let Some(value) = row.get(label) {
                self.say(place, label, value);
            }
        }
    }

    /// Notes where a slice belongs; the first word counts.
    pub(super) fn group(&mut self, image: &str, said: Grouping<'_>) {
        let place = self.place(image);
        let texts = &mut self.texts;
        let mut share = |text: Option<&str>| {
            let text = text?;
            if let Some(known) = texts.get(text) {
                return Some(Arc::clone(known));
            }
            let new: Arc<str> = text.into();
            texts.insert(Arc::clone(&new));
            Some(new)
        };
        let new = Groups {
            patient: share(said.patient),
            study: share(said.study),
            series: share(said.series),
        };
        let known = self.groups.entry(place).or_default();
        known.patient = known.patient.take().or(new.patient);
        known.study = known.study.take().or(new.study);
        known.series = known.series.take().or(new.series);
    }

    fn place(&mut self, image: &str) -> u32 {
        if let Some((last, place)) = &self.last
            && last == image
        {
            return *place;
        }
        let place = if let Some(&place) = self.places.get(image) {
            place
        } else {
            let place = self.rows.len() as u32;
            self.rows.push([Said::Nothing; 6]);
            self.places.insert(image.into(), place);
            place
        };
        match &mut self.last {
            Some((last, at)) => {
                image.clone_into(last);
                *at = place;
            }
            last => *last = Some((image.to_owned(), place)),
        }
        place
    }

    fn say(&mut self, place: u32, label: Label, value: bool) {
        let Some(said) = self
            .rows
            .get_mut(place as usize)
            .map(|row| &mut row[label.index()])
        else {
            return;
        };
        match *said {
            Said::Nothing => *said = Said::Once(value),
            Said::Once(before) if before == value => self.agreeing += 1,
            Said::Once(_) | Said::Both => {
                *said = Said::Both;
                self.disagreeing += 1;
            }
        }
    }

    pub(super) fn finish(mut self) -> LabelTable {
        let mut ids: Vec<(Box<str>, u32)> = self.places.into_iter().collect();
        ids.sort_unstable();
        let mut table = LabelTable {
            rows: Vec::with_capacity(ids.len()),
            groups: Vec::new(),
            agreeing_duplicates: self.agreeing,
            disagreeing_duplicates: self.disagreeing,
            disagreeing: Vec::new(),
        };
        for (id, place) in ids {
            let id = ImageId(id.into());
            let said = self
                .rows
                .get(place as usize)
                .copied()
                .unwrap_or([Said::Nothing; 6]);
            if said.contains(&Said::Both) {
                table.disagreeing.push(id.clone());
            }
            let row = said.map(|said| match said {
                Said::Once(value) => Some(value),
                Said::Nothing | Said::Both => None,
            });
            if let Some(groups) = self.groups.remove(&place) {
                table.groups.push((table.rows.len() as u32, groups));
            }
            table.rows.push((id, LabelRow(row)));
        }
        table
    }
}

/// A label's value as people write it.
pub(super) fn parse_value(text: &[u8]) -> Option<bool> {
    match text {
        b"0" | b"0.0" | b"false" | b"False" | b"FALSE" => Some(false),
        b"1" | b"1.0" | b"true" | b"True" | b"TRUE" => Some(true),
        _ => None,
    }
}
