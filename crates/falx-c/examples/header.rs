//! Prints `include/falx.h`.

// The functions register themselves where they are linked.
use falx_c as _;

fn main() -> std::io::Result<()> {
    let header = safer_ffi::headers::builder().with_guard("FALX_H");
    header.to_writer(std::io::stdout().lock()).generate()
}
