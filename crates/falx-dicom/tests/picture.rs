//! Pictures from files are those of the slices in them: over the conformance set and the real slices.

use falx_core::SEED_WINDOWS;
use falx_dicom::Reader;
use falx_dicom::picture::{apply_windows, fit};

#[test]
fn one_pass_gives_what_reading_and_fitting_give() {
    let mut found = Vec::new();
    for folder in ["conformance", "data/rsna-dicom"] {
        let Some(folder) = falx_fixtures::shared(folder) else {
            return;
        };
        found.extend(falx_fixtures::files_under(&folder));
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "dcm"));
    assert!(found.len() > 600);
    let mut reader = Reader::new();
    let mut pictures = 0;
    for (path, size) in found
        .iter()
        .flat_map(|path| [256, 224, 64].map(|size| (path, size)))
    {
        let mut hu = vec![0.0; size * size];
        let mut tensor = vec![0.0; SEED_WINDOWS.len() * hu.len()];
        let whole = reader.read_slice(path);
        let fitted = reader.read_fitted(path, size, &mut hu);
        let drawn = reader.read_tensor(path, size, &SEED_WINDOWS, &mut tensor);
        let name = path.display();
        match (whole, fitted, drawn) {
            (Ok(slice), Ok(fitted), Ok(drawn)) => {
                let mut meant = vec![0.0; hu.len()];
                fit(&slice, size, &mut meant);
                assert!(hu == meant, "{name} at {size}");
                let mut meant = vec![0.0; tensor.len()];
                apply_windows(&hu, &SEED_WINDOWS, &mut meant);
                assert!(tensor == meant, "{name} at {size}");
                assert_eq!(
                    (&fitted.header, &fitted.defects),
                    (&slice.header, &slice.defects)
                );
                assert_eq!(fitted, drawn);
                pictures += 1;
            }
            (Err(whole), Err(fitted), Err(drawn)) => {
                assert_eq!(whole.to_string(), fitted.to_string());
                assert_eq!(whole.to_string(), drawn.to_string());
            }
            (whole, fitted, drawn) => {
                panic!("{name}: {whole:?}, {fitted:?}, {drawn:?}");
            }
        }
    }
    println!("{pictures} pictures");
}
