//! An ONNX file; what comes out must be a whole network.
#![no_main]

use falx_nn::onnx::{ReadOptions, read_bytes};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    match read_bytes(bytes, &ReadOptions::default()) {
        Ok(imported) => {
            for spec in imported.graph.parameters() {
                let tensor = imported.parameters.get(&spec.name).expect("a parameter is missing");
                assert_eq!(tensor.shape, spec.shape, "a parameter's shape");
                assert_eq!(tensor.data.len(), spec.shape.iter().product::<usize>(), "a parameter's length");
                assert!(tensor.data.iter().all(|x| x.is_finite()), "a parameter is not finite");
            }
            assert!(!imported.graph.outputs().is_empty(), "no output and no error");
        }
        Err(error) => assert!(!error.to_string().is_empty(), "an error says what is wrong"),
    }
});
