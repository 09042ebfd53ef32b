//! A split that somebody else made: a CSV of image ids and folds.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use falx_core::{ImageId, PatientId};
use serde::Serialize;

use super::slices::{Slices, data_hash};
use super::{Split, SplitError, SplitOptions, SplitRow, patient};

/// More folds than this are a wrong column.
const MOST_FOLDS: usize = 100;
/// Bad rows that are named.
const EXAMPLES: usize = 5;

/// A split as a CSV gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenSplit {
    path: PathBuf,
    /// Each id with its folds; more than one where rows disagree.
    rows: Vec<(ImageId, i32)>,
    folds: Vec<FoldName>,
}

/// A fold, as the CSV names it and as falx does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoldName {
    /// The CSV's word.
    pub name: String,
    /// 0 … k−1, or −1 for the locked test.
    pub fold: i32,
}

/// A word of the fold's column; their order is the folds' order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Locked,
    Validation,
    Number(i32),
    Name(String),
}

impl GivenSplit {
    /// Reads a CSV with the columns `image_id` (or `ID`) and `fold` (or `split`), in any case, among others.
    ///
    /// Folds are whole numbers, −1 for the locked test, or names: `test`, `holdout` and `locked` are the locked test;
    /// `val`, `valid`, `validation` and `dev` come first, so that they choose the best epoch unless a recipe says
    /// otherwise; other numbers and names follow in their order. Rows that repeat another are counted once; rows that
    /// contradict another are a leak, and kept.
    ///
    /// # Errors
    /// [`SplitError::Given`]; bad rows are named by their lines.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, SplitError> {
        let path = path.as_ref();
        let wrong = |what: String| SplitError::Given {
            path: path.into(),
            what,
        };
        let file = File::open(path).map_err(|error| {
            wrong(format!(
                "cannot be opened: {error}; check that it exists and may be read"
            ))
        })?;
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .buffer_capacity(1 << 18)
            .from_reader(file);
        let csv_error =
            |error: csv::Error| wrong(format!("is no valid CSV: {error}; save it again as CSV"));
        let (id, fold) = columns(reader.byte_headers().map_err(csv_error)?).map_err(wrong)?;
        let mut words: HashMap<Vec<u8>, Word> = HashMap::new();
        let mut rows: Vec<(ImageId, Word)> = Vec::new();
        let (mut bad, mut first_bad) = (0_u64, Vec::new());
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record).map_err(csv_error)? {
            match row(&record, id, fold, &mut words) {
                Ok(row) => rows.push(row),
                Err(what) => {
                    bad += 1;
                    if first_bad.len() < EXAMPLES {
                        let line = record.position().map_or(0, csv::Position::line);
                        first_bad.push(format!("line {line}: {what}"));
                    }
                }
            }
            if words.len() > 2 * MOST_FOLDS {
                return Err(wrong(format!(
                    "has more than {MOST_FOLDS} folds; its column fold must hold a fold's number or name"
                )));
            }
        }
        if bad > 0 {
            let first = first_bad.join("; ");
            return Err(wrong(format!("has {bad} bad rows: {first}; correct them")));
        }
        if rows.is_empty() {
            return Err(wrong("has no rows; give each slice its fold".to_owned()));
        }
        Self::of(path, rows, &words)
    }

    fn of(
        path: &Path,
        rows: Vec<(ImageId, Word)>,
        words: &HashMap<Vec<u8>, Word>,
    ) -> Result<Self, SplitError> {
        let mut numbers: BTreeMap<Word, i32> = BTreeMap::new();
        for word in words.values() {
            numbers.insert(word.clone(), -1);
        }
        let open = numbers
            .iter_mut()
            .filter(|(word, _)| **word != Word::Locked);
        for ((_, number), next) in open.zip(0..) {
            *number = next;
        }
        if numbers.len() > MOST_FOLDS {
            return Err(SplitError::Given {
                path: path.into(),
                what: format!(
                    "has {} folds; at most {MOST_FOLDS} make sense",
                    numbers.len()
                ),
            });
        }
        let mut folds: Vec<FoldName> = words
            .iter()
            .filter_map(|(name, word)| {
                let name = String::from_utf8_lossy(name).into_owned();
                let fold = *numbers.get(word)?;
                Some(FoldName { name, fold })
            })
            .collect();
        folds.sort_unstable_by(|a, b| (a.fold, &a.name).cmp(&(b.fold, &b.name)));
        let mut rows: Vec<(ImageId, i32)> = rows
            .into_iter()
            .filter_map(|(id, word)| Some((id, *numbers.get(&word)?)))
            .collect();
        rows.sort_unstable();
        rows.dedup();
        Ok(Self {
            path: path.into(),
            rows,
            folds,
        })
    }

    /// The folds as the CSV names them and as falx does.
    pub fn folds(&self) -> &[FoldName] {
        &self.folds
    }

    /// The split that this is for an index, whether it fits or not.
    ///
    /// # Errors
    /// [`SplitError::Strangers`] where the two have nothing in common.
    pub fn for_index(&self, index: &impl Slices) -> Result<Split, SplitError> {
        let slices = index.slices();
        let by_id: HashMap<&str, _> = slices.iter().map(|slice| (slice.image_id, slice)).collect();
        let rows: Vec<SplitRow> = self
            .rows
            .iter()
            .map(|(id, fold)| SplitRow {
                patient: by_id
                    .get(id.as_str())
                    .map_or_else(|| PatientId::from("unknown"), |slice| patient(slice)),
                image_id: id.clone(),
                fold: *fold,
            })
            .collect();
        if !rows
            .iter()
            .any(|row| by_id.contains_key(row.image_id.as_str()))
            && let Some(row) = rows.first()
        {
            return Err(SplitError::Strangers {
                path: self.path.clone(),
                rows: rows.len() as u64,
                example: row.image_id.clone(),
            });
        }
        let locked = rows.iter().filter(|row| row.fold < 0).count();
        let folds = rows
            .iter()
            .map(|row| row.fold + 1)
            .max()
            .unwrap_or_default();
        let options = SplitOptions {
            folds: folds.unsigned_abs(),
            test_fraction: locked as f64 / rows.len().max(1) as f64,
            seed: 0,
        };
        Ok(Split {
            data_hash: data_hash(&slices),
            rows,
            options,
        })
    }
}

