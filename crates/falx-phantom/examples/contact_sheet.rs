//! A contact sheet of phantom slices: `contact_sheet OUT.png [SEED] [PATIENTS,COMMA,SEPARATED] [WINDOWS] [SLICES]`.
//!
//! Rows are patients (one row a window), columns slices from the feet up. WINDOWS is a list such as `40/80,80/200`.

use std::error::Error;
use std::fs::File;

use falx_core::{Hu, Window};
use falx_phantom::head;
use rayon::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let out = args.next().unwrap_or_else(|| "contact_sheet.png".into());
    let seed: u64 = args.next().unwrap_or_else(|| "1".into()).parse()?;
    let patients: Vec<u64> = args
        .next()
        .unwrap_or_else(|| "0,1".into())
        .split(',')
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let windows: Vec<Window> = args
        .next()
        .unwrap_or_else(|| "40/80,80/200,40/380".into())
        .split(',')
        .map(|text| {
            let (center, width) = text.split_once('/').ok_or("a window is CENTRE/WIDTH")?;
            Ok::<_, Box<dyn Error>>(Window::new(center.parse()?, width.parse()?)?)
        })
        .collect::<Result<_, _>>()?;
    let columns: usize = args.next().unwrap_or_else(|| "8".into()).parse()?;
    let side: usize = std::env::var("MATRIX")
        .unwrap_or_else(|_| "256".into())
        .parse()?;
    let prevalence: f64 = std::env::var("PREVALENCE")
        .unwrap_or_else(|_| "0.14".into())
        .parse()?;
    let width = columns * side;
    let mut sheet = vec![0_u8; width * side * windows.len() * patients.len()];
    for (p, &patient) in patients.iter().enumerate() {
        let head = head(seed, patient, prevalence);
        let n = head.slices();
        let chosen: Vec<usize> = (0..columns).map(|c| (c * n + n / 2) / columns).collect();
        let slices: Vec<_> = chosen
            .par_iter()
            .map(|&s| head.render(s, side as u16))
            .collect();
        let found: Vec<String> = slices
            .iter()
            .map(|s| {
                s.labels()
                    .map(|l| if l { '1' } else { '-' })
                    .iter()
                    .collect()
            })
            .collect();
        println!(
            "patient {patient} scanner {} slices {n} bleeds {} {found:?}",
            head.scanner(),
            head.bleeds()
        );
        for (w, window) in windows.iter().enumerate() {
            for (c, slice) in slices.iter().enumerate() {
                for (i, Hu(hu)) in slice.hu.iter().enumerate() {
                    let y = (p * windows.len() + w) * side + i / side;
                    sheet[y * width + c * side + i % side] =
                        (255.0 * window.unit_interval(Hu(*hu))) as u8;
                }
            }
        }
    }
    let rows = sheet.len() / width;
    let mut encoder = png::Encoder::new(File::create(&out)?, width as u32, rows as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&sheet)?;
    Ok(())
}
