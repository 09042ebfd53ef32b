//! `falx cache`

use falx_data::cache::{CacheOptions, PictureForm, build};
use falx_data::input::Crop;

use super::Context;
use crate::cli::Cache;
use crate::output::Outcome;

pub fn run(arguments: &Cache, context: &Context) -> anyhow::Result<Outcome> {
    let picture = arguments.size.map(|size| PictureForm {
        size,
        mm_per_pixel: arguments.mm_per_pixel,
        crop: if arguments.crop_head {
            Crop::Head
        } else {
            Crop::None
        },
        clip_hu: arguments.clip_hu,
        own_window: arguments.own_window,
    });
    let options = CacheOptions {
        index: arguments.index.clone(),
        out: arguments.out.clone(),
        picture,
        check: arguments.check,
    };
    let summary = build(&options, context.progress.as_ref(), &context.interrupt)?;
    Ok(Outcome::done(summary.to_text(), &summary)?.fine_if(summary.is_complete()))
}
