//! A file of weights of any kind.
#![no_main]

use falx_nn::weights;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(named) = weights::parse(bytes) else {
        return;
    };
    assert!(!named.tensors.is_empty(), "no tensor and no error");
    let mut total = 0;
    for (name, tensor) in &named.tensors {
        let count: usize = tensor.shape.iter().product();
        assert_eq!(count, tensor.data.len(), "{name}");
        total += count;
    }
    assert!(total <= 16 * bytes.len(), "more numbers than the file can hold");
});
