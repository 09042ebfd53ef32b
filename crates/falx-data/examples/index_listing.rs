//! Turns a listing (a Parquet table of image ids, labels and groups, without files) into an index.
//!
//! `cargo run --release -p falx-data --example index_listing -- slices.parquet index.parquet`

use std::path::PathBuf;

use falx_data::index::{Index, IndexSummary, Layout, read_listing};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [table, out] = arguments.as_slice() else {
        return Err("usage: index_listing TABLE.parquet INDEX.parquet".into());
    };
    let rows = read_listing(table)?;
    let mut summary = IndexSummary::of(&rows, Layout::Rsna, rows.len() as u64);
    summary.has_labels = summary.labelled > 0;
    Index {
        rows,
        summary: summary.clone(),
    }
    .write(out)?;
    print!("{}", summary.to_text());
    Ok(())
}
