//! How large haemorrhages are, where masks say it.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use falx_core::{ImageId, Window};
use falx_data::index::IndexRow;
use falx_data::source::{Place, SliceReader};

/// A mask's pixels count from here on: pictures have black and white, volumes 0 and 1.
const SHOWN: f32 = 0.5;

/// The size of each slice's haemorrhage, in words. Only slices whose mask shows one have a size.
///
/// Where masks have a scale it is the volume in the whole study: the sum of the areas times the distance of the slices.
/// Otherwise it is the share of the picture in this slice. Pixels are taken to be square. A mask that cannot be read
/// counts as none.
pub(crate) fn sizes<'a>(rows: impl Iterator<Item = &'a IndexRow>) -> HashMap<ImageId, String> {
    let mut reader = SliceReader::new();
    let found: Vec<(&IndexRow, Area)> = rows
        .filter_map(|row| Some((row, area(row, &mut reader)?)))
        .collect();
    let mut volumes: HashMap<&str, f64> = HashMap::new();
    for (row, area) in &found {
        if let (Some(study), Some(cubic)) = (&row.study_uid, area.cubic_mm) {
            *volumes.entry(study).or_default() += cubic;
        }
    }
    found
        .iter()
        .map(|(row, area)| {
            let volume = row.study_uid.as_deref().filter(|_| area.cubic_mm.is_some());
            let volume = volume.and_then(|study| volumes.get(study));
            let words = volume.map_or_else(|| share(area.share), |cubic| millilitres(cubic / 1e3));
            (row.image_id.clone(), words.to_owned())
        })
        .collect()
}

/// What one mask shows.
struct Area {
    /// Of all pixels.
    share: f64,
    /// The slice's part of the volume, where the scale is known.
    cubic_mm: Option<f64>,
}

fn area(row: &IndexRow, reader: &mut SliceReader) -> Option<Area> {
    // The window of a mask that is a picture: black is 0, white is 1.
    let window = Window::new(0.5, 1.0).ok()?;
    let place = Place {
        path: row.mask.as_deref()?,
        window: Some(window),
    };
    let mask = reader.read(place).ok()?;
    let pixels = mask.hu.iter().filter(|hu| hu.0 > SHOWN).count();
    if pixels == 0 {
        return None;
    }
    let pixel_mm = row.acquisition.as_ref().and_then(|taken| taken.pixel_mm);
    let cubic = |pixel: f64, apart: f64| pixels as f64 * pixel * pixel * apart;
    Some(Area {
        share: pixels as f64 / mask.hu.len() as f64,
        cubic_mm: pixel_mm
            .zip(row.spacing_mm)
            .map(|(pixel, apart)| cubic(pixel, apart.0)),
    })
}

const fn millilitres(ml: f64) -> &'static str {
    match ml {
        ..1.0 => "under 1 ml",
        ..5.0 => "1 to 5 ml",
        ..30.0 => "5 to 30 ml",
        _ => "30 ml and over",
    }
}

const fn share(share: f64) -> &'static str {
    match share {
        ..0.001 => "under 0.1 % of the picture",
        ..0.005 => "0.1 to 0.5 % of the picture",
        ..0.02 => "0.5 to 2 % of the picture",
        _ => "2 % of the picture and over",
    }
}
