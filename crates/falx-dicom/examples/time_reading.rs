//! Times the reader on every `.dcm` file of a folder:
//! `cargo run --release -p falx-dicom --example time_reading -- FOLDER [ROUNDS]`.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

use falx_dicom::{Reader, read, read_bytes, read_header};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("usage: time_reading FOLDER [ROUNDS]")?;
    let rounds: usize = arguments.next().map_or(Ok(5), |word| word.parse())?;
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "dcm") {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut reader = Reader::new();
    let mut buffer = Vec::new();
    time("bytes alone", &files, rounds, |path| {
        use std::io::Read;
        buffer.clear();
        std::fs::File::open(path)?.read_to_end(&mut buffer)?;
        Ok(())
    })?;
    time("Reader::read", &files, rounds, |path| {
        black_box(reader.read(path)?);
        Ok(())
    })?;
    let in_memory = files
        .iter()
        .map(std::fs::read)
        .collect::<Result<Vec<_>, _>>()?;
    let mut next = in_memory.iter().cycle();
    time("read_bytes", &files, rounds, |_| {
        let bytes = next.next().ok_or("no .dcm files")?;
        black_box(read_bytes(bytes)?);
        Ok(())
    })?;
    time("read", &files, rounds, |path| {
        black_box(read(path)?);
        Ok(())
    })?;
    let mut tensor = vec![0.0; 3 * 256 * 256];
    time("read_fitted", &files, rounds, |path| {
        black_box(reader.read_fitted(path, 256, &mut tensor)?);
        Ok(())
    })?;
    time("read_tensor", &files, rounds, |path| {
        black_box(reader.read_tensor(path, 256, &falx_core::SEED_WINDOWS, &mut tensor)?);
        Ok(())
    })?;
    time("read_header", &files, rounds, |path| {
        black_box(read_header(path)?);
        Ok(())
    })?;
    Ok(())
}

fn time(
    what: &str,
    files: &[PathBuf],
    rounds: usize,
    mut read: impl FnMut(&std::path::Path) -> Result<(), Box<dyn std::error::Error>>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut milliseconds = Vec::with_capacity(files.len() * rounds);
    for _ in 0..rounds {
        for file in files {
            let start = Instant::now();
            read(file)?;
            milliseconds.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    milliseconds.sort_by(f64::total_cmp);
    let median = milliseconds
        .get(milliseconds.len() / 2)
        .ok_or("no .dcm files")?;
    let mean = milliseconds.iter().sum::<f64>() / milliseconds.len() as f64;
    println!(
        "{what:>14}: median {median:.3} ms, mean {mean:.3} ms, {} files x {rounds}",
        files.len()
    );
    Ok(())
}
