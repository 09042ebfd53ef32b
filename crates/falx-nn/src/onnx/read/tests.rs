//! What the tests of reading share, and the reference files of other exporters.

use std::path::PathBuf;

use safetensors::SafeTensors;

use super::*;
use crate::{Tensor, flex_engine};

/// The exporters' files, where the reference material is at hand.
fn reference() -> Option<PathBuf> {
    falx_fixtures::shared("reference/onnx")
}

fn tensor(file: &SafeTensors, name: &str) -> Tensor {
    let view = file.tensor(name).unwrap();
    let (words, _) = view.data().as_chunks();
    let data = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
    Tensor::new(view.shape(), data).unwrap()
}

#[test]
fn files_of_both_exporters_run_and_agree_with_onnx_runtime() {
    let Some(folder) = reference() else {
        return;
    };
    let bytes = std::fs::read(folder.join("expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let images = tensor(&expected, "input");
    let index = crate::reference::json(&folder.join("onnx.json"));
    let cases = index["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let file = case["file"].as_str().unwrap();
        let imported = read(&folder.join(file), &ReadOptions::default()).unwrap();
        let logits = flex_engine(0)
            .logits(&imported.graph, &imported.parameters, &images)
            .unwrap();
        let stem = file.strip_suffix(".onnx").unwrap();
        let theirs = tensor(&expected, &format!("{stem}/logits"));
        assert_eq!(logits.shape, theirs.shape);
        let theirs: Vec<f64> = theirs.data.into_iter().map(f64::from).collect();
        let distance = crate::reference::distance(&logits.data, &theirs);
        let names: Vec<&str> = imported
            .graph
            .nodes()
            .iter()
            .map(|node| node.name.as_str())
            .collect();
        println!("{file}: {distance:.1e} {names:?} {:?}", imported.notes);
        assert!(distance <= 1e-5, "{file}: {distance}");
    }
}