/// The places of the columns of ids and of folds.
fn columns(header: &ByteRecord) -> Result<(usize, usize), String> {
    let names: Vec<String> = header
        .iter()
        .map(|name| {
            let name = String::from_utf8_lossy(name);
            name.trim_start_matches('\u{feff}')
                .trim()
                .trim_matches('"')
                .to_owned()
        })
        .collect();
    let find = |wanted: [&str; 2]| {
        wanted.into_iter().find_map(|wanted| {
            names
                .iter()
                .position(|name| name.eq_ignore_ascii_case(wanted))
        })
    };
    match (find(["image_id", "id"]), find(["fold", "split"])) {
        (Some(id), Some(fold)) => Ok((id, fold)),
        (id, _) => Err(format!(
            "has no column {}; found: {}; falx reads `image_id,fold`",
            if id.is_none() { "image_id" } else { "fold" },
            names.join(", ")
        )),
    }
}

/// One row's id and fold, or what is wrong with it.
fn row(
    record: &ByteRecord,
    id: usize,
    fold: usize,
    words: &mut HashMap<Vec<u8>, Word>,
) -> Result<(ImageId, Word), String> {
    let text = |at: usize| record.get(at).unwrap_or_default().trim_ascii();
    let id = std::str::from_utf8(text(id)).map_err(|_| "its id is no text".to_owned())?;
    if id.is_empty() {
        return Err("it has no id".to_owned());
    }
    let fold = text(fold);
    if let Some(word) = words.get(fold) {
        return Ok((id.into(), word.clone()));
    }
    let word = word(fold)?;
    words.insert(fold.to_vec(), word.clone());
    Ok((id.into(), word))
}

fn word(bytes: &[u8]) -> Result<Word, String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim().to_ascii_lowercase();
    // Tools that know no missing integers write 1.0.
    let number = text.strip_suffix(".0").unwrap_or(&text).parse::<i32>();
    match (text.as_str(), number) {
        ("", _) => Err("it has no fold".to_owned()),
        (_, Ok(-1)) | ("test" | "holdout" | "locked", _) => Ok(Word::Locked),
        ("val" | "valid" | "validation" | "dev", _) => Ok(Word::Validation),
        (_, Ok(number @ 0..)) => Ok(Word::Number(number)),
        (_, Ok(number)) => Err(format!("fold {number} is below -1, the locked test")),
        (name, Err(_)) if name.parse::<f64>().is_ok() => {
            Err(format!("fold {} is no whole number", clip(name)))
        }
        (name, Err(_)) => Ok(Word::Name(clip(name))),
    }
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}
